"""Gives the batches of a capture file when they would have come live."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent._engine import Batch

EVERY_S = 0.1
"""Between batches, as of a live source: each comes as late as its newest packet."""


class Paced:
    """A reader of a file, with the time between its packets divided by `speed`. `how`: arguments of `FileReader`."""

    def __init__(self, path: str, speed: float, **how: Any) -> None:
        from agent._engine import FileReader

        self._reader = FileReader([path], batch_ns=math.ceil(EVERY_S * speed * 1e9), **how)
        self._speed = speed
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Batch]:
        began, first = time.monotonic(), 0
        for batch in self._reader:
            first = first or batch.now
            due = began + max(0, batch.now - first) / 1e9 / self._speed
            self._closed.wait(max(0.0, due - time.monotonic()))
            yield batch

    def close(self) -> None:
        """Stops early; what was read is still given."""
        self._closed.set()
        self._reader.close()
