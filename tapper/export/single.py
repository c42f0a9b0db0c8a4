"""One exchange as a document of the same shape as the rows of `shape`, with its messages."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tapper.model.text import iso

if TYPE_CHECKING:
    from tapper.model.records import Exchange, Half, Header, Message


def document(exchange: Exchange) -> dict[str, Any]:
    """For `json.dumps` and YAML; None where nothing is known."""
    response = _half(exchange.response)
    return {
        "id": exchange.id,
        "time": iso(exchange.time_ns),
        **{name: getattr(exchange, name) for name in ("protocol", "version", "operation", "target", "authority")},
        **{name: getattr(exchange, name) for name in ("status", "status_text", "outcome", "error")},
        **{name: getattr(exchange, name) for name in ("send_ns", "wait_ns", "receive_ns", "latency_ns")},
        "src": asdict(exchange.src),
        "dst": asdict(exchange.dst),
        "view": exchange.view,
        "server": {"latency_ns": exchange.server_latency_ns, "wait_ns": exchange.server_wait_ns},
        "dialled": {"ip": exchange.dialled_ip, "port": exchange.dialled_port, "name": exchange.dialled_name},
        "request": _half(exchange.request),
        "response": response and response | {"reason": exchange.reason, "interim": list(exchange.interim)},
        **{name: getattr(exchange, name) for name in ("connection", "stream", "trace_id", "span_id")},
        "messages_sent": exchange.messages_sent,
        "messages_received": exchange.messages_received,
        "notes": list(exchange.notes),
        "messages": [message(one) for one in exchange.messages],
    }


def _half(half: Half | None) -> dict[str, Any] | None:
    if half is None:
        return None
    return {
        "head_bytes": half.head_bytes,
        "body_bytes": half.body_bytes,
        "content_bytes": half.content_bytes,
        "content_type": half.content_type,
        "headers": _headers(half.headers),
        "trailers": _headers(half.trailers),
        **body(half.body),
    }


def _headers(headers: tuple[Header, ...]) -> list[dict[str, str | None]]:
    return [{"name": name, "value": value} for name, value in headers]


def message(one: Message) -> dict[str, Any]:
    """One message of a stream."""
    return {
        "index": one.index,
        "time": iso(one.time_ns),
        "direction": one.direction,
        "kind": one.kind,
        "name": one.name,
        "bytes": one.bytes,
        "content_bytes": one.content_bytes,
        **body(one.body),
        "notes": list(one.notes),
    }


def body(data: bytes | None) -> dict[str, str | None]:
    """Text where it is UTF-8, else base64 and a word that says so."""
    if data is None:
        return {"body": None, "body_encoding": None}
    try:
        return {"body": data.decode(), "body_encoding": None}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(data).decode(), "body_encoding": "base64"}
