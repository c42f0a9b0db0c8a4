"""All exchanges that match, with names, in tables of bounded size: for exports."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tapper.feed import columns as sql
from tapper.feed import rows
from tapper.feed.pages import after, narrow_rows, order_by
from tapper.feed.selection import MOST, chunks, resolved, select, windows, with_payload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.feed.interface import Query
    from tapper.feed.selection import Selection
    from tapper.store.session import Session

PART_BYTES = 16 << 20  # of payloads in one table
SORTED_ROWS = 16_384  # of one table where the order is not that of time


def batches(session: Session, query: Query) -> Iterator[pa.Table]:
    """See Feed.batches."""
    narrow, payload = sql.split(query.columns)
    order = order_by(query.order, rows.EXCHANGE_ROW, descending=query.descending)
    selection = select(query.where, query.span)
    if query.after is not None:
        selection = selection.also(*after(query))
    if query.order == "time":
        named = _by_time(session, selection, order, narrow, query.descending, bool(payload))
    else:
        named = _sorted(session, selection, order, narrow, sql.of_end(query.order), bool(payload))
    skip, left = query.offset, query.limit or None
    for table in named:
        wanted = table.slice(skip, left)
        skip = max(0, skip - table.num_rows)
        if wanted.num_rows:
            parts = _parts(wanted) if payload else [wanted]
            yield from (with_payload(session, part, payload) if payload else part for part in parts)
        if left is not None:
            left -= wanted.num_rows
            if left <= 0:
                return


def _by_time(
    session: Session, selection: Selection, order: str, narrow: Sequence[str], descending: bool, place: bool
) -> Iterator[pa.Table]:
    """Window by window; with `place`, where the payload is."""
    if selection.exact is not None:
        for found in chunks(session, selection, descending=descending):
            with session.registered(found=found):
                table = narrow_rows(session, "SELECT * FROM found", (), order, narrow, place=place)
            yield table
        return
    for window in windows(session, selection, descending=descending, most=2 * MOST):
        inner = f"SELECT e.* FROM exchange e WHERE {window.condition}"
        yield narrow_rows(session, inner, window.parameters, order, narrow, place=place)


def _sorted(
    session: Session, selection: Selection, order: str, narrow: Sequence[str], of_end: bool, place: bool
) -> Iterator[pa.Table]:
    """Sorted once, by ids alone; then rows by their ids."""
    joins = sql.JOINS if of_end else ""
    with resolved(session, selection) as plain:
        ids = session.query(
            f"SELECT e.id FROM exchange e {joins} WHERE {plain.condition} ORDER BY {order}", plain.parameters
        )
    listed = sql.select_list(narrow, place=place)
    for start in range(0, ids.num_rows, SORTED_ROWS):
        part = ids.slice(start, SORTED_ROWS)
        part = part.append_column("number", pa.array(np.arange(part.num_rows)))
        with session.registered(part=part):
            table = session.query(
                f"SELECT {listed} FROM exchange e JOIN part ON part.id = e.id {sql.JOINS} ORDER BY part.number"
            )
        yield table


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    """Pieces whose payloads fit in the memory."""
    part_of = np.cumsum(table["_size"].to_numpy()) // PART_BYTES
    cuts = [0, *(np.flatnonzero(np.diff(part_of)) + 1).tolist(), table.num_rows]
    for start, end in pairwise(cuts):
        yield table.slice(start, end - start)
