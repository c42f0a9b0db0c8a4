"""A process whose sources come and go: a file has a thread of its own, which may be the one that loads the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent import sources
from agent.health import metrics
from agent.process import MAX_THREADS, Agent, Options, reading_threads
from agent.shipper import Collector
from tapper.model.control import Target
from tests.live.network import wait_until

THERE = len(os.sched_getaffinity(0))
CAPTURE = Path(__file__).parent.parent / "captures" / "nginx.pcap.zst"

ONE_AFTER_ANOTHER = """
import sys, threading

def read():
    from agent._engine import FileReader
    print(sum(1 for _ in FileReader([sys.argv[1]])) > 0)

for _ in range(3):
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
"""


def test_the_thread_that_loaded_the_engine_may_end() -> None:
    # a process of its own: here the engine may have been loaded already, and a crash would take the other tests along
    command = [sys.executable, "-c", ONE_AFTER_ANOTHER, str(CAPTURE)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n" * 3, "")


def test_records_that_no_shipment_can_hold_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_SHIPMENT", 64 << 10)
    agent = Agent(Options(Collector("https://127.0.0.1:1", "token"), targets=(Target("file", str(CAPTURE)),)))

    def finished() -> bool:
        agent._tapping.look()
        return agent._tapping.finished()

    wait_until(finished)
    status = agent.status()
    assert status.records == status.lost_records == status.oversized_records > 0
    assert f"tapper_agent_oversized_records_total {status.oversized_records}\n" in metrics(status, connected=False)


@pytest.mark.parametrize(
    ("cores", "threads"), [(0.1, 1), (0.5, 1), (1, 1), (1.5, min(2, THERE)), (None, min(THERE, MAX_THREADS))]
)
def test_there_is_a_thread_for_each_core_of_the_budget(cores: float | None, threads: int) -> None:
    assert reading_threads(cores) == threads
