"""One call seen twice is one record, in whatever order its views come."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector.ways import POD, VIP, WAY, shipment, steps, view
from tests.store.records import MS, SECOND

CLIENT, SERVER = "client's node", "server's node"


def test_both_views_become_one_record(tmp_path: Path) -> None:
    with steps(tmp_path / "x.tap") as made:
        made.step((CLIENT, shipment(0, rows=[view(1, "client")])), (SERVER, shipment(0, rows=[view(1, "server")])))
        made.finish()
        [row] = made.rows()
    assert row["view"] == "both"
    assert (row["latency_ns"], row["server_latency_ns"]) == (5 * MS + WAY, 5 * MS)
    assert (row["wait_ns"], row["server_wait_ns"]) == (5 * MS // 2 + WAY, 5 * MS // 2)
    assert (row["src_ip"], row["dst_ip"], row["dst_port"]) == ("10.0.1.4", POD, 8080)
    assert (row["dialled_ip"], row["dialled_port"]) == (VIP, 80)
    assert row["connection"] == 1001


def test_without_nat_nobody_else_was_dialled(tmp_path: Path) -> None:
    same = {"dst_ip": POD, "dst_port": 8080}
    with steps(tmp_path / "x.tap") as made:
        made.step(
            (CLIENT, shipment(0, rows=[view(1, "client", **same)])), (SERVER, shipment(0, rows=[view(1, "server")]))
        )
        made.finish()
        [row] = made.rows()
    assert (row["view"], row["dst_ip"], row["dialled_ip"], row["dialled_port"]) == ("both", POD, None, None)


def test_one_end_alone_stays_as_it_is(tmp_path: Path) -> None:
    with steps(tmp_path / "x.tap") as made:
        made.step((CLIENT, shipment(0, rows=[view(1, "client"), view(2, "client")])))
        made.step((SERVER, shipment(0, rows=[view(2, "server"), view(3, "server")])))
        made.finish()
        rows = made.rows()
    assert [(row["target"], row["view"], row["dialled_ip"]) for row in rows] == [
        ("/1", None, None),
        ("/2", "both", VIP),
        ("/3", None, None),
    ]


def test_the_capture_knows_whose_view_it_is(tmp_path: Path) -> None:
    # a server that answers before the client has sent all of its request may look slower than the client
    rows = [view(1, "client", view="client", latency_ns=1 * MS)], [view(1, "server", view="server", latency_ns=2 * MS)]
    with steps(tmp_path / "x.tap") as made:
        made.step((CLIENT, shipment(0, rows=rows[0])), (SERVER, shipment(0, rows=rows[1])))
        made.finish()
        [row] = made.rows()
    assert (row["latency_ns"], row["server_latency_ns"], row["dst_ip"]) == (1 * MS, 2 * MS, POD)


def test_two_captures_of_one_end_are_one_view(tmp_path: Path) -> None:
    with steps(tmp_path / "x.tap") as made:
        made.step(
            (CLIENT, shipment(0, rows=[view(1, "client", view="client")])),
            (SERVER, shipment(0, rows=[view(1, "client", view="client", id=77)])),
        )
        made.finish()
        [row] = made.rows()
    assert (row["view"], row["server_latency_ns"], row["dialled_ip"]) == ("client", None, None)


def test_clocks_don_t_matter(tmp_path: Path) -> None:
    with steps(tmp_path / "x.tap") as made:
        made.step((SERVER, shipment(0, rows=[view(1, "server", skew=-7 * SECOND)])))
        made.step((CLIENT, shipment(0, rows=[view(1, "client")])))
        made.finish()
        [row] = made.rows()
    assert (row["view"], row["latency_ns"], row["server_latency_ns"]) == ("both", 5 * MS + WAY, 5 * MS)


def test_a_view_that_comes_much_later(tmp_path: Path) -> None:
    with steps(tmp_path / "x.tap") as made:
        made.step((SERVER, shipment(0, rows=[view(1, "server"), view(2, "server")])))
        made.finish()
        first = {row["target"]: row["id"] for row in made.rows()}
        made.step((CLIENT, shipment(0, rows=[view(1, "client")])))
        made.finish()
        rows = made.rows()
    assert [(row["target"], row["view"], row["server_latency_ns"]) for row in rows] == [
        ("/1", "both", 5 * MS),
        ("/2", None, None),
    ]
    assert {row["target"]: row["id"] for row in rows} == first  # followers replace the row that they have
    assert [row["revision"] for row in rows] == [1, 0]
    assert rows[0]["latency_ns"] == 5 * MS + WAY


def test_a_stream_that_goes_on(tmp_path: Path) -> None:
    def at(side: str, revision: int, **changes: Any) -> dict[str, Any]:
        return view(1, side, revision=revision, messages_received=revision, notes=128, outcome="open", **changes)

    with steps(tmp_path / "x.tap") as made:
        for revision in range(4):
            made.step((CLIENT, shipment(revision, rows=[at("client", revision)])))
            made.step((SERVER, shipment(revision, rows=[at("server", revision)])))
        made.finish()
        [row] = made.rows()
    assert (row["view"], row["messages_received"], row["server_latency_ns"]) == ("both", 3, 5 * MS)
    assert row["latency_ns"] == 5 * MS + WAY


def test_a_slow_call_is_open_at_both_ends_before_its_answer_comes(tmp_path: Path) -> None:
    unanswered = {"response_seq": None, "latency_ns": None, "wait_ns": None, "status": None, "outcome": "open"}
    with steps(tmp_path / "x.tap") as made:
        made.step((CLIENT, shipment(0, rows=[view(1, "client", **unanswered)])))
        made.step((SERVER, shipment(0, rows=[view(1, "server", **unanswered)])))
        made.finish()
        assert [row["outcome"] for row in made.rows()] == ["open", "open"]
        made.step((SERVER, shipment(1, rows=[view(1, "server", revision=1)])))
        made.step((CLIENT, shipment(1, rows=[view(1, "client", revision=1)])))
        made.finish()
        [row] = made.rows()
    assert (row["view"], row["outcome"], row["latency_ns"], row["server_latency_ns"]) == (
        "both",
        "ok",
        5 * MS + WAY,
        5 * MS,
    )


def test_calls_that_were_not_answered_need_the_same_port(tmp_path: Path) -> None:
    lost = {"response_seq": None, "latency_ns": None, "status": None, "outcome": "timeout"}
    with steps(tmp_path / "x.tap") as made:
        made.step(
            (CLIENT, shipment(0, rows=[view(1, "client", **lost), view(2, "client", **lost)])),
            (SERVER, shipment(0, rows=[view(1, "server", **lost), view(2, "server", src_port=7, **lost)])),
        )
        made.finish()
        assert sorted((row["target"], row["view"] or "") for row in made.rows()) == [
            ("/1", "both"),
            ("/2", ""),
            ("/2", ""),
        ]


def test_a_question_by_datagram(tmp_path: Path) -> None:
    asked = {"protocol": "dns", "operation": "A", "request_seq": None, "response_seq": None}
    with steps(tmp_path / "x.tap") as made:
        made.step(
            (CLIENT, shipment(0, rows=[view(1, "client", **asked), view(2, "client", **asked)])),
            (SERVER, shipment(0, rows=[view(1, "server", **asked)])),
        )
        # asked twice from the same port, seen by one: two calls
        made.step((CLIENT, shipment(1, rows=[view(3, "client", **asked), view(3, "client", id=99, **asked)])))
        made.finish()
        assert [(row["target"], row["view"]) for row in made.rows()] == [
            ("/1", "both"),
            ("/2", None),
            ("/3", None),
            ("/3", None),
        ]


def test_connections_are_counted_once(tmp_path: Path) -> None:
    ends = {"src_ip": "10.0.1.4", "src_port": 40_001}
    of_client = {"id": 1001, "dst_ip": VIP, "dst_port": 80, **ends}
    of_server = {"id": 5001, "dst_ip": POD, "dst_port": 8080, **ends}
    with steps(tmp_path / "x.tap") as made:
        made.step((SERVER, shipment(0, rows=[view(1, "server")], connections=[{**of_server, "state": "open"}])))
        made.finish()
        made.step((CLIENT, shipment(0, rows=[view(1, "client")], connections=[{**of_client, "state": "open"}])))
        made.finish()
        made.step((SERVER, shipment(1, connections=[{**of_server, "revision": 1}])))
        made.step((CLIENT, shipment(1, connections=[{**of_client, "revision": 1}])))
        made.finish()
        found = made.session.query(
            "SELECT c.id, c.state, d.ip, c.dst_port FROM connection c JOIN endpoint d ON d.id = c.dst"
        ).to_pylist()
    assert found == [{"id": 1001, "state": "closed", "ip": POD, "dst_port": 8080}]


def test_the_better_capture_tells_what_was_said(tmp_path: Path) -> None:
    holes = {"notes": 2, "outcome": "incomplete", "status": None, "target": "/1"}
    with steps(tmp_path / "x.tap") as made:
        made.step(
            (CLIENT, shipment(0, rows=[view(1, "client", **holes)])), (SERVER, shipment(0, rows=[view(1, "server")]))
        )
        made.finish()
        [row] = made.rows()
        [(_, payload)] = made.session.payloads.rows(
            made.session.query('SELECT segment, "offset", row FROM exchange'), ["request_headers"]
        )
    assert (row["outcome"], row["status"], row["latency_ns"], row["view"]) == ("ok", 200, 5 * MS + WAY, "both")
    assert payload["request_headers"].to_pylist() == [[{"name": "x-side", "value": "server"}]]


# in any order

CALLS = 12
SEEN = st.lists(st.sampled_from(["client", "server", "both"]), min_size=1, max_size=CALLS)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(SEEN, st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_gives_the_same(seen: list[str], chance: Any, count: int) -> None:
    """Views in any order, in any batches, over any number of steps; some shipments come twice."""
    expected = sorted(
        (
            f"/{n}",
            "both" if s == "both" else None,
            5 * MS + (WAY if s != "server" else 0),
            5 * MS if s == "both" else None,
        )
        for n, s in enumerate(seen)
    )
    batches: list[tuple[str, list[dict[str, Any]]]] = []
    for side, agent in (("client", CLIENT), ("server", SERVER)):
        rows = [view(n, side) for n, s in enumerate(seen) if s in (side, "both")]
        chance.shuffle(rows)
        cuts = sorted(chance.randrange(len(rows) + 1) for _ in range(count))
        for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            if start < end:
                batches.append((agent, rows[start:end]))
    # each agent's shipments keep their order; those of the two meet in any way
    queues = {agent: [b for a, b in batches if a == agent] for agent in (CLIENT, SERVER)}
    with tempfile.TemporaryDirectory() as folder, steps(Path(folder) / "x.tap") as made:
        sent: dict[str, int] = {CLIENT: 0, SERVER: 0}
        while any(sent[agent] < len(queues[agent]) for agent in queues):
            came = []
            for _ in range(chance.randrange(1, 4)):
                agent = chance.choice(list(queues))
                if sent[agent] < len(queues[agent]):
                    one = shipment(sent[agent], rows=queues[agent][sent[agent]])
                    sent[agent] += 1
                    came += [(agent, one)] * chance.choice((1, 1, 2))
            made.step(*came)
        made.finish()
        rows = made.rows("target, view, latency_ns, server_latency_ns")
        assert sorted((r["target"], r["view"], r["latency_ns"], r["server_latency_ns"]) for r in rows) == expected
        assert made.acks == {(a, "b"): sent[a] - 1 for a in queues if sent[a]}
        assert made.refusals == []
