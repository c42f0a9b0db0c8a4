"""HAR 1.2, the HTTP Archive that browsers' network panels open.

What HAR has no field for goes into fields that begin with `_`, as the specification asks: `_k8s` (who the two ends
are), `_tapper` (the record's id, outcome, notes), `_trailers`, `_messages` of streams; as Chrome's network panel names
them: `_resourceType`, `_error`, `_transferSize`, `_connectionId`, `_webSocketMessages`, `_eventSourceMessages`.
What is of another protocol has no entry; the comment of the log counts it.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from tapper.export.har_parts import cookies, headers, posted, query, set_cookies, text_or_base64, url
from tapper.export.single import message
from tapper.model.rows import exchange as exchange_of
from tapper.model.rows import plain
from tapper.model.text import iso
from tapper.model.words import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

    from tapper.model.records import Endpoint, Exchange, Half, Message

HTTP = ("http", "grpc", "websocket")
"""Protocols whose exchanges are HTTP requests underneath."""

_EVENTS = "text/event-stream"

_OPCODES = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
"""RFC 6455, section 11.8."""


def write(exchanges: Iterable[Exchange], sink: BinaryIO, left_out: Mapping[str, int] = MappingProxyType({})) -> None:
    """Writes a HAR file, an entry a line.

    Args:
        exchanges: of the protocols `HTTP`.
        sink: written from start to end, never sought.
        left_out: how many there are besides, by protocol; the file says so.
    """
    creator = json.dumps({"name": "tapper", "version": _version_of_tapper()})
    sink.write(f'{{"log": {{"version": "1.2", "creator": {creator}, "pages": [], "entries": ['.encode())
    separator = b"\n"
    for exchange in exchanges:
        sink.write(separator + json.dumps(entry(exchange)).encode())
        separator = b",\n"
    sink.write(b"\n]")
    if left_out:
        comment = json.dumps(telling(left_out))
        sink.write(f', "comment": {comment}'.encode())
    sink.write(b"}}\n")


def telling(left_out: Mapping[str, int]) -> str:
    """What there is to say of what was left out."""
    kinds = ", ".join(f"{count:,} {protocol}" for protocol, count in left_out.items())
    return f"HAR holds HTTP only; left out: {kinds}"


def _version_of_tapper() -> str:
    try:
        return version("tapper")
    except PackageNotFoundError:
        return "not installed"


def exchanges(tables: Iterable[pa.Table], messages: Callable[[str], tuple[Message, ...]]) -> Iterator[Exchange]:
    """What to write, of tables with all columns of rows and payloads: 200 times as fast as asking for each record.

    Args:
        tables: as a feed gives them.
        messages: gives those of the exchange of an id; asked only where there are any.
    """
    for table in tables:
        for row in plain(table):
            streamed = row["messages_sent"] or row["messages_received"]
            yield exchange_of(row, messages(str(row["id"])) if streamed else ())


def entry(exchange: Exchange) -> dict[str, Any]:
    """One entry of `log.entries`."""
    send, wait, receive = (_ms(ns) for ns in (exchange.send_ns, exchange.wait_ns, exchange.receive_ns))
    made: dict[str, Any] = {
        "startedDateTime": iso(exchange.time_ns),
        "time": round(send + wait + receive, 6),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        # Not seen from outside; the handshake belongs to the connection.
        "timings": {"blocked": -1, "dns": -1, "send": send, "wait": wait, "receive": receive},
        "serverIPAddress": exchange.dst.ip,
        "connection": str(exchange.dst.port),
        "_connectionId": str(exchange.connection),
        "_resourceType": "fetch",
        "_k8s": {"src": _end(exchange.src), "dst": _end(exchange.dst)} | _dialled(exchange),
        "_tapper": _about(exchange),
    }
    if _is_websocket(exchange):
        made["_resourceType"] = "websocket"
        made["_webSocketMessages"] = [_frame(one) for one in exchange.messages]
    elif exchange.response is not None and exchange.response.content_type == _EVENTS:
        made["_resourceType"] = "eventsource"
        made["_eventSourceMessages"] = [_event(one) for one in exchange.messages]
    elif exchange.messages:
        made["_messages"] = [message(one) for one in exchange.messages]
    return made


def _ms(ns: int | None) -> float:
    """Milliseconds; HAR wants 0 of a phase that did not come to be."""
    return max(ns or 0, 0) / 1e6


def _request(exchange: Exchange) -> dict[str, Any]:
    half = exchange.request
    address = url(exchange, "ws" if _is_websocket(exchange) else "http")
    made: dict[str, Any] = {
        "method": half.header(":method") or (_method(exchange) or ""),
        "url": address,
        "httpVersion": _version(exchange),
        "cookies": cookies(half),
        "headers": headers(half.headers),
        "queryString": query(address),
        "headersSize": _size(half.head_bytes),
        "bodySize": _size(half.body_bytes),
    }
    if half.body:
        made["postData"] = posted(half)
    if half.trailers:
        made["_trailers"] = headers(half.trailers)
    return made


def _method(exchange: Exchange) -> str | None:
    """The operation of gRPC is the call's name."""
    if exchange.protocol == "grpc":
        return "POST"
    return "GET" if exchange.protocol == "websocket" else exchange.operation


