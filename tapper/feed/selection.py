"""Which rows are meant: a filter and a range of time as conditions of SQL, and the rows that fulfil them exactly."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tapper.model.schema import PAYLOAD
from tapper.store.segments import PLACE
from tapper.store.tables import EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.feed.interface import Span
    from tapper.filter import Record, Sql
    from tapper.store.session import Session

FIRST, MOST = 8_192, 32_768
"""Rows looked at together where all are gone through: few at first, as that may be enough for a page."""
BUCKETS = 1024


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions over a narrow row `e`; `exact`, with its payload `p` too, where `condition` may let through more."""

    condition: str
    parameters: tuple[Any, ...] = ()
    exact: Sql | None = None
    payload_columns: tuple[str, ...] = ()

    def also(self, condition: str, parameters: tuple[Any, ...] = ()) -> Selection:
        """With a further condition."""
        return replace(
            self, condition=f"{self.condition} AND ({condition})", parameters=(*self.parameters, *parameters)
        )


def select(where: str, span: Span, record: Record = "exchange") -> Selection:
    """The selection of a filter and a range of time.

    Raises:
        FilterError: the filter can't be understood.
    """
    parts = []
    if span.start is not None:
        parts.append(f"e.time >= make_timestamp_ns({int(span.start)})")
    if span.end is not None:
        parts.append(f"e.time < make_timestamp_ns({int(span.end)})")
    if not where.strip():
        return Selection(" AND ".join(parts) or "TRUE")
    from tapper.filter import parse

    compiled = parse(where, record).compile()
    return Selection(
        " AND ".join([*parts, f"({compiled.narrow.text})"]),
        compiled.narrow.params,
        compiled.exact,
        tuple(sorted(compiled.payload_columns)),
    )


@contextmanager
def resolved(session: Session, selection: Selection) -> Iterator[Selection]:
    """The selection as one that SQL over narrow rows can ask; in the block and in this thread only."""
    if selection.exact is None:
        yield selection
        return
    ids = [table.select(["id"]) for table in chunks(session, selection)]
    matched = pa.concat_tables(ids or [EXCHANGE.empty_table().select(["id"])])
    with session.registered(matched=matched):
        yield Selection("e.id IN (SELECT id FROM matched)")


def windows(session: Session, selection: Selection, *, descending: bool = False, most: int) -> Iterator[Selection]:
    """The selection cut into pieces of at most `most` rows that follow each other by time and id; small ones first.

    Ranges of time are chosen by a histogram: one look at all rows, whereas every LIMIT would be one more.
    """
    [whole] = session.query(
        "SELECT epoch_ns(min(e.time)) AS low, epoch_ns(max(e.time)) + 1 AS high, count(*) AS n FROM exchange e"
        f" WHERE {selection.condition}",
        selection.parameters,
    ).to_pylist()
    allowed = min(FIRST, most)
    ahead = [(whole["low"], whole["high"], whole["n"])] if whole["n"] else []  # the next one last
    while ahead:
        low, high, count = ahead.pop()
        while ahead and count + ahead[-1][2] <= allowed:
            near_low, near_high, more = ahead.pop()
            low, high, count = min(low, near_low), max(high, near_high), count + more
        here = selection.also(f"e.time >= make_timestamp_ns({low}) AND e.time < make_timestamp_ns({high})")
        if count <= most:
            yield here
            allowed = min(most, 2 * allowed)
        elif high - low == 1:
            yield from _by_id(session, here, descending=descending, most=most)
        else:
            pieces = _histogram(session, here, low, high)
            ahead += pieces if descending else pieces[::-1]


def _histogram(session: Session, selection: Selection, low: int, high: int) -> list[tuple[int, int, int]]:
    """Ranges of time from low to before high that have rows, and how many."""
    width = -(-(high - low) // BUCKETS)
    found = session.query(
        f"SELECT (epoch_ns(e.time) - {low}) // {width} AS bucket, count(*) AS n FROM exchange e"
        f" WHERE {selection.condition} GROUP BY bucket ORDER BY bucket",
        selection.parameters,
    ).to_pylist()
    starts = [low + row["bucket"] * width for row in found]
    return [(at, min(at + width, high), row["n"]) for at, row in zip(starts, found, strict=True)]


def _by_id(session: Session, selection: Selection, *, descending: bool, most: int) -> Iterator[Selection]:
    """Pieces of rows that all have the same time."""
    order, up, beyond = ("DESC", ">=", "<") if descending else ("ASC", "<=", ">")
    rest = selection
    while True:
        end = session.query(
            f"SELECT e.id FROM exchange e WHERE {rest.condition} ORDER BY e.id {order} LIMIT 1 OFFSET {most - 1}",
            rest.parameters,
        )
        if not end.num_rows:
            yield rest
            return
        last = (str(end["id"][0].as_py()),)
        yield rest.also(f"e.id {up} CAST(? AS UUID)", last)
        rest = selection.also(f"e.id {beyond} CAST(? AS UUID)", last)


def chunks(session: Session, selection: Selection, *, descending: bool = False) -> Iterator[pa.Table]:
    """All rows of `exchange` that fulfil the selection exactly, in tables that follow each other by time and id."""
    order = "DESC" if descending else "ASC"
    for window in windows(session, selection, descending=descending, most=MOST):
        text = f"SELECT e.* FROM exchange e WHERE {window.condition} ORDER BY e.time {order}, e.id {order}"
        yield exactly(session, session.query(text, window.parameters), selection)


def exactly(session: Session, table: pa.Table, selection: Selection) -> pa.Table:
    """Those of the rows (of table `exchange`, chosen by `condition`) that the exact condition holds for too.

    Payload batches are read one at a time, and of them only the columns that the condition is about.
    """
    if selection.exact is None or not table.num_rows:
        return table
    wanted = np.zeros(table.num_rows, bool)
    sql = f"SELECT e.number FROM looked_at e WHERE {selection.exact.text}"
    for rows, payload in session.payloads.rows(table, selection.payload_columns):
        looked_at = table.take(pa.array(rows)).append_column("number", pa.array(rows))
        # `p.request_body` is a field of this column to SQL: no join that might put rows in another order
        looked_at = looked_at.append_column("p", payload.to_struct_array())
        with session.registered(looked_at=looked_at):
            wanted[session.query(sql, selection.exact.params)["number"].to_numpy()] = True
    return table.filter(pa.array(wanted))


def with_payload(session: Session, table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The table with payload columns in the place of the hidden ones that tell where they are."""
    places = table.select([f"_{c}" for c in PLACE]).rename_columns(list(PLACE))
    table = table.select([c for c in table.column_names if not c.startswith("_")])
    fields = [PAYLOAD.field(c) for c in columns]
    parts = list(session.payloads.rows(places, columns))
    if not parts:
        return pa.table([*table.columns, *(pa.nulls(0, f.type) for f in fields)], [*table.column_names, *columns])
    back = pa.array(np.argsort(np.concatenate([rows for rows, _ in parts])))
    payload = pa.concat_tables([part for _, part in parts]).take(back)
    for field in fields:
        table = table.append_column(field, payload[field.name])
    return table
