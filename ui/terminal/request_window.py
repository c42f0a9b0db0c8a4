"""Windows of the rows of a query, as the feed is asked for them; why there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tapper.feed.interface import Query, Span
from ui.columns import plain_rows

if TYPE_CHECKING:
    from tapper.feed.interface import Feed

    Row = dict[str, Any]

MOST_MOVED = 100_000
"""Places that a row is looked for in: as many as a page of the feed may have."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a query."""

    query: Query
    total: int
    start: int
    rows: list[Row]
    shift: int
    """By how much the row that the reader is at has moved."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The row that the reader is at, as it was seen before."""

    number: int
    row: Row
    total: int
    """Rows that there were."""


def fetch(feed: Feed, query: Query, start: int, size: int, anchor: Anchor | None, *, tail: bool) -> Window:
    """A window of a query's rows.

    Args:
        feed: is asked for it.
        query: without limit and offset.
        start: number of the first row wanted.
        size: how many.
        anchor: if other rows came before it, or went, the window moves with it.
        tail: the last rows are wanted, wherever they begin.
    """
    total = feed.count(query.where, query.span)
    if tail:
        start = max(total - size, 0)
        return Window(query, total, start, _rows(feed, query, start, size, total), 0)
    moved = _moved_in_time(feed, query, size, anchor) if anchor is not None and query.order == "time" else 0
    start = min(max(start + moved, 0), max(total - 1, 0))
    rows = _rows(feed, query, start, size, total)
    if anchor is None:
        return Window(query, max(total, start + len(rows)), start, rows, 0)
    shift = _shift(anchor, start, rows)
    if shift is None and query.order != "time" and total != anchor.total:
        shift = _moved_in_order(feed, query, anchor, total)
        if shift:
            start = min(max(start + shift, 0), max(total - 1, 0))
            rows = _rows(feed, query, start, size, total)
            shift = _shift(anchor, start, rows)
    return Window(query, max(total, start + len(rows)), start, rows, moved if shift is None else shift)


def _shift(anchor: Anchor, start: int, rows: list[Row]) -> int | None:
    """By how much the anchor has moved, if it is among the rows."""
    places = (start + at for at, row in enumerate(rows) if row["id"] == anchor.row["id"])
    place = next(places, None)
    return None if place is None else place - anchor.number


def _moved_in_time(feed: Feed, query: Query, size: int, anchor: Anchor) -> int:
    """By how much it has moved, about: rows of the same time are not told apart."""
    before = feed.count(query.where, _until(query, anchor.row["time"]))
    return before - anchor.number if abs(before - anchor.number) > size // 4 else 0


def _moved_in_order(feed: Feed, query: Query, anchor: Anchor, total: int) -> int | None:
    """By how much it has moved: by as many rows as came, at most; None if it is not found there."""
    came = min(abs(total - anchor.total), MOST_MOVED // 2)
    first = max(anchor.number - came, 0)
    asked = replace(query, limit=min(2 * came + 1, MOST_MOVED), offset=first, columns=("id",))
    return _shift(anchor, first, plain_rows(feed.page(asked)))


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
    from ui.terminal.emptiness import no_match, nothing

    summary = feed.summary()
    if summary.exchanges and query.where.strip():
        last = plain_rows(feed.page(Query(order="time", descending=True, limit=1, columns=("time",))))
        return no_match(summary, query.where, last[0]["time"] if last else None)
    return nothing(summary, feed.health())
