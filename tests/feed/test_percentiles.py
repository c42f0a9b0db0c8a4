"""Percentiles by edge: of sorted numbers as of DuckDB's quantiles."""

from __future__ import annotations

import random
from threading import Thread
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tapper.feed import maps
from tapper.feed.percentiles import Packing
from tapper.feed.recorder import Recorder
from tapper.feed.session import SessionFeed
from tapper.identity.index import Identity
from tapper.store.session import Session
from tests.feed.shop import CLAIMS, META, ORDERS, PAYMENTS, WEB, call, recorded
from tests.store.records import SCHEMA_MESSAGES, engine_batch

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = ((WEB, ORDERS), (ORDERS, PAYMENTS), (WEB, PAYMENTS), ("10.0.7.1", WEB), ("10.0.7.2", WEB))


def grouped(*_: object) -> None:
    """No packing: DuckDB groups the rows."""


def calls(count: int, protocols: tuple[str, ...], most_ms: float) -> list[dict[str, Any]]:
    chosen = random.Random(count)
    latencies = [0, most_ms, None, *(chosen.uniform(0, most_ms) for _ in range(count))]
    return [
        call(*chosen.choice(PAIRS), number, latency, id=number, protocol=chosen.choice(protocols))
        for number, latency in enumerate(latencies)
    ]


@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("protocols", [("http",), ("http", "it's", "redis"), ("a", "b", "c", "d")])
@pytest.mark.parametrize("most_ms", [0, 3, 100_000])
def test_sorting_gives_what_grouping_gives(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    protocols: tuple[str, ...],
    most_ms: float,
) -> None:
    with recorded(tmp_path / "x.tap", [engine_batch(calls(count, protocols, most_ms))]) as feed:
        for level, where in (("address", ""), ("service", ""), ("service", "latency > 1ms")):
            found = feed.edges(level, where)
            with monkeypatch.context() as patch:
                patch.setattr(maps.Packing, "of", grouped)
                expected = feed.edges(level, where)
            assert found.edges.equals(expected.edges)
            assert found.nodes.equals(expected.nodes)


@pytest.mark.parametrize(
    ("highest_id", "max_ns", "fits"), [(1000, 60 * 10**9, True), (100_000, 10**9, False), (1, None, True)]
)
def test_what_needs_too_many_bits_is_not_packed(highest_id: int, max_ns: int | None, fits: bool) -> None:
    sums = pa.table({"protocol": ["http", "dns"], "max_ns": pa.array([max_ns, None], pa.int64())})
    assert (Packing.of(sums, pa.table({"id": [0, highest_id]})) is not None) == fits


def test_a_negative_latency_as_a_hostile_agent_sends_it_is_grouped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = engine_batch([*calls(20, ("http", "dns"), 3), call(WEB, ORDERS, 99, -5.0, id=99)])
    with recorded(tmp_path / "x.tap", [batch]) as feed:
        found = feed.edges("address")
        monkeypatch.setattr(maps.Packing, "of", grouped)
        assert found.edges.equals(feed.edges("address").edges)


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
