"""Counts and facts of a session; why a screen is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.feed.interface import Loss, Source
from tests.feed.shop import recorded
from tests.store.records import SECOND, T0, engine_batch

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.feed.session import SessionFeed


def test_the_counts_of_the_shop(feed: SessionFeed) -> None:
    found = feed.summary()
    assert (found.exchanges, found.connections, found.messages, found.packets) == (24, 5, 3, 700)
    assert (found.first_ns, found.last_ns) == (T0, T0 + 23 * SECOND)
    assert found.protocols == {"http": 23, "dns": 1}
    assert found.outcomes == {"ok": 20, "client_error": 1, "open": 1, "server_error": 1, "timeout": 1}
    assert found.states == {"closed": 3, "refused": 1, "reset": 1}
    assert found.unparsed == {"tls": 1, "unknown": 1}
    assert found.reasons == {"nothing listens there": 1}
    assert found.losses == (Loss("stream", "gap_bytes", 2000), Loss("stream", "gaps", 2))
    assert found.sources == (Source("shop.pcap", 9000),)
    assert (found.complete, found.redacted, found.forgotten) == (True, True, 0)


def test_a_session_of_nothing(tmp_path: Path) -> None:
    with recorded(tmp_path / "x.tap", []) as feed:
        found = feed.summary()
        assert (found.exchanges, found.first_ns, found.protocols, found.losses) == (0, None, {}, ())
        assert feed.counters().num_rows == 0


def test_the_newest_value_of_a_counter(tmp_path: Path) -> None:
    counters = [
        {"stage": "stream", "name": "gaps", "value": 1, "time": T0},
        {"stage": "stream", "name": "gaps", "value": 5, "time": T0 + 2},
        {"stage": "stream", "name": "gaps", "value": 3, "time": T0 + 1},
        {"stage": "flow", "name": "evicted", "value": 7, "time": T0},
        {"stage": "flow", "name": "evicted", "value": 8, "time": T0},
    ]
    with recorded(tmp_path / "x.tap", [engine_batch(counters=counters)]) as feed:
        table = feed.counters()
    assert [(r["stage"], r["name"], r["value"]) for r in table.drop_columns("time").to_pylist()] == [
        ("flow", "evicted", 8),
        ("stream", "gaps", 5),
    ]
