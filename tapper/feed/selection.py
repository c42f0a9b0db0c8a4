"""Which rows are meant: a filter and a range of time as conditions of SQL, and the rows that fulfil them exactly."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tapper.model.schema import PAYLOAD
from tapper.store.segments import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.feed.interface import Span
    from tapper.filter import Record, Sql
    from tapper.store.session import Session

CHUNK = 32_768  # rows looked at together where all are gone through


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
    matched = pa.concat_tables(table.select(["id"]) for table in chunks(session, selection))
    with session.registered(matched=matched):
        yield Selection("e.id IN (SELECT id FROM matched)")


def chunks(session: Session, selection: Selection, *, descending: bool = False) -> Iterator[pa.Table]:
    """All rows of `exchange` that fulfil the selection exactly, by time and id, at most CHUNK at once."""
    order = "DESC" if descending else "ASC"
    order_by = f"ORDER BY e.time {order}, e.id {order}"
    rest = selection
    while True:
        # First where the chunk ends, from two columns: sorting whole rows to the same LIMIT takes ten times as long.
        end = session.query(
            f"SELECT e.time, e.id FROM exchange e WHERE {rest.condition} {order_by} LIMIT 1 OFFSET {CHUNK - 1}",
            rest.parameters,
        )
        here = rest
        if end.num_rows:
            until, beyond = _divided(end["time"][0].value, str(end["id"][0].as_py()), descending=descending)
            here, rest = here.also(*until), selection.also(*beyond)
        table = session.query(f"SELECT e.* FROM exchange e WHERE {here.condition} {order_by}", here.parameters)
        yield exactly(session, table, selection)
        if not end.num_rows:
            return


def _divided(
    time: int, key: str, *, descending: bool
) -> tuple[tuple[str, tuple[Any, ...]], tuple[str, tuple[Any, ...]]]:
    """Conditions for what is up to a row in the order of time and id, and for what is behind it."""
    up, behind = ("<", ">") if not descending else (">", "<")
    at = f"make_timestamp_ns({time})"
    return (
        (f"e.time {up}= {at} AND (e.time {up} {at} OR e.id {up}= CAST(? AS UUID))", (key,)),
        (f"e.time {behind}= {at} AND (e.time {behind} {at} OR e.id {behind} CAST(? AS UUID))", (key,)),
    )


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
    """The table with payload columns in the place of its columns _segment, _offset, _row."""
    places = table.select([f"_{c}" for c in PLACE]).rename_columns(list(PLACE))
    table = table.drop_columns([f"_{c}" for c in PLACE])
    parts = list(session.payloads.rows(places, columns))
    if parts:
        back = pa.array(np.argsort(np.concatenate([rows for rows, _ in parts])))
        payload = pa.concat_tables([part for _, part in parts]).take(back)
        for column in columns:
            table = table.append_column(PAYLOAD.field(column), payload[column])
        return table
    return pa.table(
        [*table.columns, *(pa.nulls(0, PAYLOAD.field(c).type) for c in columns)], [*table.column_names, *columns]
    )
