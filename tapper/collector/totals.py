"""Counters of all sources of all agents, added up: a session knows one value for each stage and name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa

from tapper.model.schema import COUNTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    Key = tuple[str, str]

MAX_SOURCES = 4096
"""Whose newest values are held apart; beyond, the oldest count as ended."""
MAX_NAMES = 1024
"""Of different counters: an agent could invent any number."""
MAX_VALUE = 1 << 62


class Totals:
    """Adds up. `base`: what an earlier collector had counted in this session."""

    def __init__(self, base: Mapping[Key, int] | None = None) -> None:
        self._own: Counter[Key] = Counter(base or {})
        self._sources: dict[tuple[str, str, str], dict[Key, int]] = {}
        self._changed: set[Key] = set()

    def count(self, stage: str, name: str, more: int) -> None:
        """Something that the collector itself counts."""
        if more:
            self._own[stage, name] += more
            self._changed.add((stage, name))

    def take(self, agent: str, boot: str, source: str, counters: pa.RecordBatch, *, known: bool) -> None:
        """The newest values of a source, which count from its start.

        Args:
            agent, boot, source: whose.
            counters: rows of schema.COUNTER.
            known: whether an earlier collector has counted it: then what is told first is in the base already.
        """
        listed = counters.select(["stage", "name", "value"]).to_pylist()[:MAX_NAMES]
        self.tell(agent, boot, source, {(c["stage"], c["name"]): c["value"] for c in listed}, known=known)

    def tell(self, agent: str, boot: str, source: str, newest: Mapping[Key, int], *, known: bool) -> None:
        """The same by (stage, name); an empty source: of the agent itself."""
        key = (agent, boot, source)
        values = self._sources.get(key)
        bounded = {place: min(value, MAX_VALUE) for place, value in newest.items()}
        if values is None:
            values = self._sources[key] = {}
            if known:
                self._own.subtract(bounded)
            if len(self._sources) > MAX_SOURCES:
                self._own.update(self._sources.pop(next(iter(self._sources))))
        for place, value in bounded.items():
            if place not in self._own and len(self._own) >= MAX_NAMES:
                continue
            self._own.setdefault(place, 0)
            if values.get(place) != value:
                values[place] = value
                self._changed.add(place)

    def total(self, stage: str, name: str) -> int:
        """The sum of one; may be asked for from any thread."""
        key = (stage, name)
        return max(0, self._own[key] + sum(values.get(key, 0) for values in list(self._sources.values())))

    def changes(self, time_ns: int) -> pa.RecordBatch | None:
        """Rows of those that have changed since the last ones were kept."""
        changed = sorted(self._changed)
        if not changed:
            return None
        sums = Counter({key: self._own[key] for key in changed})
        for values in self._sources.values():
            for key in changed:
                sums[key] += values.get(key, 0)
        rows = [
            {"time": time_ns, "stage": stage, "name": name, "value": min(max(0, sums[stage, name]), (1 << 64) - 1)}
            for stage, name in changed
        ]
        return pa.RecordBatch.from_pylist(rows, COUNTER)

    def kept(self) -> None:
        """What `changes` gave is kept; what is not, it gives again."""
        self._changed.clear()
