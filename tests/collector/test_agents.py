"""What a collector knows of its agents."""

from __future__ import annotations

import re

from tapper.collector.agents import Agents
from tapper.model.control import Hello, SourceStatus, Status, Target


def test_a_pod_is_told_with_its_namespace_once() -> None:
    agents = Agents()
    agents.join(Hello("node-a", "boot", 1, node="node-a"))
    (agent,) = agents
    agent.connection = object()
    pod = Target("pod", "uid", "shop/orders-7d9f", "shop", "node-a")
    agent.tell(Status((SourceStatus(pod, "tapped", "its ring is small"),)))
    (told,) = agents.targets()
    assert (told.namespace, told.name, told.state) == ("shop", "orders-7d9f", "tapped")
    assert list(agents.hints())[-1] == "shop/orders-7d9f: its ring is small"


TAPPED = Status((SourceStatus(Target("pod", "uid", "shop/orders-7d9f", "shop"), "tapped"),), reading=1)


def start(agents: Agents, boot: str, *said: Status) -> None:
    """The agent of that boot comes, says so, and is gone."""
    agent = agents.join(Hello("node-a", boot, 1))
    assert agent is not None
    agent.connection = object()
    for status in said:
        agents.tell(agent, status)
    agent.connection = None


def hint(agents: Agents) -> str:
    """About an agent that began anew; empty: none."""
    return next((hint for hint in agents.hints() if "began anew" in hint), "")


def test_it_is_told_from_when_to_when_an_agent_that_began_anew_saw_nothing() -> None:
    agents, time = Agents(), r"\d\d:\d\d:\d\d \w+"
    start(agents, "1", TAPPED)
    assert not hint(agents)
    start(agents, "1", TAPPED)  # it was only away: what it saw comes later
    assert not hint(agents)
    start(agents, "2", Status())
    assert re.search(f"^Agent node-a began anew: nothing is seen there since {time}\\.$", hint(agents))
    start(agents, "3", Status(), TAPPED)
    assert re.search(f"^Agent node-a began anew: nothing was seen there from {time} to {time}\\.$", hint(agents))
    start(agents, "4", Status(), TAPPED)
    assert re.search(
        f"began anew 2 times: nothing was seen there for .+ in all, the last time from {time}", hint(agents)
    )


def test_an_agent_that_taps_nothing_or_files_misses_nothing() -> None:
    file = Status((SourceStatus(Target("file", "shop.pcap"), "tapped"),), reading=1)
    for status in (Status(), file):
        agents = Agents()
        start(agents, "1", status)
        start(agents, "2", status)
        assert not hint(agents)


def test_what_the_kernel_dropped_at_an_agent_is_told() -> None:
    agents = Agents()
    start(agents, "1", Status(ring_drops=1234))
    assert "The kernel dropped 1,234 packets at agent node-a; tap less, or give it more." in agents.hints()
