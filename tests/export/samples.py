"""Records to export: rows as a feed gives them, and the same as dataclasses."""

from __future__ import annotations

import uuid
from typing import Any

import pyarrow as pa

from tapper.model import rows, schema
from tapper.model.records import Exchange, Message
from tapper.model.words import NOTES

ENDS = ("name", "name_source", "namespace", "service", "workload", "version", "pod", "container", "node", "process")


def _text_for_words(fields: pa.Schema) -> list[pa.Field]:
    return [pa.field(f.name, pa.utf8()) if f.type == schema.WORD else f for f in fields]


ROW = pa.schema(
    [
        *_text_for_words(schema.JOINED),
        *(pa.field(f"{end}_{name}", pa.utf8()) for end in ("src", "dst") for name in ENDS),
        pa.field("dialled_name", pa.utf8()),
    ]
)
WHOLE = pa.schema([*ROW, *(f for f in schema.PAYLOAD if f.name != "id")])

TIME = 1_700_000_000_123_456_789
ID = uuid.UUID("0190a7c2-0000-7000-8000-000000000001")


def headers(*pairs: tuple[str | None, str | None]) -> list[dict[str, str | None]]:
    return [{"name": name, "value": value} for name, value in pairs]


def notes(*names: str) -> int:
    return sum(NOTES[name][0] for name in names)


ORDER: dict[str, Any] = {
    "id": ID.bytes,
    "revision": 0,
    "time": TIME,
    "protocol": "http",
    "version": "1.1",
    "operation": "POST",
    "target": "/orders?q=a%20b&flag",
    "authority": "orders.shop:8080",
    "status": 503,
    "outcome": "server_error",
    "send_ns": 300_000,
    "wait_ns": 1_798_000_000,
    "receive_ns": 100_001,
    "latency_ns": 1_798_400_001,
    "src_ip": "10.0.1.4",
    "src_port": 40_001,
    "dst_ip": "10.96.0.7",
    "dst_port": 8080,
    "view": "client",
    "request_head_bytes": 180,
    "request_body_bytes": 12,
    "request_content_bytes": 12,
    "request_content_type": "application/json",
    "response_head_bytes": 120,
    "response_body_bytes": 40,
    "response_content_bytes": 60,
    "response_content_type": "text/plain",
    "connection": 2**63 + 5,
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "notes": notes("redacted", "reused"),
    "src_name": "web",
    "src_name_source": "file",
    "src_namespace": "shop",
    "src_service": "web",
    "dst_name": "orders",
    "dst_name_source": "dns",
    "dst_service": "orders",
    "request_headers": headers(
        ("Host", "orders.shop:8080"), ("Cookie", "a=1; b=<redacted:ab12cd>"), ("Content-Type", "application/json")
    ),
    "request_trailers": [],
    "request_body": b'{"item": 17}',
    "response_headers": headers(
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Set-Cookie", "s=1; Path=/; HttpOnly; Secure; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
        ("Set-Cookie", "t=2; Max-Age=5"),
    ),
    "response_trailers": headers(("Digest", "x")),
    "response_body": "no payments größe\n".encode(),
    "response_reason": "Service Unavailable",
    "interim": [103],
}

NO_ANSWER = ORDER | {
    "id": uuid.UUID(int=ID.int + 1).bytes,
    "status": None,
    "outcome": "timeout",
    "error": "no answer within 30 s",
    "wait_ns": None,
    "receive_ns": None,
    "latency_ns": None,
    **{name: None for name in WHOLE.names if name.startswith("response_")},
    "interim": None,
}
IMAGE = ORDER | {
    "id": uuid.UUID(int=ID.int + 2).bytes,
    "operation": "GET",
    "status": 200,
    "outcome": "ok",
    "request_body": None,
    "response_body": b"\x89PNG\xff",
    "response_content_bytes": None,
    "notes": notes("response_cut"),
}
LOOKUP = {name: value for name, value in ORDER.items() if not name.startswith(("request_", "response_", "interim"))} | {
    "id": uuid.UUID(int=ID.int + 3).bytes,
    "protocol": "dns",
    "operation": "A",
    "target": "=cmd|'/c calc'!A0",
    "status": 3,
    "status_text": "NXDOMAIN",
    "outcome": "client_error",
}


def table(*wanted: dict[str, Any], fields: pa.Schema = WHOLE) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in fields.names} for row in wanted], schema=fields)


def record(row: dict[str, Any], *messages: Message, **changes: Any) -> Exchange:
    (plain,) = rows.plain(table(row | changes))
    return rows.exchange(plain, messages)


def message(index: int, direction: str, kind: str, body: bytes | None) -> Message:
    size = len(body or b"")
    return Message(index, TIME + index, direction, kind, None, size, size, body, ())