def _response(exchange: Exchange) -> dict[str, Any]:
    made = _no_response(exchange) if exchange.response is None else _answer(exchange, exchange.response)
    if exchange.outcome not in ("ok", "client_error", "server_error"):
        made["_error"] = exchange.error or OUTCOMES.get(exchange.outcome, exchange.outcome)
    return made


def _no_response(exchange: Exchange) -> dict[str, Any]:
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": _version(exchange),
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _answer(exchange: Exchange, half: Half) -> dict[str, Any]:
    made: dict[str, Any] = {
        "status": _status(exchange, half),
        "statusText": exchange.reason or "",
        "httpVersion": _version(exchange),
        "cookies": set_cookies(half),
        "headers": headers(half.headers),
        "content": _content(half),
        "redirectURL": half.header("location") or "",
        "headersSize": _size(half.head_bytes),
        "bodySize": _size(half.body_bytes),
        "_transferSize": (half.head_bytes or 0) + (half.body_bytes or 0),
    }
    if half.trailers:
        made["_trailers"] = headers(half.trailers)
    return made


def _status(exchange: Exchange, half: Half) -> int:
    """The status of HTTP; that of gRPC is in `_tapper`."""
    if exchange.protocol == "http":
        return exchange.status or 0
    said = half.header(":status") or ""
    known = int(said) if said.isascii() and said.isdigit() and len(said) == 3 else None
    return known if known is not None else 101 if exchange.protocol == "websocket" else 200


def _content(half: Half) -> dict[str, Any]:
    size = half.content_bytes if half.content_bytes is not None else len(half.body or b"")
    made: dict[str, Any] = {"size": size, "mimeType": half.header("content-type") or half.content_type or "x-unknown"}
    if half.content_type == _EVENTS:
        made["mimeType"] = _EVENTS  # Chrome shows events of this very type only, without a charset
    if half.content_bytes is not None and half.body_bytes is not None and half.content_bytes != half.body_bytes:
        made["compression"] = half.content_bytes - half.body_bytes
    if half.body:
        made |= text_or_base64(half.body, "encoding")
    if half.cut:
        made["comment"] = f"cut: the first {len(half.body or b'')} bytes were kept"
    return made


def _version(exchange: Exchange) -> str:
    if not exchange.version:
        return "unknown"
    number = exchange.version.upper().removeprefix("HTTP/")
    return f"HTTP/{number}" if "." in number else f"HTTP/{number}.0"


def _size(number: int | None) -> int:
    return -1 if number is None else number


def _is_websocket(exchange: Exchange) -> bool:
    return exchange.protocol == "websocket"


def _frame(one: Message) -> dict[str, Any]:
    """As Chrome exports them."""
    text = text_or_base64(one.body or b"", "_encoding")
    return {
        "type": "send" if one.direction == "sent" else "receive",
        "time": one.time_ns / 1e9,
        "opcode": _OPCODES.get(one.kind, 1),
        "data": text.pop("text"),
        **text,
    }


def _event(one: Message) -> dict[str, Any]:
    """As Chrome exports them; ids are not kept."""
    text = text_or_base64(one.body or b"", "_encoding")
    return {
        "time": one.time_ns / 1e9,
        "eventName": one.name or "message",
        "eventId": "",
        "data": text.pop("text"),
        **text,
    }


def _end(end: Endpoint) -> dict[str, Any]:
    known = ("name", "namespace", "service", "workload", "version", "pod", "container", "node", "process")
    return {"ip": end.ip, "port": end.port} | {
        name: value for name in known if (value := getattr(end, name)) is not None
    }


def _dialled(exchange: Exchange) -> dict[str, Any]:
    if exchange.dialled_ip is None:
        return {}
    return {"dialled": {"ip": exchange.dialled_ip, "port": exchange.dialled_port, "name": exchange.dialled_name}}


def _about(exchange: Exchange) -> dict[str, Any]:
    known = ("id", "protocol", "operation", "status", "status_text", "outcome", "latency_ns", "trace_id", "span_id")
    of_both = ("view", "server_latency_ns", "server_wait_ns")
    made = {name: value for name in (*known, *of_both) if (value := getattr(exchange, name)) is not None}
    return made | {"notes": list(exchange.notes), "interim": list(exchange.interim)}
