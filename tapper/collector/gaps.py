"""Times in which an agent did not see: between two starts of it, as when its pod is replaced."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tapper.model.text import duration, time_with_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_GAPS = 1024
"""That are remembered; older ones are forgotten."""


@dataclass(slots=True)
class Gap:
    """Between the last word of one start of an agent and the first source that the next one reads."""

    agent: str
    from_ns: int
    to_ns: int | None = None
    """None: it has not ended."""


@dataclass(slots=True)
class Gaps:
    """Those of all agents."""

    _gaps: deque[Gap] = field(default_factory=lambda: deque(maxlen=MAX_GAPS))

    def begin(self, agent: str, from_ns: int) -> None:
        """Nothing is seen since then; one that has not ended goes on."""
        if not any(gap.agent == agent and gap.to_ns is None for gap in self._gaps):
            self._gaps.append(Gap(agent, from_ns))

    def end(self, agent: str) -> None:
        """It sees again, from now on."""
        for gap in self._gaps:
            if gap.agent == agent and gap.to_ns is None:
                gap.to_ns = time.time_ns()

    def hints(self) -> Iterator[str]:
        """What was missed, in words."""
        by_agent: dict[str, list[Gap]] = {}
        for gap in self._gaps:
            by_agent.setdefault(gap.agent, []).append(gap)
        for agent, gaps in by_agent.items():
            *_, last = gaps
            if last.to_ns is None:
                yield f"Agent {agent} began anew: nothing is seen there since {time_with_zone(last.from_ns)}."
                continue
            when = f"from {time_with_zone(last.from_ns)} to {time_with_zone(last.to_ns)}"
            if len(gaps) == 1:
                yield f"Agent {agent} began anew: nothing was seen there {when}."
            else:
                took = sum(gap.to_ns - gap.from_ns for gap in gaps if gap.to_ns is not None)
                yield (
                    f"Agent {agent} began anew {len(gaps):,} times: nothing was seen there for {duration(took)} in all,"
                    f" the last time {when}."
                )
