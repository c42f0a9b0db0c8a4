"""Windows of the rows of a query, as the feed is asked for them; why there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tapper.feed.interface import Query, Span
from ui.columns import plain_rows
from ui.terminal.emptiness import no_match, nothing

if TYPE_CHECKING:
    from tapper.feed.interface import Feed

    Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a query."""

    query: Query
    total: int
    start: int
    rows: list[Row]
    shift: int


def fetch(feed: Feed, query: Query, start: int, size: int, anchor: tuple[int, Row] | None, *, tail: bool) -> Window:
    """A window of a query's rows.

    Args:
        feed: is asked for it.
        query: without limit and offset.
        start: number of the first row wanted.
        size: how many.
        anchor: number and row of a row seen before: if other rows came before it, or went, the window moves with it.
        tail: the last rows are wanted, wherever they begin.
    """
    total = feed.count(query.where, query.span)
    shift = 0
    if tail:
        start = max(total - size, 0)
    elif anchor is not None and query.order == "time":
        number, row = anchor
        before = feed.count(query.where, _until(query, row["time"]))
        # rows of the same time make this an estimate; the window is searched for the row itself
        shift = before - number if abs(before - number) > size // 4 else 0
        start = max(start + shift, 0)
    start = min(start, max(total - 1, 0))
    rows = _rows(feed, query, start, size, total)
    if anchor is not None and not tail:
        number, row = anchor
        found = next((start + at for at, other in enumerate(rows) if other["id"] == row["id"]), None)
        if found is not None:
            shift = found - number
    return Window(query, max(total, start + len(rows)), start, rows, shift)


def _rows(feed: Feed, query: Query, start: int, size: int, total: int) -> list[Row]:
    """Rows from `start` on; counted from the nearer end, as what lies before them is sorted too."""
    behind = total - start - size
    if query.order != "time" or start <= total // 2:
        return plain_rows(feed.page(replace(query, limit=size, offset=start)))
    limit, offset = size + min(behind, 0), max(behind, 0)
    return plain_rows(feed.page(replace(query, descending=not query.descending, limit=limit, offset=offset)))[::-1]


def _until(query: Query, time: int) -> Span:
    if query.descending:
        return replace(query.span, start=time + 1)
    return replace(query.span, end=time)


def why_empty(feed: Feed, query: Query) -> str:
    """The words for a list that has no rows."""
    summary = feed.summary()
    if summary.exchanges and query.where.strip():
        last = plain_rows(feed.page(Query(order="time", descending=True, limit=1, columns=("time",))))
        return no_match(summary, query.where, last[0]["time"] if last else None)
    return nothing(summary, feed.health())
