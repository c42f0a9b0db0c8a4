"""Gives the batches of a capture file when they would have come live."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent._engine import Batch, FileReader

ROWS = 64
"""Of one batch: it comes as late as its newest packet, and few rows wait for that."""


class Paced:
    """A reader of a file, with the time between its packets divided by `speed`."""

    def __init__(self, reader: FileReader, speed: float) -> None:
        self._reader = reader
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
