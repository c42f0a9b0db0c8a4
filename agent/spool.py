"""Shipments that the collector has not acknowledged yet: in memory, then on the disk, then the oldest are given up."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 16 << 20  # of a spool file: what is given back to the disk at once
UNSURE = 1024  # shipments given up after they were sent; their acknowledgement may still come


@dataclass(slots=True)
class _Entry:
    seq: int
    records: int
    size: int
    frame: bytes | None
    file: _File | None = None
    offset: int = 0
    sent: bool = False


class _File:
    """A nameless file: nothing is left of it, however the process ends."""

    def __init__(self, directory: str) -> None:
        self._descriptor = os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o600)
        self.size = 0
        self.entries = 0

    def append(self, frame: bytes) -> int:
        rest, at = memoryview(frame), self.size
        while rest:
            written = os.pwrite(self._descriptor, rest, at)
            at, rest = at + written, rest[written:]
        offset, self.size = self.size, at
        self.entries += 1
        return offset

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def close(self) -> None:
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class SpoolState:
    """Counts since the start, but `spooled_...`, which is now."""

    records: int
    """Put in."""
    lost_records: int
    lost_shipments: int
    spooled_records: int
    spooled_bytes: int
    acked: int
    """Highest sequence number acknowledged; -1: none."""


@dataclass(slots=True)
class Spool:
    """For several threads that put and one that sends.

    Args:
        memory: bytes held in memory.
        disk: further bytes in nameless files in `directory`; 0: none.
        directory: where; None: that for temporary files.
    """

    memory: int
    disk: int = 0
    directory: str | None = None
    _entries: deque[_Entry] = field(default_factory=deque)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _file: _File | None = None
    _next: int = 0
    _in_memory: int = 0
    _on_disk: int = 0
    _records: int = 0
    _spooled: int = 0
    _lost_records: int = 0
    _lost_shipments: int = 0
    _acked: int = -1
    _unsure: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=UNSURE))
    _wake: Callable[[], None] | None = None

    def on_put(self, wake: Callable[[], None]) -> None:
        """Calls `wake`, from the putting thread, whenever something was put."""
        self._wake = wake

    def put(self, records: int, make: Callable[[int], bytes]) -> None:
        """Takes a shipment of so many records; `make` gives its frame for the sequence number that it gets."""
        with self._lock:
            frame = make(self._next)
            entry = _Entry(self._next, records, len(frame), frame)
            self._next += 1
            self._records += records
            self._spooled += records
            if self._in_memory + entry.size > self.memory and self._write(entry):
                self._on_disk += entry.size
            else:
                self._in_memory += entry.size
            self._entries.append(entry)
            while self._in_memory > self.memory and len(self._entries) > 1:
                self._give_up(self._entries.popleft())
        if self._wake is not None:
            self._wake()

    def _write(self, entry: _Entry) -> bool:
        """Moves the entry to the disk, if there is room."""
        if entry.frame is None or self._on_disk + entry.size > self.disk:
            return False
        try:
            if self._file is None or self._file.size >= PIECE:
                self._file = _File(self.directory or tempfile.gettempdir())
            entry.offset = self._file.append(entry.frame)
        except OSError:  # full, or no such thing as nameless files there: as without a disk
            return False
        entry.file, entry.frame = self._file, None
        return True

    def _give_up(self, entry: _Entry) -> None:
        self._remove(entry)
        self._lost_records += entry.records
        self._lost_shipments += 1
        if entry.sent:
            self._unsure.append((entry.seq, entry.records))

    def _remove(self, entry: _Entry) -> None:
        self._spooled -= entry.records
        if entry.file is None:
            self._in_memory -= entry.size
            return
        self._on_disk -= entry.size
        entry.file.entries -= 1
        if not entry.file.entries:
            entry.file.close()
            if entry.file is self._file:
                self._file = None

    def after(self, seq: int) -> tuple[int, bytes] | None:
        """The first shipment with a higher number, and its number; None: there is none yet."""
        with self._lock:
            if not self._entries or self._entries[-1].seq <= seq:
                return None
            # numbers have no holes but at the front
            entry = self._entries[max(0, seq + 1 - self._entries[0].seq)]
            entry.sent = True
            frame = entry.frame
            if frame is None:
                assert entry.file is not None  # noqa: S101
                frame = entry.file.read(entry.offset, entry.size)
            return entry.seq, frame

    def ack(self, seq: int) -> None:
        """All up to this number are kept by the collector."""
        with self._lock:
            self._acked = max(self._acked, min(seq, self._next - 1))
            while self._entries and self._entries[0].seq <= seq:
                self._remove(self._entries.popleft())
            while self._unsure and self._unsure[0][0] <= seq:
                self._lost_records -= self._unsure.popleft()[1]
                self._lost_shipments -= 1
            self._lock.notify_all()

    def wait_for_room(self, timeout: float) -> bool:
        """Waits until what is spooled fits in the memory half full; for sources that can wait. Whether it does."""
        with self._lock:
            return self._lock.wait_for(lambda: self._in_memory + self._on_disk <= self.memory // 2, timeout)

    def state(self) -> SpoolState:
        """How it is."""
        with self._lock:
            return SpoolState(
                self._records,
                self._lost_records,
                self._lost_shipments,
                self._spooled,
                self._in_memory + self._on_disk,
                self._acked,
            )

    def limit(self, memory: int) -> None:
        """Changes the bound of what is in memory; it holds from the next shipment on."""
        with self._lock:
            self.memory = memory
