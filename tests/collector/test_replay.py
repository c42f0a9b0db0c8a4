"""`tapper replay`: a capture as if it were live."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from tests.cli.traffic import START, Traffic, answer, get
from tests.collector.running import collector, replay_command
from tests.live.network import wait_until
from tests.processes import started

if TYPE_CHECKING:
    from pathlib import Path


def test_requests_come_as_far_apart_as_they_were(tmp_path: Path) -> None:
    traffic = Traffic()
    for number in range(3):
        traffic.time = START + 2.0 * number
        traffic.call(get(f"/{number}"), answer())
    file = traffic.write(tmp_path / "slow.pcap")
    times = []
    with collector(tmp_path) as there, started(replay_command(there, file, speed="1x")) as replay:
        for number in range(3):
            wait_until(lambda wanted=number: len(there.exchanges()) > wanted)
            times.append(time.monotonic())
        assert replay.wait(60) == 0
        assert {row["target"] for row in there.exchanges()} == {"/0", "/1", "/2"}
    for earlier, later in itertools.pairwise(times):
        assert 1.0 < later - earlier < 3.0
