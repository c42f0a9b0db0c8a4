"""What a collector knows of its agents."""

from __future__ import annotations

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
