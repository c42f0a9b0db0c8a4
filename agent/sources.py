"""Sources, from an engine's reader to the spool: live ones share a thread for each core, others have one each."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.model.wire import MAX_SHIPMENT, NARROW, PARTS, Shipment, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent._engine import Batch, LiveGroup, LiveReader
    from agent.spool import Spool

    Reader = Iterator[Batch]

COUNTERS_EVERY = 1.0
"""Seconds between the counters of a source that are shipped: to a collector they cost as much as rows."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of a batch, what it counted."""

    now: int
    packets: int
    counters: Any
    """As the engine has them: to read them with each batch is too much while nothing passes."""


@dataclass(slots=True)
class Source:
    """Something that is read. `name` is unique within the agent."""

    name: str
    open: Callable[[], Any]
    """Gives the reader: iterable over batches, with `close()`."""
    spool: Spool
    clock: Callable[[], int] = time.time_ns
    patient: bool = False
    """Whether it can wait for the collector (a file can): then nothing of it is given up."""
    ports: tuple[int, ...] = ()
    """Only these; empty: all."""
    ring: int = 0
    """Bytes that it shares with the kernel."""
    state: str = "starting"
    """starting, open, ended, failed."""
    problem: str | None = None
    packets: int = 0
    oversized: int = 0
    """Records given up because one shipment would have been too large."""
    on_end: Callable[[], None] | None = None
    readers: Readers | None = None
    """Who reads it together with others; None: a thread of its own."""
    _reader: Any = None
    _closing: bool = False
    _level: int = 0
    _exclude: tuple[tuple[str, int], ...] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: threading.Event = field(default_factory=threading.Event)
    _told: float = 0.0
    _newest: _Counts | None = None
    _untold: _Counts | None = None
    """The newest, if they were not shipped."""

    def start(self) -> None:
        """Begins to read."""
        self._begin(self._open)

    def left(self) -> None:
        """Reads what is left, now that it is not read with others any more."""
        self._begin(self._rest)

    def _begin(self, work: Callable[[], bool]) -> None:
        threading.Thread(target=self._guard, args=(work,), name=f"source {self.name}"[:15], daemon=True).start()

    def _guard(self, work: Callable[[], bool]) -> None:
        """Does something, and tells of the source's end if that came with it."""
        try:
            if not work():
                return
            if self.state != "failed":
                self.state = "ended"
        except Exception as error:
            self.fail(error)
        self._done.set()
        if self.on_end is not None:
            self.on_end()

    def fail(self, error: Exception) -> None:
        """Whatever it is, it ends this source and is told; the others go on."""
        self.state, self.problem = "failed", str(error.args[0] if error.args else error)

    def _open(self) -> bool:
        reader = self.open()
        with self._lock:
            self._reader = reader
            if self._level:
                self._obey()
            if self._exclude is not None:
                self._filter()
            if self._closing:
                reader.close()
        self.state = "open"
        if self.readers is not None and self.readers.add(self, reader):
            return False
        return self._rest()

    def _rest(self) -> bool:
        for batch in self._reader:
            self.take(batch)
        if self._untold is not None:
            self._ship(self._untold)
            self._untold = None
        return True

    def take(self, batch: Batch) -> None:
        """Ships it, unless there is nothing new in it."""
        now = time.monotonic()
        self.packets = batch.packets
        if batch.counters is not None:
            self._newest = self._untold = _Counts(batch.now, batch.packets, batch.counters)
        if now - self._told >= COUNTERS_EVERY:
            self._told, self._untold = now, None
            self._ship(batch)
        elif has_rows(batch):
            self._ship(batch, leave_out="counters")

    def _ship(self, batch: Batch | _Counts, leave_out: str = "") -> None:
        records, parts = 0, {}
        for part in PARTS:
            value: Any = getattr(batch, part, None)
            if value is None or part == leave_out:
                continue
            if part in NARROW:
                rows = pa.record_batch(value)
                records += rows.num_rows if part != "counters" else 0
                value = pack(rows)
            parts[part] = value
        if sum(map(len, parts.values())) > MAX_SHIPMENT - (64 << 10):
            self.oversized += records
            return
        while self.patient and not self._closing and not self.spool.wait_for_room(0.5):
            pass
        clock = self.clock()
        self.spool.put(records, lambda seq: Shipment(seq, self.name, clock, batch.now, batch.packets, parts).encode())

    @property
    def ring_drops(self) -> int:
        """Packets that the kernel dropped."""
        if self._newest is None:
            return 0
        rows = pa.record_batch(self._newest.counters).select(["stage", "name", "value"]).to_pylist()
        return next((c["value"] for c in rows if (c["stage"], c["name"]) == ("ring", "drops")), 0)

    @property
    def recording_problem(self) -> str | None:
        """Why its raw packets are not kept any more."""
        return getattr(self._reader, "recording_problem", None)

    def shed(self, level: int) -> None:
        """Leaves out as much, see control.Shed; also when it is not open yet. A file is never short of time."""
        with self._lock:
            self._level = level
            self._obey()

    def _obey(self) -> None:
        if self._reader is not None and not self.patient:
            self._reader.shed(bodies=self._level > 0, keep_one_in=1 << max(0, self._level - 1))

    def exclude(self, ends: tuple[tuple[str, int], ...]) -> None:
        """Leaves out the traffic of these ends, also when it is not open yet; of a file, nothing is ours."""
        with self._lock:
            self._exclude = ends
            self._filter()

    def _filter(self) -> None:
        if self._reader is not None and self._exclude is not None and not self.patient:
            self._reader.set_filter(exclude=self._exclude, ports=self.ports)

    def close(self) -> None:
        """Ends reading soon; what was read is still shipped."""
        with self._lock:
            self._closing = True
            if self._reader is not None:
                self._reader.close()

    def join(self, timeout: float) -> bool:
        """Waits for its end; whether it came."""
        return self._done.wait(timeout)


