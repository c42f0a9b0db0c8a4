"""Batches of a file come when they would have come."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

from agent.pacing import Paced


class File:
    """Batches a second of packet time apart."""

    def __init__(self, seconds: int) -> None:
        self.batches = [SimpleNamespace(now=(1_700_000_000 + n) * 10**9) for n in range(seconds)]

    def __iter__(self) -> Any:
        return iter(self.batches)

    def close(self) -> None:
        """Nothing to stop."""


def test_time_passes_at_the_speed() -> None:
    began = time.monotonic()
    assert len(list(Paced(File(3), 10.0))) == 3  # type: ignore[arg-type]
    assert time.monotonic() - began >= 0.2


def test_closing_ends_the_wait() -> None:
    paced = Paced(File(10_000), 1.0)  # type: ignore[arg-type]
    threading.Timer(0.05, paced.close).start()
    assert len(list(paced)) == 10_000
