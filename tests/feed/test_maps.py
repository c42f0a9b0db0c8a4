"""The service map and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tapper.feed import maps, rows
from tapper.feed.interface import FeedError, Span
from tapper.model.edges import EDGE, NODE
from tests.feed.shop import CLAIMS, ORDERS, WEB, call, recorded
from tests.store.records import MS, SECOND, T0, engine_batch

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.feed.interface import Map
    from tapper.feed.session import SessionFeed


def drawn(found: Map) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Edges by (source, destination, protocol)."""
    assert found.nodes.schema == NODE
    assert found.edges.schema == EDGE
    names = {n["node"]: n["name"] for n in found.nodes.to_pylist()}
    return {(names[e["src"]], names[e["dst"]], e["protocol"]): e for e in found.edges.to_pylist()}


def nodes(found: Map) -> dict[str, dict[str, Any]]:
    return {n["name"]: n for n in found.nodes.to_pylist()}


def test_every_pair_that_talked_or_tried_is_an_edge(feed: SessionFeed) -> None:
    assert set(drawn(feed.edges())) == {
        ("web", "orders", "http"),
        ("orders", "10.0.0.53", "dns"),
        ("orders", "payments", "http"),
        ("orders", "rates.example.com", "http"),
        ("orders", "10.0.9.3", "tcp"),
        ("web", "rates.example.com", "tls"),
    }


def test_the_figures_of_an_edge(feed: SessionFeed) -> None:
    edge = drawn(feed.edges())["web", "orders", "http"]
    latencies = sorted(10 + n for n in range(20) if n != 4)
    expected = {
        "calls": 20,
        "errors": 2,
        "client_errors": 1,
        "p50_ns": latencies[9] * MS,
        "p95_ns": latencies[18] * MS,
        "p99_ns": latencies[18] * MS,
        "max_ns": latencies[18] * MS,
        "bytes_sent": 21 * 100 + 18,
        "bytes_received": 21 * 900,
        "streams": 1,
        "open_streams": 1,
        "stream_messages": 3,
        "connections": 2,
        "refused": 0,
        "unanswered": 0,
        "reset": 1,
    }
    assert {name: edge[name] for name in expected} == expected
    assert edge["rate"] == pytest.approx(20 / 23)


def test_a_connection_without_a_call_has_an_edge_of_its_own(feed: SessionFeed) -> None:
    edge = drawn(feed.edges())["orders", "10.0.9.3", "tcp"]
    assert (edge["calls"], edge["connections"], edge["refused"], edge["p95_ns"]) == (0, 1, 1, None)


def test_nodes_say_what_they_are(feed: SessionFeed) -> None:
    found = nodes(feed.edges())
    assert {name: (n["kind"], n["namespace"], n["name_source"]) for name, n in found.items()} == {
        "web": ("workload", "shop", "file"),
        "orders": ("service", "shop", "file"),
        "payments": ("service", "shop", "dns"),
        "10.0.0.53": ("address", None, "address"),
        "10.0.9.3": ("address", None, "address"),
        "rates.example.com": ("external", None, "sni"),
    }
    assert found["web"]["addresses"] == [WEB]


def test_other_levels(feed: SessionFeed) -> None:
    assert ("web-1", "orders-1", "http") in drawn(feed.edges("pod"))
    assert ("web", "orders", "http") in drawn(feed.edges("workload"))
    assert ("web", "orders 2.1", "http") in drawn(feed.edges("version"))
    assert (WEB, ORDERS, "http") in drawn(feed.edges("address"))
    assert {n["kind"] for n in feed.edges("address").nodes.to_pylist()} == {"address"}
    with pytest.raises(FeedError, match="service, workload, version, pod, address"):
        feed.edges("planet")


def test_a_filter_that_speaks_of_ends_keeps_connections_without_calls(feed: SessionFeed) -> None:
    found = drawn(feed.edges(where='src.workload == "orders"'))
    assert ("orders", "10.0.9.3", "tcp") in found
    assert ("web", "orders", "http") not in found


@pytest.mark.parametrize("where", ["status >= 500", 'method == "GET" && !request.body.contains("x") && status >= 500'])
def test_a_filter_that_speaks_of_calls_leaves_only_theirs(feed: SessionFeed, where: str) -> None:
    [(key, edge)] = drawn(feed.edges(where=where)).items()
    assert key == ("web", "orders", "http")
    assert (edge["calls"], edge["errors"], edge["connections"]) == (1, 1, 1)


