"""Outside hosts that are called alike become one node; nothing else does."""

from __future__ import annotations

from tapper.model.edges import EDGE
from tapper.servicemap.fold import _LATENCIES, _SUMS, fold_outside
from tests.servicemap.maps import END, START, edge, node, servicemap, shop

BUCKETS = [node(f"b{number}.s3.amazonaws.com", None, "external", addresses=[f"1.1.1.{number}"]) for number in range(5)]


def test_alike_hosts_are_one_node_with_the_sums() -> None:
    edges = [edge(0, number, "tls", 10, 5, connections=2, first=START - number) for number in range(1, 6)]
    edges[3] |= {"p95_ns": 70_000_000, "last": END + 9}
    folded = fold_outside(servicemap([node("web"), *BUCKETS], edges))
    assert [data["name"] for _, data in folded.nodes()] == ["web", "*.s3.amazonaws.com (5)"]
    assert folded.graph.nodes["b0.s3.amazonaws.com"]["addresses"] == [f"1.1.1.{number}" for number in range(5)]
    ((_, _, made),) = folded.edges()
    assert (made["calls"], made["connections"], made["p95_ns"]) == (50, 10, 70_000_000)
    assert (made["first"], made["last"]) == (START - 5, END + 9)


def test_every_figure_of_an_edge_is_folded() -> None:
    assert {*_SUMS, *_LATENCIES, "src", "dst", "protocol", "first", "last"} == set(EDGE.names)


def test_few_or_different_ones_stay() -> None:
    assert fold_outside(shop()).graph is not None
    three = servicemap([node("web"), *BUCKETS[:3]], [edge(0, number, "tls") for number in range(1, 4)])
    assert fold_outside(three) is three
    one_refuses = [edge(0, number, "tcp", connections=1, refused=int(number == 5)) for number in range(1, 6)]
    left = fold_outside(servicemap([node("web"), *BUCKETS], one_refuses))
    assert [data["name"] for _, data in left.nodes()] == ["web", "*.s3.amazonaws.com (4)", "b4.s3.amazonaws.com"]
    inside = [node(f"pod-{number}", "shop", "pod") for number in range(6)]
    pods = servicemap([node("web"), *inside], [edge(0, number) for number in range(1, 7)])
    assert fold_outside(pods) is pods


def test_hosts_without_a_common_domain_and_addresses_are_counted() -> None:
    hosts = [node(name, None, "external") for name in ("a.com", "b.com", "c.org", "d.net")]
    addresses = [node(f"10.0.0.{number}", None, "address") for number in range(4)]
    edges = [edge(0, number, "tls") for number in range(1, 9)]
    folded = fold_outside(servicemap([node("web"), *hosts, *addresses], edges))
    assert [data["name"] for _, data in folded.nodes()] == ["web", "4 outside hosts", "4 addresses"]
