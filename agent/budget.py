"""Keeps the agent within its share of the host: measures it, and says how much to leave out.

Level 0 leaves out nothing, 1 bodies, 2 all but one connection of two, 3 of four, and so on: bodies cost the most and
are missed the least. It rises as soon as a bound is passed and falls when things were calm for a while, so that it does
not swing.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

MAX_LEVEL = 7  # one connection of 64
HIGH, LOW = 0.95, 0.6
"""Of a budget: above the one more is left out, below the other less."""
CALM = 10.0
"""Seconds below LOW until less is left out."""
MIN_SPAN = 0.5
_PAGE = resource.getpagesize()


@dataclass(slots=True)
class Budget:
    """The bounds, and what was used of them lately. Call `measure` about once a second.

    Args:
        cores: processor time per time, 0.5: half a core; None: without bound.
        memory: bytes of resident memory; None: without bound.
    """

    cores: float | None = None
    memory: int | None = None
    level: int = 0
    cpu: float = 0.0
    resident: int = 0
    floor: int = 0
    """The level that someone else asked for at least."""
    _used: float = 0.0
    _at: float = 0.0
    _calm_since: float | None = None

    def measure(self, drops: bool = False) -> int:
        """The level to use now; `drops`: whether the kernel dropped packets since the last time."""
        used, now = _cpu_seconds(), time.monotonic()
        if self._at and now - self._at >= MIN_SPAN:
            self.cpu = (used - self._used) / (now - self._at)
            self.resident = resident_bytes()
            self._decide(now, drops)
        if not self._at or now - self._at >= MIN_SPAN:
            self._used, self._at = used, now
        return max(self.level, self.floor)

    def _decide(self, now: float, drops: bool) -> None:
        shares = [self.cpu / self.cores if self.cores else 0.0, self.resident / self.memory if self.memory else 0.0]
        # Memory does not come back soon; processor time does, so that only it must fall well below.
        if max(shares) > HIGH or drops:
            self.level = min(self.level + 1, MAX_LEVEL)
            self._calm_since = None
        elif shares[0] > LOW or shares[1] > HIGH:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= CALM and self.level:
            self.level -= 1
            self._calm_since = now


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def resident_bytes() -> int:
    """Memory of this process that is in use."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
