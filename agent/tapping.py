"""Keeps a source open for each target that is there, and tells of those that are not."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent import pages
from agent.places import NotThereError, Place, processes, resolve
from agent.sources import Readers, Source
from tapper.model.control import End, Settings, SourceStatus, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.spool import Spool

RETRY = 5.0
"""Seconds until a source that failed is tried again."""
FLUSH_MS = 100
MIN_RING, MAX_RING = 512 << 10, 16 << 20
"""Bytes of a source's. At 100,000 packets a second of 300 bytes, 16 MiB last for half a second."""
MANY = 16
"""From so many sources on, memory counts for more than what huge pages save."""


class Tapping:
    """For one thread. `look` is to be called every second or so."""

    def __init__(
        self,
        spool: Spool,
        opened: Callable[[Target, Place | None, Settings, int], Any],
        ends: Callable[[Settings], tuple[tuple[str, int], ...]],
        node: str | None,
        rings: int,
        threads: int = 1,
    ) -> None:
        """`opened` gives the reader of a place (of a file: None) with a ring of that size; `ends`, all that is to be
        left out; `rings`: bytes for the rings of all sources; `threads` that read them, at most.
        """
        self._ends = ends
        self._spool = spool
        self._opened = opened
        self._node = node
        self._rings = rings
        self._settings = Settings()
        self._own: tuple[Target, ...] = ()
        self._told: tuple[Target, ...] = ()
        self._sources: dict[Any, Source] = {}
        self._readers = Readers(threads)
        self._failed: dict[Any, float] = {}
        self._of: dict[Target, Any] = {}
        self._problems: dict[Target, str] = {}
        self._seen: set[Target] = set()
        self._ended = (0, 0, 0)  # packets, drops and oversized records of sources that are gone
        self._number = 0
        self._lock = threading.Lock()  # looking is done beside the loop that asks for the status
        self.level = 0

    def own(self, targets: Iterable[Target]) -> None:
        """Targets of the command line."""
        self._own = tuple(targets)

    def told(self, targets: Iterable[Target]) -> None:
        """Targets of the collector: all of them, those of before are forgotten."""
        self._told = tuple(t for t in targets if t.node is None or t.node == self._node)

    def settings(self, settings: Settings) -> None:
        """How to record. Ends to leave out are left out at once; whatever else changes opens all sources anew."""
        with self._lock:
            same = replace(settings, exclude=self._settings.exclude) == self._settings
            self._settings = settings
            for source in self._sources.values():
                if same:
                    source.exclude(self._ends(settings))
                else:
                    source.close()

    def exclude(self, ends: tuple[End, ...]) -> None:
        """Ends to leave out from now on."""
        self.settings(replace(self._settings, exclude=ends))

    @property
    def targets(self) -> tuple[Target, ...]:
        """All that are wanted."""
        return tuple(dict.fromkeys((*self._own, *self._told)))

    def look(self) -> None:
        """Opens what has come, closes what is not wanted any more, remembers what has ended."""
        wanted = self.targets
        if len(wanted) > MANY:
            pages.small()
        cgroups = processes(wanted)
        with self._lock:
            self._reconcile(wanted, cgroups)

    def _reconcile(self, wanted: tuple[Target, ...], cgroups: dict[str, list[int]]) -> None:
        for key, source in list(self._sources.items()):
            if source.state in ("ended", "failed"):
                packets, drops, oversized = self._ended
                self._ended = packets + source.packets, drops + source.ring_drops, oversized + source.oversized
                del self._sources[key]
                self._failed[key] = time.monotonic() + (RETRY if source.state == "failed" else 0.0)
                for target, its in self._of.items():
                    if its == key and source.problem:
                        self._problems[target] = source.problem
        self._of = {}
        for target in wanted:
            key = self._find(target, cgroups)
            if key is not None:
                self._of[target] = key
                self._open(target, key, len(wanted))
        for key, source in self._sources.items():
            if key not in self._of.values():
                source.close()

    def _find(self, target: Target, cgroups: dict[str, list[int]]) -> Place | Target | None:
        if target.kind == "file":
            return target
        try:
            place = resolve(target, cgroups)
        except (NotThereError, OSError) as error:
            self._problems[target] = str(error)
            return None
        # the path may lead there by another process next time: what counts is the namespace
        same = (key for key in self._sources if isinstance(key, Place) and _same(key, place))
        return next(same, place)

    def _open(self, target: Target, key: Place | Target, wanted: int) -> None:
        """`wanted`: how many there shall be."""
        if key in self._sources or self._failed.get(key, 0.0) > time.monotonic():
            return
        if isinstance(key, Target) and key in self._failed:
            return  # a file is read once
        self._failed.pop(key, None)
        self._number += 1
        place, settings = key if isinstance(key, Place) else None, self._settings
        source = Source(f"{self._number}:{target.name or target.value}"[:200], lambda: None, self._spool)
        source.patient = place is None
        source.readers = None if place is None else self._readers
        source.ports = place.ports if place is not None else ()
        # nothing that the source has may lead back to it: its reader has to go at once with it
        source.ring = ring = 0 if place is None else self._ring(wanted)
        source.open = lambda: self._opened(target, place, settings, ring)
        self._sources[key] = source
        self._problems.pop(target, None)
        self._seen.add(target)
        source.start()
        source.shed(self.level)

    def _ring(self, wanted: int) -> int:
        """The share of the next source; a collector may tell of more yet."""
        left = self._rings - sum(source.ring for source in self._sources.values())
        shared_by = max(1, wanted - len(self._sources)) + bool(self._told)
        return min(max(left // shared_by, MIN_RING), MAX_RING)

    def shed(self, level: int) -> None:
        """Leaves out as much in all sources."""
        with self._lock:
            self.level = level
            for source in self._sources.values():
                source.shed(level)

    def status(self) -> tuple[SourceStatus, ...]:
        """How each target is."""
        with self._lock:
            return tuple(self._statuses())

    def _statuses(self) -> Iterator[SourceStatus]:
        for target in self.targets:
            source = self._sources.get(self._of.get(target))
            if source is not None and source.state == "open":
                yield SourceStatus(target, "tapped", source.recording_problem)
                continue
            problem = (source.problem if source is not None else None) or self._problems.get(target)
            gone = target in self._seen and source is None
            failed = target in self._of and problem is not None
            yield SourceStatus(target, "failed" if failed else "gone" if gone else "waiting", problem)

    def reading(self) -> int:
        """Sources that are open."""
        with self._lock:
            return sum(source.state == "open" for source in self._sources.values())

    def packets(self) -> int:
        """Of all sources since the start."""
        with self._lock:
            return self._ended[0] + sum(source.packets for source in self._sources.values())

    def ring_drops(self) -> int:
        """Of all sources since the start."""
        with self._lock:
            return self._ended[1] + sum(source.ring_drops for source in self._sources.values())

    def oversized(self) -> int:
        """Records of all sources since the start that no shipment could hold."""
        with self._lock:
            return self._ended[2] + sum(source.oversized for source in self._sources.values())

    def finished(self) -> bool:
        """Whether all targets are files, and read."""
        files = all(target.kind == "file" for target in self.targets)
        return files and bool(self.targets) and not self._sources and all(t in self._failed for t in self.targets)

    def close(self, patience: float = 3.0) -> None:
        """Ends all sources and waits for what they still ship."""
        with self._lock:
            sources = list(self._sources.values())
        for source in sources:
            source.close()
        end = time.monotonic() + patience
        for source in sources:
            source.join(max(0.0, end - time.monotonic()))
        self._readers.close()


def _same(one: Place, other: Place) -> bool:
    return (one.inode, one.interface, one.ports) == (other.inode, other.interface, other.ports)
