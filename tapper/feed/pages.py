"""Lists of exchanges and connections with names, page by page."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.feed import columns as sql
from tapper.feed import rows
from tapper.feed.interface import FeedError
from tapper.feed.selection import chunks, resolved, select, with_payload
from tapper.store.tables import EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.feed.interface import ConnectionQuery, Query, Span
    from tapper.feed.selection import Selection
    from tapper.store.session import Session

MAX_PAGE = 100_000  # rows; more come as batches
FAILED = "e.state IN ('refused', 'unanswered', 'reset')"


def page(session: Session, query: Query) -> pa.Table:
    """See Feed.page."""
    _check_page(query.limit, query.offset)
    narrow, payload = sql.split(query.columns)
    order = order_by(query.order, rows.EXCHANGE_ROW, descending=query.descending)
    selection = select(query.where, query.span)
    if query.after is not None:
        selection = selection.also(*after(query))
    window = f"LIMIT {query.limit} OFFSET {query.offset}"
    if selection.exact is not None and query.order == "time":
        # the first that match are found without looking at all
        found = _first(chunks(session, selection, descending=query.descending), query.offset + query.limit)
        with session.registered(found=found):
            inner = f"SELECT * FROM found e ORDER BY {order} {window}"
            return named(session, inner, (), order, narrow, payload)
    with resolved(session, selection) as plain:
        joins = sql.JOINS if sql.of_end(query.order) else ""
        inner = f"SELECT e.* FROM exchange e {joins} WHERE {plain.condition} ORDER BY {order} {window}"
        return named(session, inner, plain.parameters, order, narrow, payload)


def named(
    session: Session,
    inner: str,
    parameters: Sequence[Any],
    order: str,
    narrow: Sequence[str],
    payload: Sequence[str],
) -> pa.Table:
    """Names and payload for the narrow rows that a statement gives."""
    table = narrow_rows(session, inner, parameters, order, narrow, place=bool(payload))
    return with_payload(session, table, payload) if payload else table


def narrow_rows(
    session: Session, inner: str, parameters: Sequence[Any], order: str, columns: Sequence[str], *, place: bool
) -> pa.Table:
    """Names for the narrow rows that a statement gives; with `place`, where their payload is (see select_list)."""
    listed = sql.select_list(columns, place=place)
    return session.query(f"SELECT {listed} FROM ({inner}) e {sql.JOINS} ORDER BY {order}", parameters)


def _first(tables: Iterator[pa.Table], count: int) -> pa.Table:
    found: list[pa.Table] = []
    have = 0
    while have < count and (table := next(tables, None)) is not None:
        found.append(table)
        have += table.num_rows
    return pa.concat_tables(found or [EXCHANGE.empty_table()])


def _check_page(limit: int, offset: int) -> None:
    if not 0 <= limit <= MAX_PAGE or not 0 <= offset < 1 << 62:
        raise FeedError(f"a page has at most {MAX_PAGE} rows, and no negative offset")


def order_by(column: str, row: pa.Schema, *, descending: bool) -> str:
    """The ORDER BY of rows `e` with ends `s` and `d`; checked."""
    direction = "DESC" if descending else "ASC"
    return f"{sql.check_order(column, row)} {direction} NULLS LAST, e.id {direction}"


def after(query: Query) -> tuple[str, tuple[Any, ...]]:
    """The condition for what comes behind a key in the order of the query."""
    if query.after is None:
        return "TRUE", ()
    try:
        key = str(uuid.UUID(query.after.id))
    except ValueError as error:
        raise FeedError(f"{query.after.id}: not the id of an exchange") from error
    column, later = sql.expression(query.order), "<" if query.descending else ">"
    value = query.after.value
    if value is None:
        return f"{column} IS NULL AND e.id {later} CAST(? AS UUID)", (key,)
    kind = rows.EXCHANGE_ROW.field(query.order).type
    at = {pa.timestamp("ns"): "make_timestamp_ns(?)", pa.uuid(): "CAST(? AS UUID)"}.get(kind, "?")
    behind = f"{column} {later}= {at} AND ({column} {later} {at} OR e.id {later} CAST(? AS UUID))"
    return f"({behind}) OR {column} IS NULL", (value, value, key)


def count(session: Session, where: str, span: Span) -> int:
    """See Feed.count."""
    selection = select(where, span)
    if selection.exact is not None:
        return sum(table.num_rows for table in chunks(session, selection))
    return number(session, "exchange", selection)


def _connection_selection(query: ConnectionQuery) -> Selection:
    selection = select(query.where, query.span, "connection")
    return selection.also(FAILED) if query.failed_only else selection


def connections(session: Session, query: ConnectionQuery) -> pa.Table:
    """See Feed.connections."""
    _check_page(query.limit, query.offset)
    selection = _connection_selection(query)
    order = order_by(query.order, rows.CONNECTION_ROW, descending=query.descending)
    if query.failed_first:
        order = f"{FAILED} DESC, {order}"
    joins = sql.JOINS if sql.of_end(query.order) else ""
    inner = (
        f"SELECT e.* FROM connection e {joins} WHERE {selection.condition} ORDER BY {order}"
        f" LIMIT {query.limit} OFFSET {query.offset}"
    )
    return named(session, inner, selection.parameters, order, rows.CONNECTION_ROW.names, ())


def count_connections(session: Session, query: ConnectionQuery) -> int:
    """See Feed.count_connections."""
    return number(session, "connection", _connection_selection(query))


def number(session: Session, table: str, selection: Selection) -> int:
    """Rows of a table that a selection without an exact condition has."""
    text = f"SELECT count(*) AS n FROM {table} e WHERE {selection.condition}"
    found: int = session.query(text, selection.parameters)["n"][0].as_py()
    return found


def values(session: Session, column: str, where: str, span: Span, limit: int) -> pa.Table:
    """See Feed.values."""
    expression = sql.check_order(column, rows.EXCHANGE_ROW)
    _check_page(limit, 0)
    with resolved(session, select(where, span)) as selection:
        joins = sql.JOINS if sql.of_end(column) else ""
        return session.query(
            f"SELECT CAST({expression} AS VARCHAR) AS value, count(*) AS count FROM exchange e {joins}"
            f" WHERE {selection.condition} AND {expression} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit}",
            selection.parameters,
        )
