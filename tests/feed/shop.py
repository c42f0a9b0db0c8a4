"""A small shop's traffic, recorded as the engine would give it, for tests of what a feed says of it."""

from __future__ import annotations

import ipaddress
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tapper.feed.recorder import Recorder
from tapper.feed.session import SessionFeed
from tapper.identity.index import Identity
from tapper.identity.names import Claim, Names
from tapper.model.words import NOTES
from tapper.store.meta import Meta
from tapper.store.session import Session
from tests.store.records import MS, SCHEMA_MESSAGES, SECOND, T0, EngineBatch, engine_batch, exchange_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

META = Meta("test", "2025-06-15T15:06:40Z", ({"name": "shop.pcap", "bytes": 9000, "problem": None},))

WEB, ORDERS, PAYMENTS, KUBE_DNS, OUTSIDE = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.53", "93.184.216.34"

CLAIMS = [
    Claim(ipaddress.ip_network(ip), Names(None, "shop", service, name, version, pod=f"{name}-1"), "file")
    for ip, name, service, version in ((WEB, "web", None, None), (ORDERS, "orders", "orders", "2.1"))
]


def call(src: str, dst: str, at: float, latency_ms: float | None, **more: Any) -> dict[str, Any]:
    """An HTTP call `at` seconds after T0."""
    return {
        "src_ip": src,
        "dst_ip": dst,
        "time": T0 + int(at * SECOND),
        "latency_ns": None if latency_ms is None else int(latency_ms * MS),
        "operation": "GET",
        "target": "/",
        "status": 200,
        "request_head_bytes": 100,
        "response_head_bytes": 50,
        "response_body_bytes": 850,
        **more,
    }


def shop() -> EngineBatch:
    """web -> orders: 20 calls, 2 failed, 1 a client error; DNS; a slow call to payments; a stream; a refused one."""
    rows = [
        call(WEB, ORDERS, n, 10 + n, id=n, target=f"/orders/{n}", connection=n // 10 + 1, authority="orders.shop:80")
        for n in range(20)
    ]
    rows[3] |= {"status": 500, "outcome": "server_error"}
    rows[4] |= {"status": None, "outcome": "timeout", "latency_ns": None, "error": "no answer for 30 s"}
    rows[5] |= {"status": 404, "outcome": "client_error"}
    rows[6] |= {
        "operation": "POST",
        "request_headers": [("Host", "orders.shop:80"), ("X-Id", "a"), ("x-id", "b"), ("unknown", None)],
        "request_body": b'{"item": "kettle"}',
        "request_body_bytes": 18,
        "request_content_type": "application/json",
        "response_headers": [("Content-Type", "text/plain")],
        "response_trailers": [("Digest", "x")],
        "response_body": b"made",
        "response_reason": "Created",
        "interim": [100],
        "notes": NOTES["reused"][0] | NOTES["response_cut"][0],
    }
    answer = {"answers": [{"name": "payments.shop.svc.cluster.local", "type": "A", "ttl": 5, "data": PAYMENTS}]}
    rows.append(
        call(ORDERS, KUBE_DNS, 20, 1, id=20, protocol="dns", operation="A", target="payments.shop.svc.cluster.local")
        | {"status": 0, "status_text": "NOERROR", "response_body": json.dumps(answer).encode(), "dst_port": 53}
    )
    rows.append(call(ORDERS, PAYMENTS, 21, 1800, id=21, target="/charge", connection=4))
    rows.append(
        call(WEB, ORDERS, 22, 5, id=22, target="/news", connection=5, outcome="open")
        | {"notes": NOTES["stream"][0], "messages_sent": 0, "messages_received": 3}
    )
    rows.append(call(ORDERS, OUTSIDE, 23, 90, id=23, target="/rates", authority="rates.example.com", connection=6))
    messages = [
        {
            "exchange": exchange_id(22, T0 + 22 * SECOND),
            "index": n,
            "time": T0 + (22 + n) * SECOND,
            "body": b"news %d" % n,
        }
        for n in range(3)
    ]
    connections = [
        {"id": 1, "src_ip": WEB, "dst_ip": ORDERS, "exchanges": 10},
        {"id": 2, "src_ip": WEB, "dst_ip": ORDERS, "exchanges": 10, "state": "reset"},
        {"id": 4, "src_ip": ORDERS, "dst_ip": PAYMENTS},
        {"id": 7, "src_ip": ORDERS, "dst_ip": "10.0.9.3", "protocol": "unknown", "state": "refused", "exchanges": 0}
        | {"reason": "nothing listens there"},
        {
            "id": 8,
            "src_ip": WEB,
            "dst_ip": OUTSIDE,
            "protocol": "tls",
            "server_name": "rates.example.com",
            "exchanges": 0,
        },
    ]
    counters = [
        {"stage": "stream", "name": "gaps", "value": 2},
        {"stage": "stream", "name": "gap_bytes", "value": 2000},
        {"stage": "stream", "name": "segments", "value": 500},
        {"stage": "flow", "name": "evicted", "value": 0},
    ]
    return engine_batch(rows, connections, messages, counters)


@contextmanager
def recorded(path: Path, batches: Iterable[EngineBatch], claims: list[Claim] = CLAIMS) -> Iterator[SessionFeed]:
    """The feed of a session with these batches, closed and opened again."""
    with Session.create(path, META) as session:
        recorder = Recorder(session, SCHEMA_MESSAGES, Identity(claims))
        for batch in batches:
            recorder.add(batch)
        recorder.finish(packets=700)
    with SessionFeed(Session.open(path)) as feed:
        yield feed
