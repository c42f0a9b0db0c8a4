"""Maps for tests: a small shop, and tables made of few words."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tapper.model.edges import EDGE, NODE
from tapper.servicemap.graph import ServiceMap, build

MS = 1_000_000
START = 1_700_000_000_000_000_000
END = START + 300 * 1_000 * MS


def node(name: str, namespace: str | None = "shop", kind: str = "service", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "kind": kind, "addresses": [], "name_source": "file", **more}


def edge(
    src: int, dst: int, protocol: str = "http", calls: int = 0, p95_ms: float | None = None, **more: Any
) -> dict[str, Any]:
    p95 = None if p95_ms is None else int(p95_ms * MS)
    figures: dict[str, Any] = dict.fromkeys((f.name for f in EDGE if f.type == pa.int64()), 0)
    figures |= {
        "src": src,
        "dst": dst,
        "protocol": protocol,
        "calls": calls,
        "rate": calls / 300,
        "p50_ns": p95 and p95 // 4,
        "p95_ns": p95,
        "p99_ns": p95 and p95 * 2,
        "max_ns": p95 and p95 * 3,
        "connections": 1,
        "first": START,
        "last": END,
    }
    return figures | more


def tables(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> tuple[pa.Table, pa.Table]:
    numbered = [{"node": number, **row} for number, row in enumerate(nodes)]
    return pa.Table.from_pylist(numbered, schema=NODE), pa.Table.from_pylist(edges, schema=EDGE)


def servicemap(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], **options: Any) -> ServiceMap:
    return build(*tables(nodes, edges), **{"start_ns": START, "end_ns": END} | options)


SHOP_NODES = [
    node("web", addresses=["10.0.1.4"]),
    node("orders"),
    node("payments"),
    node("news"),
    node("news-redis"),
    node("kube-dns", "kube-system"),
    node("api.stripe.com", None, "external", name_source="sni"),
    node("10.0.9.3", None, "address", name_source="address"),
]
SHOP_EDGES = [
    edge(0, 1, "http", 12_300, 210, errors=258, client_errors=40),
    edge(0, 3, "grpc", 3_100, 38),
    edge(1, 2, "http", 3_600, 1_200, errors=252),
    edge(1, 3, "grpc", 900, 41),
    edge(3, 4, "redis", 24_000, 0.6),
    edge(0, 5, "dns", 400, 1.1),
    edge(1, 5, "dns", 200, 1.4),
    edge(2, 6, "tls", connections=312, bytes_sent=3_000_000),
    edge(1, 7, "tcp", connections=41, refused=41),
    edge(0, 3, "ws", streams=3, open_streams=1, stream_messages=420),
    edge(3, 1, "http", 7, 18),
]


def shop(**changes: Any) -> ServiceMap:
    return servicemap(SHOP_NODES, [{**row, **changes} for row in SHOP_EDGES])
