"""Partitions of a session: all rows and payloads of some time, forgotten together.

A partition is the segment files of one number and all rows that bear it. Forgetting one unlinks the files and deletes a
range of whole row groups, which costs milliseconds however many rows it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 64 << 20  # a file that is cheap to drop, and few enough files
MAX_ROWS = 1 << 20
ROW_BYTES = 64  # a narrow row on the disk, measured
PARTS = 16  # retention is exact to one part in so many


@dataclass(frozen=True, slots=True)
class Retention:
    """How much to keep; None: without that limit. Age counts from the newest record, by packet time."""

    rows: int | None = None
    bytes: int | None = None
    age_ns: int | None = None


@dataclass(slots=True)
class Partition:
    """What is in it so far."""

    number: int
    rows: int = 0
    bytes: int = 0
    first_ns: int | None = None
    last_ns: int = 0


@dataclass(slots=True)
class Partitions:
    """The partitions of a session that is being written."""

    retention: Retention
    current: Partition = field(default_factory=lambda: Partition(1))
    newest_ns: int = 0
    _sealed: list[Partition] = field(default_factory=list)

    def resume(self, known: Iterable[Partition]) -> None:
        """Goes on behind the partitions of an earlier writer."""
        self._sealed = sorted(known, key=lambda part: part.number)
        self.newest_ns = max((part.last_ns for part in self._sealed), default=0)
        self.current = Partition(1 + max((part.number for part in self._sealed), default=0))

    def add(self, table: str, batch: pa.RecordBatch | pa.Table) -> None:
        """Counts rows that go into the current partition."""
        if batch.num_rows == 0:
            return
        times = pc.min_max(batch["time"].cast(pa.int64()))
        first, last = times["min"].as_py(), times["max"].as_py()
        part = self.current
        part.first_ns = first if part.first_ns is None else min(part.first_ns, first)
        part.last_ns = max(part.last_ns, last)
        part.bytes += batch.num_rows * ROW_BYTES
        if table == "exchange":
            part.rows += batch.num_rows
        self.newest_ns = max(self.newest_ns, last)

    def is_full(self) -> bool:
        """Whether the next rows belong to a new partition."""
        part, keep = self.current, self.retention
        return (
            part.bytes >= _part(keep.bytes, MAX_BYTES)
            or part.rows >= _part(keep.rows, MAX_ROWS)
            or (keep.age_ns is not None and part.last_ns - (part.first_ns or 0) >= keep.age_ns // PARTS > 0)
        )

    def roll(self) -> None:
        """Begins a new partition."""
        self._sealed.append(self.current)
        self.current = Partition(self.current.number + 1)

    def take_old(self) -> list[Partition]:
        """Removes and gives the partitions to forget, oldest first."""
        keep = self.retention
        rows = sum(p.rows for p in (*self._sealed, self.current))
        size = sum(p.bytes for p in (*self._sealed, self.current))
        old: list[Partition] = []
        for part in self._sealed:
            too_many = keep.rows is not None and rows > keep.rows
            too_large = keep.bytes is not None and size > keep.bytes
            too_old = keep.age_ns is not None and part.last_ns < self.newest_ns - keep.age_ns
            if not (too_many or too_large or too_old):
                break
            rows -= part.rows
            size -= part.bytes
            old.append(part)
        del self._sealed[: len(old)]
        return old


def _part(limit: int | None, most: int) -> int:
    return most if limit is None else max(1, min(most, limit // PARTS))
