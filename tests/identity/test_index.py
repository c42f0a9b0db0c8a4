"""Who had this address at this time: claims, hints, and what a later name may change."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapper.identity import index
from tapper.identity.endpoints import ENDPOINT_COLUMNS
from tapper.identity.index import Identity
from tapper.identity.names import Claim, Names
from tapper.store import tables
from tests.store.records import SECOND, T0, batch, exchanges

POD_A = Names(namespace="shop", pod="orders-1")
POD_B = Names(namespace="shop", pod="news-1")


def claim(ip: str, names: Names, **more: Any) -> Claim:
    return Claim(ipaddress.ip_network(ip), names, **{"source": "kubernetes", **more})


class Table:
    """The endpoint table as the store keeps it."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.rows: dict[int, dict[str, Any]] = {}

    def __getitem__(self, number: int) -> dict[str, Any]:
        for row in self.identity.changes().to_pylist():
            self.rows[row["id"]] = row
        return self.rows[int(number)]


def named(identity: Identity, table: Table, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Names of both ends of these exchanges, as they were right after."""
    src, dst = identity.ends(exchanges(rows))
    return [(table[s]["name"], table[d]["name"]) for s, d in zip(src, dst, strict=True)]


def test_the_columns_are_those_of_the_endpoint_table() -> None:
    assert list(ENDPOINT_COLUMNS) == tables.ENDPOINT.names
    assert Identity().changes().schema.types == tables.ENDPOINT.types


def test_an_unknown_address_is_called_by_itself() -> None:
    identity = Identity()
    table = Table(identity)
    assert named(identity, table, [{}]) == [("10.0.0.1", "10.0.0.2")]
    assert table[0]["name_source"] == "address"


def test_one_endpoint_for_one_address_over_batches() -> None:
    identity = Identity()
    first = identity.ends(exchanges([{}, {"src_ip": "10.0.0.2", "dst_ip": "10.0.0.1"}]))
    again = identity.ends(exchanges([{"time": T0 + SECOND}]))
    assert first[0].tolist() == [0, 1]
    assert first[1].tolist() == [1, 0]
    assert (again[0].tolist(), again[1].tolist()) == ([0], [1])


def test_an_address_that_changed_hands_names_each_row_by_its_time() -> None:
    identity = Identity(
        [
            claim("10.0.0.1", POD_A, start=T0, end=T0 + 10 * SECOND),
            claim("10.0.0.1", POD_B, start=T0 + 20 * SECOND),
        ]
    )
    times = [-1, 0, 9, 10, 19, 20, 100]
    names = named(identity, Table(identity), [{"time": T0 + t * SECOND} for t in times])
    assert [src for src, _ in names] == ["10.0.0.1", "orders-1", "orders-1", "10.0.0.1", "10.0.0.1", "news-1", "news-1"]


def test_the_two_nameless_times_of_an_address_are_two_endpoints() -> None:
    identity = Identity([claim("10.0.0.1", POD_A, start=T0, end=T0 + SECOND)])
    src, _ = identity.ends(exchanges([{"time": T0 - 1}, {"time": T0 + SECOND}]))
    assert src[0] != src[1]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([("10.0.0.0/8", "wide", {}), ("10.0.0.0/24", "narrow", {})], "narrow"),
        ([("10.0.0.1", "kubernetes", {}), ("10.0.0.0/8", "file", {"source": "file"})], "file"),
        ([("10.0.0.1", "any port", {}), ("10.0.0.1", "this port", {"port": 40000})], "this port"),
        ([("10.0.0.1", "any port", {}), ("10.0.0.1", "other port", {"port": 1})], "any port"),
        ([("10.0.0.1", "earlier", {"start": T0 - 9}), ("10.0.0.1", "later", {"start": T0 - 5})], "later"),
        ([("10.0.0.1", "process", {"source": "process"}), ("10.0.0.1", "kubernetes", {})], "kubernetes"),
    ],
)
def test_of_several_claims_the_most_trusted_then_the_most_exact_wins(claims: list[Any], expected: str) -> None:
    made = [claim(network, Names(name=name), **more) for network, name, more in claims]
    for order in (made, made[::-1]):
        identity = Identity(order)
        assert named(identity, Table(identity), [{}])[0][0] == expected


def test_ports_of_one_address_are_different_endpoints() -> None:
    identity = Identity([claim("127.0.0.1", Names(process=p), port=n) for p, n in (("gateway", 80), ("orders", 81))])
    ends = {"src_ip": "127.0.0.1", "dst_ip": "127.0.0.1"}
    rows = [{**ends, "dst_port": 80}, {**ends, "src_port": 80, "dst_port": 81}, {**ends, "dst_port": 9}]
    assert named(identity, Table(identity), rows) == [
        ("127.0.0.1", "gateway"),
        ("gateway", "orders"),
        ("127.0.0.1", "127.0.0.1"),
    ]


def test_a_claim_learnt_late_names_the_rows_before_if_it_was_true_then() -> None:
    identity = Identity()
    table = Table(identity)
    src, _ = identity.ends(exchanges([{"time": T0 + SECOND}]))
    identity.add(claim("10.0.0.1", POD_A, start=T0))
    assert table[src[0]]["name"] == "orders-1"
    assert identity.ends(exchanges([{"time": T0 + 2 * SECOND}]))[0].tolist() == src.tolist()


def test_a_claim_that_began_later_leaves_the_rows_before_alone() -> None:
    identity = Identity()
    table = Table(identity)
    src, _ = identity.ends(exchanges([{"time": T0}]))
    identity.add(claim("10.0.0.1", POD_A, start=T0 + SECOND))
    assert named(identity, table, [{"time": T0 + 2 * SECOND}, {"time": T0}])[0][0] == "orders-1"
    assert table[src[0]]["name"] == "10.0.0.1"


def test_a_pod_that_died_keeps_its_rows_when_its_address_is_used_again() -> None:
    alive = claim("10.0.0.1", POD_A, start=T0)
    identity = Identity([alive])
    table = Table(identity)
    src, _ = identity.ends(exchanges([{"time": T0 + SECOND}]))
    identity.replace(alive, claim("10.0.0.1", POD_A, start=T0, end=T0 + 5 * SECOND))
    identity.add(claim("10.0.0.1", POD_B, start=T0 + 6 * SECOND))
    assert named(identity, table, [{"time": T0 + 7 * SECOND}])[0][0] == "news-1"
    assert table[src[0]]["name"] == "orders-1"
    late, _ = identity.ends(exchanges([{"time": T0 + 2 * SECOND}]))  # a record of then that comes only now
    assert late.tolist() == src.tolist()


def test_more_that_is_learnt_of_a_holder_reaches_its_rows() -> None:
    pod = claim("10.0.0.1", POD_A, start=T0)
    identity = Identity([pod])
    table = Table(identity)
    src, _ = identity.ends(exchanges([{"time": T0 + SECOND}]))
    more = Names(namespace="shop", pod="orders-1", service="orders")
    identity.replace(pod, claim("10.0.0.1", more, start=T0))
    assert table[src[0]]["service"] == "orders"


def test_addresses_beyond_the_bound_get_new_endpoints_and_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_KNOWN", 2)
    identity = Identity([claim("10.0.0.1", POD_A)])
    table = Table(identity)
    for number in range(5):
        assert named(identity, table, [{"dst_ip": f"10.1.0.{number}"}]) == [("orders-1", f"10.1.0.{number}")]
    assert len(identity._slots) <= 4


def test_holders_of_one_address_beyond_the_bound_are_forgotten_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_KNOWN", 8)
    identity = Identity()
    table = Table(identity)
    for number in range(40):
        start = T0 + number * SECOND
        identity.add(claim("10.0.0.1", Names(pod=f"job-{number}"), start=start, end=start + SECOND))
        assert named(identity, table, [{"time": start}])[0][0] == f"job-{number}"
        assert len(identity._endpoints) <= 8 + 2
    assert identity.oldest > 30


# Hints


def learn(identity: Identity, rows: list[dict[str, Any]], bodies: list[bytes | None] | None = None) -> list[int]:
    made = exchanges(rows)
    _, dst = identity.ends(made)
    known = pa.array(bodies or [None] * len(rows), pa.binary())
    identity.learn(made, dst, lambda numbers: known.take(numbers))
    return [int(d) for d in dst]


def served(host: str, **more: Any) -> dict[str, Any]:
    return {"authority": host, "target": "/", "operation": "GET", **more}


def dns(name: str, *answers: tuple[str, str]) -> tuple[dict[str, Any], bytes]:
    row = {"protocol": "dns", "operation": "A", "target": name, "dst_ip": "10.0.0.53", "dst_port": 53}
    listed = [{"name": owner, "type": "A", "ttl": 5, "data": data} for owner, data in answers]
    return row, json.dumps({"answers": listed}).encode()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("orders.shop:8080", "orders.shop"),
        ("Orders.Shop.", "orders.shop"),
        ("10.0.0.2:8080", None),
        ("[fd00::1]:8080", None),
        ("127.1", None),
        ("localhost:80", None),
        ("a" * 300, None),
        ("evil\x1b[31m", None),
        ("", None),
        ("orders:http", None),
        ("-orders", None),
    ],
)
def test_a_host_header_names_the_server(host: str, name: str | None) -> None:
    identity = Identity()
    table = Table(identity)
    [dst] = learn(identity, [served(host)])
    assert table[dst]["name"] == (name or "10.0.0.2")
    assert table[dst]["name_source"] == ("host" if name else "address")


@pytest.mark.parametrize(
    "row",
    [
        served("shop.example", target="http://shop.example/"),
        served("shop.example", operation="CONNECT"),
        served("shop.example", outcome="client_error"),
    ],
)
def test_a_request_to_a_proxy_or_a_refused_one_names_nobody(row: dict[str, Any]) -> None:
    identity = Identity()
    table = Table(identity)
    [dst] = learn(identity, [row])
    assert table[dst]["name_source"] == "address"


def test_a_server_of_several_hosts_is_named_after_none() -> None:
    identity = Identity()
    table = Table(identity)
    first, _ = learn(identity, [served("shop.example"), served("shop.example")])
    assert table[first]["name"] == "shop.example"
    learn(identity, [served("api.example")])
    assert table[first]["name"] == "10.0.0.2"


def test_a_server_of_very_many_hosts_holds_few_of_them() -> None:
    identity = Identity()
    [first, *_] = learn(identity, [served(f"h{n}.example") for n in range(1000)])
    hints = identity._endpoints[first].hints
    assert hints is not None
    assert len(hints.host) < 10


def test_dns_tells_service_and_namespace_even_before_the_first_call() -> None:
    identity = Identity()
    table = Table(identity)
    row, body = dns("orders.shop.svc.cluster.local", ("orders.shop.svc.cluster.local", "10.0.0.2"))
    learn(identity, [row], [body])
    [dst] = learn(identity, [served("something.else")])
    found = table[dst]
    assert (found["name"], found["service"], found["namespace"]) == ("orders", "orders", "shop")
    assert found["name_source"] == "dns"


def test_dns_improves_a_name_learnt_from_a_host() -> None:
    identity = Identity()
    table = Table(identity)
    [dst] = learn(identity, [served("orders")])
    row, body = dns("orders.shop.svc.cluster.local", ("orders.shop.svc.cluster.local", "10.0.0.2"))
    learn(identity, [row], [body])
    assert table[dst]["service"] == "orders"


@pytest.mark.parametrize("claimed_first", [True, False])
def test_what_clients_call_an_address_says_more_than_which_node_has_it(claimed_first: bool) -> None:
    identity = Identity()
    table = Table(identity)
    on_node = claim("10.0.0.2", Names(node="node-a"), source="interface")
    if claimed_first:
        identity.add(on_node)
        [dst] = learn(identity, [{}])
        assert (table[dst]["name"], table[dst]["name_source"]) == ("node-a", "interface")
    [dst] = learn(identity, [served("api.example.org")])
    if not claimed_first:
        identity.add(on_node)
    assert (table[dst]["name"], table[dst]["name_source"]) == ("api.example.org", "host")
    assert table[dst]["node"] == "node-a"
    identity.add(claim("10.0.0.2", POD_A))
    [dst] = learn(identity, [served("api.example.org")])
    assert (table[dst]["name"], table[dst]["node"]) == ("orders-1", None)


def test_a_pod_of_a_headless_service_has_both_names() -> None:
    identity = Identity()
    table = Table(identity)
    for name in ("db-0.db.shop.svc.cluster.local", "db.shop.svc.cluster.local"):
        row, body = dns(name, (name, "10.0.0.2"))
        learn(identity, [row], [body])
    [dst] = learn(identity, [served("db")])
    assert table[dst]["service"] == "db"


def test_names_that_lead_to_one_canonical_name_take_that() -> None:
    identity = Identity()
    table = Table(identity)
    for name in ("www.example.com", "shop.example.com"):
        row, body = dns(name, ("lb.example.com", "10.0.0.2"))
        learn(identity, [row], [body])
    [dst] = learn(identity, [{}])
    assert table[dst]["name"] == "lb.example.com"


def test_where_dns_is_at_odds_a_host_header_does_not_decide() -> None:
    identity = Identity()
    table = Table(identity)
    for name in ("www.example.com", "shop.example.org"):
        row, body = dns(name, (name, "10.0.0.2"))
        learn(identity, [row], [body])
    [dst] = learn(identity, [served("www.example.com")])
    assert table[dst]["name"] == "10.0.0.2"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"answers": 3}',
        b'{"answers": [3, null, {"type": "A"}, {"type": "A", "name": 1, "data": "x"}]}',
        b'{"answers": [{"type": "TXT", "name": "orders", "data": "10.0.0.2"}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_broken_dns_body_names_nobody(body: bytes) -> None:
    identity = Identity()
    table = Table(identity)
    row, _ = dns("orders")
    learn(identity, [row], [body])
    [dst] = learn(identity, [{}])
    assert table[dst]["name_source"] == "address"


def test_a_tls_server_name_is_a_hint() -> None:
    identity = Identity()
    table = Table(identity)
    made = batch("connection", [{"id": 1, "server_name": "api.example.com"}, {"id": 2}])
    _, dst = identity.ends(made)
    identity.learn_servers(made, dst)
    assert (table[dst[0]]["name"], table[dst[0]]["name_source"]) == ("api.example.com", "sni")


def test_a_server_name_and_a_host_that_differ_name_nobody() -> None:
    identity = Identity()
    table = Table(identity)
    [dst] = learn(identity, [served("rates.example.com")])
    identity.learn_servers(
        batch("connection", [{"id": 1, "server_name": "api.example.com"}]), np.array([dst], np.int32)
    )
    assert table[dst]["name"] == "10.0.0.2"


def test_no_hint_goes_before_a_claim() -> None:
    identity = Identity([claim("10.0.0.2", POD_A, source="file")])
    table = Table(identity)
    [dst] = learn(identity, [served("evil.example")])
    assert (table[dst]["name"], table[dst]["name_source"]) == ("orders-1", "file")


def test_a_hint_names_only_the_holder_of_its_time() -> None:
    identity = Identity([claim("10.0.0.2", POD_A, start=T0, end=T0 + SECOND)])
    table = Table(identity)
    before, during, after = learn(identity, [{"time": T0 - 1}, {"time": T0}, served("new", time=T0 + SECOND)])
    assert [table[e]["name"] for e in (before, during, after)] == ["10.0.0.2", "orders-1", "new"]


hosts = st.lists(
    st.sampled_from(["orders", "orders.shop", "orders.shop.svc.cluster.local", "news", "a.orders", "x.example"]),
    min_size=1,
    max_size=6,
)


@given(given_hosts=hosts, shuffled=st.randoms())
def test_the_order_of_hints_does_not_matter(given_hosts: list[str], shuffled: Any) -> None:
    names = []
    for _ in range(2):
        identity = Identity()
        table = Table(identity)
        [dst, *_] = learn(identity, [served(h) for h in given_hosts])
        names.append(table[dst]["name"])
        shuffled.shuffle(given_hosts)
    assert names[0] == names[1]


pieces = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from(["file", "kubernetes"])), max_size=6
)


@given(pieces=pieces, times=st.lists(st.integers(-2, 22), min_size=1, max_size=20))
def test_naming_is_what_a_plain_search_would_find(pieces: list[tuple[int, int, str]], times: list[int]) -> None:
    claims = [
        claim("10.0.0.1", Names(name=f"n{i}"), source=s, start=T0 + a, end=T0 + b)
        for i, (a, b, s) in enumerate(pieces)
        if a < b
    ]
    identity = Identity(claims)
    table = Table(identity)
    got = [src for src, _ in named(identity, table, [{"time": T0 + t} for t in times])]
    for time, name in zip(times, got, strict=True):
        covering = [c for c in claims if (c.start or 0) <= T0 + time < (c.end or 0)]
        best = max(covering, key=lambda c: (c.source == "file", c.start, repr(c.names)), default=None)
        assert name == (best.names.name if best else "10.0.0.1")


def test_ids_do_not_depend_on_how_rows_are_batched() -> None:
    rows = [{"src_ip": f"10.0.0.{n % 7}", "dst_ip": f"10.0.1.{n % 5}", "time": T0 + n} for n in range(50)]
    whole, split = Identity(), Identity()
    whole_src, _ = whole.ends(exchanges(rows))
    split_src = np.concatenate([split.ends(exchanges(rows[i : i + 10]))[0] for i in range(0, 50, 10)])
    whole_names, split_names = Table(whole), Table(split)
    assert [whole_names[i]["ip"] for i in whole_src] == [split_names[i]["ip"] for i in split_src]