class Readers:
    """The threads that read live sources, at most so many: one for all of a core costs little more than one for one."""

    def __init__(self, threads: int = 1) -> None:
        from agent import _engine

        self._groups: list[_Group] = []
        if hasattr(_engine, "LiveGroup"):
            first = _engine.LiveGroup()
            self._groups = [_Group(group) for group in (first, *(first.beside() for _ in range(threads - 1)))]
        self._lock = threading.Lock()

    def add(self, source: Source, reader: Any) -> bool:
        """Reads it from now on, until it ends or is closed; false: this kind is not read here."""
        from agent import _engine

        if not self._groups or not isinstance(reader, _engine.LiveReader):
            return False
        with self._lock:
            min(self._groups, key=len).add(source, reader)
        return True

    def close(self) -> None:
        """Ends the threads; their sources are to be closed before."""
        for group in self._groups:
            group.close()


class _Group:
    """A thread, and the sources that it reads."""

    def __init__(self, group: LiveGroup) -> None:
        self._group = group
        self._sources: dict[int, Source] = {}
        self._numbers = count()
        self._begun = False

    def __len__(self) -> int:
        return len(self._sources)

    def add(self, source: Source, reader: LiveReader) -> None:
        number = next(self._numbers)
        self._sources[number] = source
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._run, name="sources", daemon=True).start()
        self._group.add(number, reader)

    def _run(self) -> None:
        for number, batch in self._group:
            self._heard(number, batch)

    def _heard(self, number: int, batch: Batch | None) -> None:
        # no variable of the loop: a source that is gone must not stay until another speaks
        if batch is None:
            self._sources.pop(number).left()
            return
        source = self._sources[number]
        try:
            source.take(batch)
        except Exception as error:
            source.fail(error)
            source.close()

    def close(self) -> None:
        self._group.close()


def has_rows(batch: Batch) -> bool:
    """Whether there is more in it than counters."""
    return any(getattr(batch, part) is not None for part in ("exchanges", "messages", "connections"))
