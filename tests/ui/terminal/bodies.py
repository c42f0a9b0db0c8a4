"""A call for each kind of body that has a view of its own."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING

from tests.feed.shop import ORDERS, WEB, call
from tests.store.records import engine_batch

if TYPE_CHECKING:
    from tests.store.records import EngineBatch

QUERY = "query Order($id: ID!) {\n  order(id: $id) { items { name price } }\n}"


def png(width: int, height: int) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * (height * (width + 1)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


BODIES: dict[str, tuple[str, bytes]] = {
    "form": ("application/x-www-form-urlencoded", b"name=Grace+Hopper&city=New%20York&tag=a&tag=b&empty="),
    "graphql": (
        "application/json",
        json.dumps({"operationName": "Order", "query": QUERY, "variables": {"id": "17"}}).encode(),
    ),
    "image": ("image/png", png(64, 32)),
    "protobuf": ("application/x-protobuf", b"\x08\x96\x01\x12\x06kettle\x1a\x04\x08\x02\x10\x03\x25\x00\x00\x80\x3f"),
    "ndjson": ("application/x-ndjson", b'{"n": 1}\n{"n": 2, "deep": {"a": [1, 2]}}\n'),
    "events": ("text/event-stream", b'event: news\nid: 7\ndata: {"a": 1}\n\n: ping\n\ndata: two\ndata: lines\n\n'),
}
"""Name -> content type, body."""


def batch() -> EngineBatch:
    """In the order of BODIES."""
    rows = []
    for n, (name, (kind, body)) in enumerate(BODIES.items()):
        rows.append(
            call(WEB, ORDERS, n, 10, id=n, operation="POST", target=f"/{name}")
            | {"request_headers": [("Content-Type", kind)], "request_content_type": kind}
            | {"request_body": body, "request_body_bytes": len(body)}
            | {"response_headers": [("Content-Type", kind)], "response_content_type": kind}
            | {"response_body": body, "response_body_bytes": len(body)}
        )
    return engine_batch(rows)
