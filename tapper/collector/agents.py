"""Who ships to this collector, how they are, and how their clocks are set."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tapper.collector.gaps import Gaps
from tapper.feed.interface import AgentState, TargetState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.model.control import Hello, Status

LOST_AFTER = 3.0
"""Seconds without a word from a connected agent."""
MAX_AGENTS = 1024
PROBES = 8
"""Answers that a clock is judged by: the one with the shortest way is the truest."""
SKEW_TOLD = 50_000_000
"""Nanoseconds from which on a clock that is wrong is worth a hint."""


@dataclass(slots=True)
class Agent:
    """One start of one agent."""

    hello: Hello
    connection: Any = None
    """Its socket; None: not connected."""
    state: str = "starting"
    since_ns: int = field(default_factory=time.time_ns)
    heard: float = field(default_factory=time.monotonic)
    status: Status | None = None
    problem: str | None = None
    kept_records: int = 0
    kept_before: int = 0
    """Records that an earlier process of this collector kept."""
    gone_records: int = 0
    """Of these, the ones that this collector does not have: the other one is gone with its session."""
    known: bool = False
    """Whether this collector's session has shipments of it."""
    ended: bool = False
    """It said goodbye."""
    has_tapped: bool = False
    """Live sources: what it does not see is missed."""
    _clocks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """Name and boot."""
        return self.hello.agent, self.hello.boot

    def become(self, state: str, problem: str | None = None) -> None:
        """Notes a change of its state."""
        if state != self.state:
            self.state, self.since_ns = state, time.time_ns()
        self.problem = problem

    def tell(self, status: Status) -> None:
        """It says how it is; the first time right after the welcome told it what is kept."""
        if self.status is None:
            self.kept_before = max(0, status.records - status.lost_records - status.spooled_records)
            self.gone_records = 0 if self.known else self.kept_before
        self.has_tapped |= status.reading > 0 and any(source.target.kind != "file" for source in status.sources)
        self.status = status
        self.look()

    def clock(self, sent_ns: int, clock_ns: int, received_ns: int) -> None:
        """A probe came back; its way took the same time there and back, as far as one can know."""
        if not 0 <= received_ns - sent_ns < 60_000_000_000:
            return
        way = received_ns - sent_ns
        self._clocks = [*self._clocks, (way, clock_ns - (sent_ns + received_ns) // 2)][-PROBES:]

    @property
    def skew_ns(self) -> int | None:
        """How far its clock is ahead of ours."""
        return min(self._clocks)[1] if self._clocks else None

    def look(self) -> None:
        """Judges its state by what was heard."""
        if self.ended:
            self.become("ended")
        elif self.connection is None:
            self.become(
                "lost", "it ended without a word, or can't reach the collector; what it had not shipped is lost"
            )
        elif time.monotonic() - self.heard > LOST_AFTER:
            self.become("lost", f"no word for {time.monotonic() - self.heard:.0f} s")
        elif self.status is not None:
            failed = [s for s in self.status.sources if s.state == "failed"]
            if failed and len(failed) == len(self.status.sources):
                self.become("failed", failed[0].problem)
            else:
                self.become("ready", failed[0].problem if failed else None)

    def state_now(self) -> AgentState:
        """For Health."""
        self.look()
        told = self.status
        return AgentState(
            name=self.hello.agent,
            node=self.hello.node,
            state=self.state,
            since_ns=self.since_ns,
            problem=self.problem,
            sources=told.reading if told else 0,
            packets=told.packets if told else 0,
            dropped=told.ring_drops if told else 0,
            shipped=self.kept_before + self.kept_records,
            lost=self.lost(),
            spooled_bytes=told.spooled_bytes if told else 0,
            skew_ns=self.skew_ns,
            shedding=shedding(told.shed) if told else None,
            cpu=told.cpu if told else None,
            memory_bytes=told.memory_bytes if told else None,
        )

    def lost(self) -> int:
        """Records that it gave up and, if it is gone, those that it had made and that never came."""
        if self.status is None:
            return 0
        gone = self.state == "lost" and self.connection is None
        kept = self.kept_before + self.kept_records
        missing = self.status.records - self.status.lost_records - kept if gone else 0
        return self.status.lost_records + max(0, missing)


def shedding(level: int) -> str | None:
    """What an agent leaves out at a level of control.Shed, in words."""
    if level <= 0:
        return None
    if level == 1:
        return "bodies"
    of = 1 << (level - 1)
    return f"bodies, and {of - 1} of {of} connections"


class Agents:
    """All of them. For the collector's event loop; `states` may be called from anywhere."""

    def __init__(self) -> None:
        self._agents: dict[tuple[str, str], Agent] = {}
        self._gaps = Gaps()

    def __iter__(self) -> Iterator[Agent]:
        return iter(list(self._agents.values()))

    def get(self, key: tuple[str, str]) -> Agent | None:
        """The agent of a name and boot."""
        return self._agents.get(key)

    def join(self, hello: Hello) -> Agent | None:
        """The agent that says this, known or new; None: there are too many."""
        agent = self._agents.get((hello.agent, hello.boot))
        if agent is not None:
            return agent
        self._begin_gap(hello.agent)
        for other in list(self):
            if other.hello.agent == hello.agent and other.connection is None and not other.lost():
                del self._agents[other.key]  # an earlier start of it, and nothing left to tell
        while len(self._agents) >= MAX_AGENTS:
            gone = next((a for a in self if a.connection is None), None)
            if gone is None:
                return None
            del self._agents[gone.key]
        agent = self._agents[hello.agent, hello.boot] = Agent(hello)
        return agent

    def _begin_gap(self, name: str) -> None:
        """Another start of that agent: what it taps was seen last by those before, if they are silent."""
        earlier = [agent for agent in self if agent.hello.agent == name]
        if any(agent.connection is not None and time.monotonic() - agent.heard <= LOST_AFTER for agent in earlier):
            return
        if tapped := [agent.heard for agent in earlier if agent.has_tapped]:
            self._gaps.begin(name, time.time_ns() - int((time.monotonic() - max(tapped)) * 1e9))

    def tell(self, agent: Agent, status: Status) -> None:
        """An agent says how it is."""
        # its first word comes before it has looked for what to tap
        reads = status.reading > 0 or (agent.status is not None and not status.sources)
        had_begun = agent.has_tapped
        agent.tell(status)
        if reads and not had_begun:
            self._gaps.end(agent.hello.agent)

    def states(self) -> tuple[AgentState, ...]:
        """How they are, by name."""
        return tuple(agent.state_now() for agent in sorted(self, key=lambda a: a.key))

    def targets(self) -> tuple[TargetState, ...]:
        """What they tap. A target that several look for is there if one has it."""
        best: dict[Any, TargetState] = {}
        order = ("tapped", "failed", "gone", "waiting")
        for agent in self:
            if agent.status is None or agent.connection is None:
                continue
            for source in agent.status.sources:
                target = source.target
                node = target.node or (agent.hello.node if source.state == "tapped" else None)
                name = target.name or target.value or "all interfaces"
                made = TargetState(
                    name.removeprefix(f"{target.namespace}/") if target.namespace else name,
                    target.kind,
                    target.namespace,
                    node,
                    source.state,
                    source.problem,
                )
                # several agents read interfaces of the same name: those are different
                key = (target, agent.key) if target.kind in ("interface", "pid", "file") else target
                known = best.get(key)
                if known is None or order.index(made.state) < order.index(known.state):
                    best[key] = made
        return tuple(best.values())

    def hints(self) -> Iterator[str]:
        """What a person should know, most pressing first."""
        connected = {agent.hello.agent for agent in self if agent.connection is not None}
        for state in self.states():
            if state.state == "failed" or (state.state == "lost" and state.name not in connected):
                yield f"Agent {state.name} is {state.state}: {state.problem}"
        for target in self.targets():
            if target.state == "tapped" and target.problem:
                where = f"{target.namespace}/" if target.namespace else ""
                yield f"{where}{target.name}: {target.problem}"
        if gone := sum(agent.gone_records for agent in self):
            yield f"This collector took the place of one that is gone, and with it {gone:,} records that it had kept."
        yield from self._gaps.hints()
        for state in self.states():
            if state.lost:
                yield f"Agent {state.name} lost {state.lost:,} records before they could be shipped."
            if state.dropped:
                yield f"The kernel dropped {state.dropped:,} packets at agent {state.name}; tap less, or give it more."
            if state.shedding:
                yield f"Agent {state.name} is at the limit of its budget and leaves out {state.shedding}."
            if state.skew_ns is not None and abs(state.skew_ns) >= SKEW_TOLD:
                way = "ahead" if state.skew_ns > 0 else "behind"
                yield (
                    f"The clock of agent {state.name} is {abs(state.skew_ns) / 1e9:.2f} s {way}; its requests are"
                    " listed by its clock, latencies are right."
                )
