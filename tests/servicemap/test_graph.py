"""Tables to graph, what is kept of a large one, and where nodes are placed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.servicemap.graph import build, is_dead, largest
from tapper.servicemap.labels import edge_lines, edge_tooltip, latency_colour, pen_width
from tapper.servicemap.layers import places
from tests.servicemap.maps import END, START, edge, node, servicemap, shop, tables


def test_nodes_and_edges_of_the_tables() -> None:
    graph = shop().graph
    assert list(graph)[:2] == ["shop/web", "shop/orders"]
    assert graph.nodes["shop/web"]["addresses"] == ["10.0.1.4"]
    assert set(graph["shop/web"]["shop/news"]) == {"grpc", "ws"}
    assert graph["shop/web"]["shop/orders"]["http"]["first"] == START


def test_the_time_looked_at_is_that_of_the_records_if_not_given() -> None:
    whole = build(*tables([node("a"), node("b")], [edge(0, 1, calls=1, first=5, last=2_000_000_005)]))
    assert (whole.start_ns, whole.end_ns, whole.seconds) == (5, 2_000_000_005, 2.0)
    assert build(*tables([], [])).seconds == 0


def test_names_that_look_alike_stay_apart() -> None:
    names = [node("a/b", None), node("b", "a"), node("x\n", None), node("x␊", None)]
    assert list(servicemap(names, []).graph) == ["a/b", "a/b (2)", "x␊", "x␊ (2)"]


def test_the_largest_part_keeps_what_fails_and_what_is_busy() -> None:
    whole = shop()
    part = largest(whole, nodes=5, edges=4)
    kept = [(src, dst, edge["protocol"]) for src, dst, edge in part.edges()]
    assert ("shop/orders", "10.0.9.3", "tcp") in kept
    assert ("shop/news", "shop/news-redis", "redis") in kept
    assert (len(part.graph), len(kept)) == (5, 4)
    assert (part.hidden_nodes, part.hidden_edges) == (3, 7)
    assert largest(whole, 8, 11) is whole


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        (edge(0, 1, "http", 12_300, 210, errors=258), ["http 41/s", "p95 210 ms, ✗ 2.1 %"]),
        (edge(0, 1, "http", 7, 18), ["http 0.02/s", "max 54.0 ms"]),
        (edge(0, 1, "http", 3, errors=3), ["http 0.01/s", "✗ 100 %"]),
        (edge(0, 1, "tcp", connections=41, refused=41), ["tcp", "✗ refused 41 of 41"]),
        (edge(0, 1, "tcp", connections=4, unanswered=4), ["tcp", "✗ unanswered 4 of 4"]),
        (
            edge(0, 1, "http", 30, 1, connections=9, refused=1, unanswered=2),
            ["http 0.1/s", "p95 1.00 ms, ✗ failed 3 of 9"],
        ),
        (edge(0, 1, "ws", streams=1), ["ws 1 stream"]),
        (edge(0, 1, "tls", connections=1_482), ["tls 1,482 conn."]),
    ],
)
def test_an_edge_says_how_much_how_slow_and_what_fails(row: dict[str, object], lines: list[str]) -> None:
    assert edge_lines(row) == lines


def test_a_tooltip_says_everything() -> None:
    row = edge(0, 1, "http", 100, 12, errors=2, streams=2, stream_messages=9, reset=1, bytes_sent=2048)
    assert edge_tooltip(row) == [
        "http",
        "100 calls, 0.33/s",
        "errors 2 (2.0 %), client errors 0 (0 %)",
        "p50 3.00 ms, p95 12.0 ms, p99 24.0 ms, max 36.0 ms",
        "2 streams (0 open), 9 messages",
        "sent 2.0K, received 0",
        "1 connection: 1 reset",
        "2023-11-14T22:13:20.000000000Z to 2023-11-14T22:18:20.000000000Z",
    ]


def test_dead_is_an_edge_through_which_nothing_came() -> None:
    assert is_dead(edge(0, 1, refused=1))
    assert is_dead(edge(0, 1, calls=3, errors=3, unanswered=1))
    assert not is_dead(edge(0, 1, calls=3, errors=2, refused=9))
    assert not is_dead(edge(0, 1))


@settings(deadline=None)
@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_slower_is_never_lighter(a: int, b: int) -> None:
    def light(ns: int) -> int:
        colour = latency_colour(edge(0, 1, calls=100) | {"p95_ns": ns})
        return int(0.2126 * int(colour[1:3], 16) + 0.7152 * int(colour[3:5], 16) + 0.0722 * int(colour[5:7], 16))

    assert light(max(a, b)) <= light(min(a, b)) + 1


@settings(deadline=None)
@given(st.floats(0, allow_infinity=False))
def test_a_line_is_never_too_thin_or_thick(rate: float) -> None:
    assert 1 <= pen_width(edge(0, 1, rate=rate)) <= 6


RINGS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), unique=True, max_size=40)


@settings(deadline=None)
@given(RINGS, st.lists(st.sampled_from(["shop", "kube-system", None]), min_size=12, max_size=12))
def test_places_are_taken_once_and_namespaces_share_no_row(
    pairs: list[tuple[int, int]], spaces: list[str | None]
) -> None:
    nodes = [node(str(number), space) for number, space in enumerate(spaces)]
    whole = servicemap(nodes, [edge(src, dst) for src, dst in pairs])
    where = places(whole)
    assert len(set(where.values())) == len(where) == 12
    rows: dict[str | None, list[float]] = {}
    for name, data in whole.nodes():
        rows.setdefault(data["namespace"], []).append(where[name][1])
    spans = sorted((min(group), max(group)) for group in rows.values())
    assert all(low[1] < high[0] for low, high in pairwise(spans))
    assert places(whole) == where


def test_callers_stand_left_of_whom_they_call() -> None:
    whole = shop()
    where = places(whole)
    back = [(src, dst) for src, dst, _ in whole.edges() if where[src][0] >= where[dst][0]]
    assert back == [("shop/news", "shop/orders")]


def test_a_long_chain_and_a_self_call_are_placed() -> None:
    count = 5_000
    nodes = [node(str(number)) for number in range(count)]
    edges = [edge(number, number + 1) for number in range(count - 1)] + [edge(0, 0)]
    where = places(servicemap(nodes, edges))
    assert where["shop/0"][0] == 0
    assert where[f"shop/{count - 1}"][0] == count - 1


def test_times_are_whole_nanoseconds() -> None:
    whole = servicemap([node("a")], [edge(0, 0, first=START + 1, last=END + 7)])
    assert [(e["first"], e["last"]) for *_, e in whole.edges()] == [(START + 1, END + 7)]
