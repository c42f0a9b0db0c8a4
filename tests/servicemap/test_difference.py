"""What changed between two maps, and what is not worth a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.servicemap.difference import Difference, Thresholds, compare, document, text
from tests.servicemap.maps import edge, node, servicemap, shop

if TYPE_CHECKING:
    from tapper.servicemap.graph import ServiceMap

NODES = [node("web"), node("orders"), node("payments"), node("x\x1b[2J\u202e", None, "external")]


def difference(before: list[dict[str, Any]], after: list[dict[str, Any]], **options: Any) -> Difference:
    # The second map numbers its nodes the other way round: names count, numbers don't.
    turned = [row | {"src": 3 - row["src"], "dst": 3 - row["dst"]} for row in after]
    return compare(servicemap(NODES, before), servicemap(NODES[::-1], turned), **options)


def only(before: dict[str, Any], after: dict[str, Any]) -> str | None:
    changes = difference([before], [after]).changes
    assert len(changes) <= 1
    return f"{changes[0].kind}: {changes[0].why}" if changes else None


def test_a_map_does_not_differ_from_itself() -> None:
    assert compare(shop(), shop()).changes == ()
    assert (
        text(compare(shop(), shop())) == "no difference (11 edges in both; 1 with too few calls to compare latencies)\n"
    )


def test_new_and_gone() -> None:
    found = difference([edge(0, 1, "http", 100, 5)], [edge(0, 1, "grpc", 300, 5)])
    assert [(c.kind, c.protocol, c.why) for c in found.changes] == [
        ("new", "grpc", "300 calls (1/s), none before"),
        ("gone", "http", "none any more, 100 calls (0.33/s) before"),
    ]
    assert (found.changes[0].src, found.changes[0].dst) == (("shop", "web"), ("shop", "orders"))


def test_gone_may_be_chance_when_the_other_map_is_short() -> None:
    before = servicemap(NODES, [edge(0, 1, calls=30)])
    after = servicemap(NODES, [], end_ns=before.start_ns + 10_000_000_000)
    change = compare(before, after).changes[0]
    assert change.likely_chance
    assert change.why.endswith("30 calls (0.1/s) before; may be chance: at that rate 1.0 calls were to be expected")


@pytest.mark.parametrize(
    ("calls", "p95_ms", "said"),
    [
        ((1_204, 212), (12.4, 1_800), "slower: p95 12.4 ms -> 1.80 s (145.2 x), of 1,204 and 212 calls"),
        ((100, 100), (100, 140), None),
        ((100, 100), (0.5, 5), None),
        ((100, 19), (10, 900), None),
        ((100, 100), (None, 900), None),
        ((100, 100), (900, 1), None),
        ((20, 20), (0, 50), "slower: p95 0 ms -> 50.0 ms, of 20 and 20 calls"),
    ],
)
def test_slower(calls: tuple[int, int], p95_ms: tuple[float | None, float], said: str | None) -> None:
    assert only(*(edge(0, 1, calls=n, p95_ms=p95) for n, p95 in zip(calls, p95_ms, strict=True))) == said


@pytest.mark.parametrize(
    ("calls", "errors", "said"),
    [
        ((1_204, 212), (1, 15), "more_errors: failing calls <0.1 % of 1,204 -> 7.1 % of 212"),
        ((10, 10), (0, 2), None),
        ((10**6, 10**6), (0, 5_000), None),
        ((100, 100), (90, 1), None),
    ],
)
def test_more_errors(calls: tuple[int, int], errors: tuple[int, int], said: str | None) -> None:
    assert only(*(edge(0, 1, calls=n, errors=bad) for n, bad in zip(calls, errors, strict=True))) == said


def test_connections_that_begin_to_fail_are_errors_too() -> None:
    before, after = edge(0, 1, "tcp", connections=12), edge(0, 1, "tcp", connections=41, refused=41)
    assert only(before, after) == "more_errors: failing connections 0 % of 12 -> 100 % of 41"


def test_worst_first_and_an_edge_may_change_in_two_ways() -> None:
    before = [edge(0, 1, calls=100, p95_ms=10), edge(1, 2, calls=100, p95_ms=10)]
    after = [edge(0, 1, calls=100, p95_ms=30, errors=50), edge(1, 2, calls=100, p95_ms=300)]
    kinds = [(c.kind, c.dst[1]) for c in difference(before, after).changes]
    assert kinds == [("slower", "payments"), ("slower", "orders"), ("more_errors", "orders")]


def test_thresholds_can_be_chosen() -> None:
    strict = Thresholds(slower_factor=1.1, slower_ns=0)
    rows = [edge(0, 1, calls=100, p95_ms=100)], [edge(0, 1, calls=100, p95_ms=140)]
    assert len(difference(*rows, thresholds=strict).changes) == 1


def test_text_for_people_is_safe_for_their_terminal() -> None:
    found = difference(
        [edge(0, 1, calls=100, p95_ms=10)], [edge(0, 1, calls=90, p95_ms=300), edge(2, 3, "\x9b2J", 500)]
    )
    assert text(found).splitlines() == [
        "new          shop/payments -> x␛[2J\\u202e  \\x9b2J  500 calls (1.7/s), none before",
        "slower       shop/web -> shop/orders  http  p95 10.0 ms -> 300 ms (30.0 x), of 100 and 90 calls",
        "1 new, 1 slower (1 edges in both)",
    ]


def test_document_is_json() -> None:
    found = difference([], [edge(2, 3, "tcp", connections=3, unanswered=3)])
    change = json.loads(json.dumps(document(found)))["changes"][0]
    assert change["dst"] == {"namespace": None, "name": "x\x1b[2J\u202e"}
    assert (change["kind"], change["why"]) == ("new", "3 of 3 connections failed, none before")
    assert (change["before"], change["after"]["unanswered"]) == (None, 3)


def test_levels_must_be_the_same() -> None:
    with pytest.raises(ValueError, match="a map by pod can't be compared with one by service"):
        compare(servicemap([], [], level="pod"), servicemap([], []))


EDGES = st.lists(
    st.builds(
        edge,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(["http", "tcp"]),
        st.integers(0, 1000),
        st.none() | st.integers(0, 5_000),
        errors=st.integers(0, 3),
        refused=st.integers(0, 3),
        streams=st.integers(0, 2),
    ),
    max_size=4,
    unique_by=lambda row: (row["src"], row["dst"], row["protocol"]),
)


@settings(max_examples=50, deadline=None)
@given(EDGES, EDGES)
def test_the_order_of_the_tables_does_not_matter(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    def made(rows: list[dict[str, Any]]) -> ServiceMap:
        return servicemap(NODES, rows)

    found = compare(made(before), made(after))
    assert compare(made(before[::-1]), made(after[::-1])) == found
    assert text(found)
    json.dumps(document(found))