def test_a_range_of_time_is_what_the_rate_refers_to(feed: SessionFeed) -> None:
    found = feed.edges(span=Span(T0, T0 + 10 * SECOND))
    assert drawn(found)["web", "orders", "http"]["rate"] == 1.0
    assert found.span == Span(T0, T0 + 10 * SECOND)


def test_a_map_of_nothing_is_empty(feed: SessionFeed) -> None:
    found = feed.edges(span=Span(0, 1))
    assert (found.nodes.num_rows, found.edges.num_rows) == (0, 0)
    assert (found.nodes.schema, found.edges.schema) == (NODE, EDGE)


def test_pods_of_one_service_are_one_node(tmp_path: Path) -> None:
    import ipaddress

    from tapper.identity.names import Claim, Names

    twins = [
        Claim(ipaddress.ip_network(f"10.0.1.{n}"), Names(namespace="shop", service="news", pod=f"news-{n}"), "file")
        for n in range(20)
    ]
    batch = engine_batch([call(WEB, f"10.0.1.{n}", n, 1, id=n) for n in range(20)])
    with recorded(tmp_path / "x.tap", [batch], [*CLAIMS, *twins]) as feed:
        assert drawn(feed.edges())["web", "news", "http"]["calls"] == 20
        assert len(nodes(feed.edges())["news"]["addresses"]) == 16
        assert feed.edges("pod").edges.num_rows == 20


def test_too_many_calls_for_exact_percentiles_are_estimated(feed: SessionFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = drawn(feed.edges())
    monkeypatch.setattr(maps, "MAX_EXACT", 10)
    found = feed.edges()
    assert found.approximate
    for key, edge in drawn(found).items():
        for name in edge:
            expected = exact[key][name]
            near = expected is not None and name in ("p50_ns", "p95_ns", "p99_ns")
            assert edge[name] == (pytest.approx(expected, rel=0.006) if near else expected)


def test_a_timeline_has_the_calls_of_each_bucket(feed: SessionFeed) -> None:
    table = feed.timeline(buckets=12, span=Span(T0, T0 + 24 * SECOND))
    assert table.schema == rows.TIMELINE
    numbers = {n["name"]: n["node"] for n in feed.edges().nodes.to_pylist()}
    edge = [r for r in table.to_pylist() if (r["src"], r["dst"]) == (numbers["web"], numbers["orders"])]
    assert [(r["bucket"], r["calls"], r["errors"]) for r in edge] == [(n, 2, {1: 1, 2: 1}.get(n, 0)) for n in range(10)]
    assert edge[1]["p95_ns"] == 13 * MS
    assert {r["time"].timestamp() - T0 // SECOND for r in edge} == {2.0 * n for n in range(10)}
    of_one = feed.timeline(buckets=12, span=Span(T0, T0 + 24 * SECOND), nodes=(numbers["web"], numbers["orders"]))
    assert of_one.to_pylist() == edge


def test_sums_over_time_are_those_of_all_edges(feed: SessionFeed) -> None:
    for asked in ({}, {"where": "status >= 500"}, {"span": Span(T0, T0 + 24 * SECOND)}, {"buckets": 7}):
        sums: dict[int, list[int]] = {}
        for row in feed.timeline(**asked).drop_columns(["time"]).to_pylist():
            one = sums.setdefault(row["bucket"], [0, 0])
            one[0] += row["calls"]
            one[1] += row["errors"]
        table = feed.timeline_sums(**asked)
        assert table.schema == rows.TIMELINE_SUMS
        found = table.drop_columns(["time"]).to_pylist()
        assert found == [{"bucket": n, "calls": calls, "errors": errors} for n, (calls, errors) in sorted(sums.items())]
        assert 0 < len(found) <= asked.get("buckets", 60)
    assert feed.timeline_sums(where="status == 999").num_rows == 0
    with pytest.raises(FeedError, match="buckets"):
        feed.timeline_sums(buckets=10_001)


def test_a_timeline_covers_what_there_is(feed: SessionFeed) -> None:
    buckets = feed.timeline(buckets=5)["bucket"].to_pylist()
    assert (min(buckets), max(buckets)) == (0, 4)
    assert feed.timeline(where="status == 999").num_rows == 0
    with pytest.raises(FeedError):
        feed.timeline(buckets=0)


@pytest.mark.parametrize(
    ("ip", "inside"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.9.9", True),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd00:1::2", True),
        ("fe80::1", True),
        ("2001:db8::1", False),
        ("110.1.2.3", False),
    ],
)
def test_which_addresses_are_inside(ip: str, inside: bool) -> None:
    assert duckdb.sql("SELECT regexp_matches(?, ?)", params=[ip, maps.PRIVATE]).fetchall() == [(inside,)]
