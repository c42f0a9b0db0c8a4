"""How each route is answered: a call of the feed, and its result as a document or an Arrow table."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.collector.api.errors import RequestError
from tapper.feed import documents
from tapper.feed.interface import ConnectionQuery, Key, Query, Span
from tapper.feed.rows import EXCHANGE_ROW, PAYLOAD_ROW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.export.packets import Dissected
    from tapper.feed.interface import Feed, Map

Values = dict[str, Any]
Document = dict[str, Any]

MOST_WITH_PAYLOAD = 1_000
"""Rows with heads and bodies at once: of 64 KiB each, 128 MB."""
SEEN_VALUES = 50
"""Values of a field that completion offers."""


def nothing(feed: Feed, values: Values) -> None:
    """For routes that are answered in a way of their own."""


def summary(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return documents.document(feed.summary())


def health(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return documents.document(feed.health())


def revision(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return {"revision": feed.revision()}


def span_of(values: Values, prefix: str = "") -> Span:
    """The range of time asked for."""
    return Span(values[f"{prefix}start"], values[f"{prefix}end"])


def query_of(values: Values) -> Query:
    """The query that the parameters of /exchanges and /export say."""
    return Query(
        where=values["where"],
        span=span_of(values),
        order=values["order"],
        descending=values["descending"],
        limit=values["limit"],
        offset=values["offset"],
        after=_after(values),
        columns=values["columns"],
    )


def _after(values: Values) -> Key | None:
    if values["after_id"] is None:
        if values["after_value"] is not None:
            raise RequestError("parameter", "after_value needs after_id, the id of the row to go on behind")
        return None
    value: int | str | None = values["after_value"]
    kind = EXCHANGE_ROW.field(values["order"]).type
    if value is not None and (pa.types.is_integer(kind) or pa.types.is_timestamp(kind)):
        try:
            value = int(str(value)[:21])
        except ValueError as error:
            raise RequestError("parameter", f"after_value is a number: {values['order']} is ordered by") from error
        highest = 1 << (62 if pa.types.is_timestamp(kind) else 64)
        if not -(1 << 62) <= value < highest:
            raise RequestError("parameter", "after_value is out of range")
    return Key(value, values["after_id"])


def exchanges(feed: Feed, values: Values) -> pa.Table:
    """See Feed.page."""
    if values["limit"] > MOST_WITH_PAYLOAD and set(values["columns"]) & set(PAYLOAD_ROW.names):
        raise RequestError("parameter", f"with heads or bodies limit is at most {MOST_WITH_PAYLOAD}; /export gives all")
    return feed.page(query_of(values))


def count(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return {"count": feed.count(values["where"], span_of(values))}


def exchange(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return documents.document(feed.exchange(values["id"]))


def messages(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return {"rows": _documents(feed.messages(values["id"], values["offset"], values["limit"]))}


def packets(feed: Feed, values: Values) -> Document | bytes:
    """See Feed; with format json, layer by layer: payloads only if the session has secrets as they were sent."""
    whole = feed.packets(values["id"])
    if values["format"] == "pcapng":
        return whole
    from tapper.export.packets import count, dissect

    shown = [_packet(packet) for packet in dissect(whole, payload=not feed.summary().redacted)]
    return {"packets": shown, "left_out": count(whole) - len(shown)}


def _packet(packet: Dissected) -> Document:
    return {
        "time": str(packet.time_ns),
        "bytes": packet.wire_length,
        "captured_bytes": packet.length,
        "summary": packet.summary,
        "layers": [
            {"name": layer.name, "fields": [{"name": name, "value": value} for name, value in layer.fields]}
            for layer in packet.layers
        ],
        "hex": packet.hex,
    }


def _connection_query(values: Values, **more: Any) -> ConnectionQuery:
    return ConnectionQuery(values["where"], span_of(values), values["failed_only"], **more)


def connections(feed: Feed, values: Values) -> pa.Table:
    """See Feed."""
    paging = ("failed_first", "order", "descending", "limit", "offset")
    return feed.connections(_connection_query(values, **{name: values[name] for name in paging}))


def count_connections(feed: Feed, values: Values) -> Document:
    """See Feed."""
    return {"count": feed.count_connections(_connection_query(values))}


def map_of(feed: Feed, values: Values, prefix: str = "") -> Map:
    """The map that the parameters say."""
    return feed.edges(values["level"], values["where"], span_of(values, prefix))


def service_map(feed: Feed, values: Values) -> Document:
    """See Feed.edges."""
    found = map_of(feed, values)
    return {
        "nodes": documents.rows(found.nodes),
        "edges": documents.rows(found.edges),
        "level": found.level,
        "span": documents.document(found.span),
        "approximate": found.approximate,
    }


def difference(feed: Feed, values: Values) -> Document:
    """What `tapper map --diff` says, of two ranges of time."""
    from tapper.export.map import graph
    from tapper.servicemap.difference import compare, document

    return document(compare(graph(map_of(feed, values, "before_")), graph(map_of(feed, values))))


def timeline(feed: Feed, values: Values) -> pa.Table:
    """See Feed."""
    src, dst = values["src"], values["dst"]
    if (src is None) != (dst is None):
        raise RequestError("parameter", "src and dst go together: the numbers of an edge's two nodes")
    nodes = None if src is None else (src, dst)
    return feed.timeline(values["level"], values["where"], span_of(values), values["buckets"], nodes)


def timeline_sums(feed: Feed, values: Values) -> pa.Table:
    """See Feed."""
    return feed.timeline_sums(values["where"], span_of(values), values["buckets"])


def values(feed: Feed, values: Values) -> pa.Table:
    """See Feed."""
    return feed.values(values["column"], values["where"], span_of(values), values["limit"])


def counters(feed: Feed, values: Values) -> pa.Table:
    """See Feed."""
    return feed.counters()


def filter_fields(feed: Feed, values: Values) -> Document:
    """What `tapper fields` lists."""
    from tapper.filter import fields

    return {"fields": [field.document() for field in fields(values["record"])]}


def check_filter(feed: Feed, values: Values) -> Document:
    """Whether a filter can be understood, and what is wrong with it; of one on requests what connections have too."""
    from tapper.filter import FilterError, for_connections, parse

    try:
        text = parse(values["where"], values["record"]).text
    except FilterError as error:
        shared: Document = {}
        if values["record"] == "connection":
            with contextlib.suppress(FilterError):
                shared["shared"] = for_connections(values["where"])
        return {
            **shared,
            "ok": False,
            "message": error.message,
            "position": error.position,
            "length": error.length,
            "hint": error.suggestion,
        }
    return {"ok": True, "text": text}


def completions(feed: Feed, values: Values) -> Document:
    """See `tapper.filter.complete`; values are those seen."""
    from tapper.filter import complete

    def seen(field: str) -> Iterable[str]:
        column = field.replace(".", "_")
        if column not in EXCHANGE_ROW.names:
            return ()
        found: list[str] = feed.values(column, limit=SEEN_VALUES)["value"].to_pylist()
        return found

    found = complete(values["text"], values["cursor"], values["record"], seen)
    return {"candidates": [asdict(candidate) for candidate in found]}


def _documents(records: Iterable[Any]) -> list[Document]:
    return [documents.document(record) for record in records]
