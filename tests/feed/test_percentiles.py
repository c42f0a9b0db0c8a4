"""Percentiles by edge: against sorted lists, by level and filter, and of one state of the session."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tapper.feed.percentiles import SHARES
from tapper.feed.recorder import Recorder
from tapper.feed.session import SessionFeed
from tapper.identity.index import Identity
from tapper.store.session import Session
from tests.feed.shop import CLAIMS, META, ORDERS, PAYMENTS, WEB, call, recorded
from tests.store.records import SCHEMA_MESSAGES, engine_batch

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

PAIRS = ((WEB, ORDERS), (ORDERS, PAYMENTS), (WEB, PAYMENTS), ("10.0.7.1", WEB), ("10.0.7.2", WEB))
Edge = tuple[str, str, str]


def calls(count: int, protocols: tuple[str, ...], most_ms: float) -> list[dict[str, Any]]:
    chosen = random.Random(count)
    latencies = [0, most_ms, None, *(chosen.uniform(0, most_ms) for _ in range(count))]
    return [
        call(*chosen.choice(PAIRS), number, latency, id=number, protocol=chosen.choice(protocols))
        for number, latency in enumerate(latencies)
    ]


def expected(rows: list[dict[str, Any]], longer_than_ns: int) -> dict[Edge, dict[str, int | None]]:
    """By the nearest rank, as the standard says of percentiles that are values themselves (ISO/IEC 9075-2, 10.9)."""
    latencies: dict[Edge, list[int]] = defaultdict(list)
    for row in rows:
        latency = row["latency_ns"]
        if longer_than_ns < 0 or (latency is not None and latency > longer_than_ns):
            latencies[row["src_ip"], row["dst_ip"], row["protocol"]] += [] if latency is None else [latency]
    return {
        edge: {
            name: sorted(found)[math.ceil(len(found) * share) - 1] if found else None for name, share in SHARES.items()
        }
        for edge, found in latencies.items()
    }


def by_address(edges: pa.Table, nodes: pa.Table) -> dict[Edge, dict[str, int | None]]:
    names = {node["node"]: node["name"] for node in nodes.to_pylist()}
    return {
        (names[row["src"]], names[row["dst"]], row["protocol"]): {name: row[name] for name in SHARES}
        for row in edges.to_pylist()
    }


@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("protocols", [("http",), ("http", "it's", "redis")])
@pytest.mark.parametrize("most_ms", [0, 3, 100_000])
def test_each_edge_has_the_percentiles_of_its_calls(
    tmp_path: Path, count: int, protocols: tuple[str, ...], most_ms: float
) -> None:
    rows = calls(count, protocols, most_ms)
    with recorded(tmp_path / "x.tap", [engine_batch(rows)]) as feed:
        for where, longer_than_ns in (("", -1), ("latency > 1ms", 1_000_000)):
            found = feed.edges("address", where)
            assert by_address(found.edges, found.nodes) == expected(rows, longer_than_ns)


def test_a_hostile_latency_below_nothing_is_only_small(tmp_path: Path) -> None:
    rows = [call(WEB, ORDERS, number, latency, id=number) for number, latency in enumerate([-5, 1, 2])]
    with recorded(tmp_path / "x.tap", [engine_batch(rows)]) as feed:
        assert feed.edges("service").edges["p50_ns"].to_pylist() == [1_000_000]


def test_the_addresses_of_one_service_are_one_edge(tmp_path: Path) -> None:
    rows = [call(WEB, ORDERS, 1, 1, id=1), call(WEB, ORDERS, 2, 3, id=2), call("10.0.7.1", WEB, 3, 9, id=3)]
    with recorded(tmp_path / "x.tap", [engine_batch(rows)]) as feed:
        assert sorted(feed.edges("service").edges["p99_ns"].to_pylist()) == [3_000_000, 9_000_000]


def test_what_is_committed_meanwhile_is_in_none_of_the_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session.create(tmp_path / "x.tap", META) as session:
        recorder = Recorder(session, SCHEMA_MESSAGES, Identity(CLAIMS))
        recorder.add(engine_batch(calls(40, ("http",), 3)))
        recorder.commit()
        feed = SessionFeed(session)
        before = feed.edges("service")
        ask = session.query

        def more() -> None:
            recorder.add(engine_batch([call("10.0.9.9", WEB, 99, 90_000, id=99, protocol="dns")]))
            recorder.commit()

        def and_then_more(*asked: Any) -> pa.Table:
            answer = ask(*asked)
            monkeypatch.undo()
            writer = Thread(target=more)
            writer.start()
            writer.join()
            return answer

        monkeypatch.setattr(session, "query", and_then_more)
        assert feed.edges("service").edges.equals(before.edges)
        assert feed.edges("service").edges.num_rows == before.edges.num_rows + 1
        recorder.finish()
