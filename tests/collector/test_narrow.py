"""Shipments that come in part, or slowly: each is kept whole and once, or it is counted."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.cli.traffic import Traffic, answer, get
from tests.collector.narrow import narrow
from tests.collector.running import collector, replay_command
from tests.live.network import wait_until
from tests.processes import started

if TYPE_CHECKING:
    from pathlib import Path

CALLS = 40
BODY = 20_000


def capture(folder: Path) -> Path:
    """Calls with bodies that no packing makes smaller: about a megabyte to ship."""
    traffic = Traffic()
    for number in range(CALLS):
        traffic.call(get(f"/{number}"), answer(body=os.urandom(BODY).hex()[:BODY]))
    return traffic.write(folder / "calls.pcap")


def test_of_a_shipment_that_came_in_part_nothing_is_kept(tmp_path: Path) -> None:
    file = capture(tmp_path)
    with collector(tmp_path) as there:
        with narrow(there.agents) as way:
            way.limit = 200_000
            with started(replay_command(replace(there, agents=way.url), file)) as agent:
                assert way.full.wait(60)
                agent.kill()
                agent.wait()
        wait_until(lambda: [state["state"] for state in there.states()] == ["lost"])
        assert there.exchanges() == []
        with started(replay_command(there, file)) as again:
            assert again.wait(60) == 0
        assert sorted(row["target"] for row in there.exchanges()) == sorted(f"/{n}" for n in range(CALLS))
        assert there.get("/summary")["losses"] == []


def test_a_slow_way_loses_nothing_of_a_file(tmp_path: Path) -> None:
    file = capture(tmp_path)
    with collector(tmp_path) as there, narrow(there.agents) as way:
        way.pause = 0.05
        with started(replay_command(replace(there, agents=way.url), file)) as agent:
            assert agent.wait(60) == 0
        assert way.passed > 300_000
        assert sorted(row["target"] for row in there.exchanges()) == sorted(f"/{n}" for n in range(CALLS))
        assert there.get("/summary")["losses"] == []
