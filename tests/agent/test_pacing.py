"""Batches of a file come when they would have come."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pyarrow as pa

from agent.pacing import EVERY_S, Paced
from tests.cli.traffic import START, Traffic, answer, get

if TYPE_CHECKING:
    from pathlib import Path

SPEED = 10.0


def capture(folder: Path, calls: int, apart: float) -> str:
    """So many calls, so many seconds apart."""
    traffic = Traffic()
    for number in range(calls):
        traffic.time = START + number * apart
        traffic.call(get(f"/{number}"), answer())
    return str(traffic.write(folder / "calls.pcap"))


def arrivals(reader: Paced) -> dict[str, float]:
    """Seconds after the beginning, by target."""
    began, found = time.monotonic(), {}
    for batch in reader:
        if batch.exchanges is not None:
            targets = pa.record_batch(batch.exchanges).column("target").to_pylist()
            found |= {target: time.monotonic() - began for target in targets}
    return found


def test_each_request_comes_at_its_time(tmp_path: Path) -> None:
    found = arrivals(Paced(capture(tmp_path, 3, apart=10.0), SPEED))
    assert list(found) == ["/0", "/1", "/2"]
    for number, came in enumerate(found.values()):
        due = number * 10.0 / SPEED
        assert due - 0.001 <= came < due + 0.9


def test_many_at_once_come_as_few_batches(tmp_path: Path) -> None:
    batches = list(Paced(capture(tmp_path, 50, apart=0.12), SPEED))
    assert sum(len(batch.exchanges or ()) for batch in batches) == 50
    spans = 50 * 0.12 / SPEED / EVERY_S
    assert spans <= len(batches) <= spans + 3  # the first packet, the beginnings of calls, the end


def test_closing_ends_the_wait(tmp_path: Path) -> None:
    paced = Paced(capture(tmp_path, 100, apart=100.0), 1.0)
    threading.Timer(0.05, paced.close).start()
    assert len(list(paced)) < 10
