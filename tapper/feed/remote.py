"""The feed of a collector elsewhere, over its HTTP API."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from tapper.feed import documents
from tapper.feed.detail import SHOWN_MESSAGES
from tapper.feed.interface import ALWAYS, ConnectionQuery, Health, Map, Query, Span, Summary
from tapper.feed.rows import EXCHANGE_ROW, PAYLOAD_ROW
from tapper.feed.transport import ARROW, DisconnectedError, Place, Transport
from tapper.model.edges import EDGE, NODE
from tapper.model.records import Exchange, Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

PAGE_WITH_PAYLOAD = 1_000
"""Rows that the API gives at once with heads and bodies."""
RETRY_S = (0.5, 1.0, 2.0, 5.0)
"""Between attempts to follow again; the last for all further ones."""
CAUGHT_UP = 10_000
"""Rows at most that came while the connection was lost; what is beyond can be listed."""


class RemoteFeed:
    """`Feed` over the API at a place. It connects again by itself; `health().disconnected_ns`: since when it can't."""

    def __init__(self, place: Place) -> None:
        self._transport = Transport(place)
        self._health = Health()
        self._revision = 0

    def summary(self) -> Summary:
        """See Feed."""
        return documents.record(Summary, self._transport.document("/summary"))

    def health(self) -> Health:
        """See Feed; what was known last while the collector can't be reached."""
        try:
            self._health = documents.record(Health, self._transport.document("/health"))
        except DisconnectedError:
            return replace(self._health, disconnected_ns=self._transport.disconnected_ns)
        return self._health

    def revision(self) -> int:
        """See Feed; the last one while the collector can't be reached.

        Raises:
            DisconnectedError: it never could.
        """
        try:
            self._revision = int(self._transport.document("/revision")["revision"])
        except DisconnectedError:
            if not self._revision:
                raise
        return self._revision

    def page(self, query: Query) -> pa.Table:
        """See Feed."""
        if query.limit > PAGE_WITH_PAYLOAD and set(query.columns) & set(PAYLOAD_ROW.names):
            return pa.concat_tables(self.batches(query))
        return self._table("/exchanges", _of_query(query))

    def count(self, where: str = "", span: Span = ALWAYS) -> int:
        """See Feed."""
        return int(self._transport.document("/exchanges/count", _selected(where, span))["count"])

    def exchange(self, exchange_id: str) -> Exchange:
        """See Feed."""
        return documents.record(Exchange, self._transport.document(_path("/exchanges", exchange_id)))

    def messages(self, exchange_id: str, offset: int = 0, limit: int = SHOWN_MESSAGES) -> tuple[Message, ...]:
        """See Feed."""
        path = _path("/exchanges", exchange_id, "messages")
        found: list[Message] = []
        while True:
            wanted = min(limit - len(found), SHOWN_MESSAGES)
            rows = self._transport.document(path, {"offset": offset + len(found), "limit": wanted})["rows"]
            found += (documents.record(Message, row) for row in rows)
            if len(rows) < SHOWN_MESSAGES or len(found) >= limit:
                return tuple(found)

    def connections(self, query: ConnectionQuery) -> pa.Table:
        """See Feed."""
        return self._table("/connections", _of_connections(query))

    def count_connections(self, query: ConnectionQuery) -> int:
        """See Feed."""
        asked = _selected(query.where, query.span) | {"failed_only": query.failed_only}
        return int(self._transport.document("/connections/count", asked)["count"])

    def edges(self, level: str = "service", where: str = "", span: Span = ALWAYS) -> Map:
        """See Feed."""
        found = self._transport.document("/map", _selected(where, span) | {"level": level})
        return Map(
            documents.table(found["nodes"], NODE),
            documents.table(found["edges"], EDGE),
            found["level"],
            documents.record(Span, found["span"]),
            found["approximate"],
        )

    def timeline(
        self,
        level: str = "service",
        where: str = "",
        span: Span = ALWAYS,
        buckets: int = 60,
        nodes: tuple[int, int] | None = None,
    ) -> pa.Table:
        """See Feed."""
        edge = {} if nodes is None else {"src": nodes[0], "dst": nodes[1]}
        return self._table("/timeline", _selected(where, span) | {"level": level, "buckets": buckets} | edge)

    def timeline_sums(self, where: str = "", span: Span = ALWAYS, buckets: int = 60) -> pa.Table:
        """See Feed."""
        return self._table("/timeline/sums", _selected(where, span) | {"buckets": buckets})

    def values(self, column: str, where: str = "", span: Span = ALWAYS, limit: int = 20) -> pa.Table:
        """See Feed."""
        return self._table("/values", _selected(where, span) | {"column": column, "limit": limit})

    def counters(self) -> pa.Table:
        """See Feed."""
        return self._table("/counters", {})

    def batches(self, query: Query) -> Iterator[pa.Table]:
        """See Feed."""
        with self._transport.stream("/export/arrow", _of_query(query)) as response:
            yield from _tables(response)

    def follow(self, where: str = "", columns: tuple[str, ...] = ()) -> Iterator[pa.Table]:
        """See Feed. While the collector can't be reached, tables without rows; then what was recorded meanwhile."""
        asked = {"where": where, "columns": columns}
        wanted = columns or tuple(EXCHANGE_ROW.names)
        last, failures = None, 0
        while True:
            try:
                if failures and last is not None:
                    missed = Query(where, Span(last + 1), limit=CAUGHT_UP, columns=wanted)
                    yield from self.batches(missed)
                with self._transport.stream("/follow", asked) as response:
                    for table in _tables(response, empty=True):
                        failures = 0
                        if table.num_rows and "time" in table.schema.names:
                            last = max(last or 0, pc.max(table["time"]).value)
                        yield table
                return
            except DisconnectedError:
                if not failures and last is None and not self._revision:
                    raise
                wait = RETRY_S[min(failures, len(RETRY_S) - 1)]
                failures += 1
                until = time.monotonic() + wait
                while (left := until - time.monotonic()) > 0:
                    yield _no_rows(wanted)
                    time.sleep(min(left, 0.5))

    def packets(self, exchange_id: str) -> bytes:
        """See Feed."""
        return self._transport.body(_path("/exchanges", exchange_id, "packets"), accept="application/x-pcapng")

    def close(self) -> None:
        """See Feed."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _table(self, path: str, query: dict[str, Any]) -> pa.Table:
        return pa.ipc.open_stream(self._transport.body(path, query, ARROW)).read_all()


def open_remote(url: str, token: str = "") -> RemoteFeed:
    """The feed of the collector at a URL.

    Raises:
        FeedError: it can't be reached, or does not take the token.
    """
    feed = RemoteFeed(Place.of(url, token))
    try:
        feed.revision()
    except BaseException:
        feed.close()
        raise
    return feed


def _tables(response: Any, *, empty: bool = False) -> Iterator[pa.Table]:
    """The batches of an Arrow stream."""
    try:
        reader = pa.ipc.open_stream(response)
        for batch in reader:
            if batch.num_rows or empty:
                yield pa.Table.from_batches([batch])
    except pa.ArrowInvalid as error:
        raise ConnectionError(f"the answer was cut off: {error}") from error


def _no_rows(columns: tuple[str, ...]) -> pa.Table:
    return pa.schema([*EXCHANGE_ROW, *PAYLOAD_ROW]).empty_table().select(list(columns))


def _path(*parts: str) -> str:
    first, *rest = parts
    return "/".join([first, *(quote(part, safe="") or "-" for part in rest)])


def _selected(where: str, span: Span) -> dict[str, Any]:
    return {"where": where, "start": _bounded(span.start), "end": _bounded(span.end)}


def _bounded(time_ns: int | None) -> int | None:
    """Within the times that the API takes; nothing was recorded beyond."""
    return None if time_ns is None else min(max(time_ns, 0), 1 << 62)


def _of_query(query: Query) -> dict[str, Any]:
    after = {} if query.after is None else {"after_value": query.after.value, "after_id": query.after.id}
    return _selected(query.where, query.span) | {
        "order": query.order,
        "descending": query.descending,
        "limit": query.limit,
        "offset": query.offset,
        "columns": query.columns,
        **after,
    }


def _of_connections(query: ConnectionQuery) -> dict[str, Any]:
    return _selected(query.where, query.span) | {
        "failed_only": query.failed_only,
        "failed_first": query.failed_first,
        "order": query.order,
        "descending": query.descending,
        "limit": query.limit,
        "offset": query.offset,
    }
