"""A node with tapped pods whose agent does not run is told, and why that does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tapper.collector.agents import Agents
from tapper.collector.incluster import Reasons, unheard
from tapper.model.control import Hello, Target
from tests.kube.objects import kept

if TYPE_CHECKING:
    from pathlib import Path

PODS = [Target("pod", f"u{n}", f"shop/orders-{n}", "shop", node) for n, node in enumerate(("w1", "w2", "w2", "w3"))]


def test_nodes_without_an_agent_are_told_with_what_the_cluster_says_of_their_pods(tmp_path: Path) -> None:
    agents = Agents()
    there = agents.join(Hello("w1", "boot", 1, node="w1"))
    assert there is not None
    there.connection = object()

    async def look() -> dict[str, str]:
        async with kept(tmp_path) as (server, cluster):
            for name, node, labels, status in (
                ("agent-2", "w2", {"app.kubernetes.io/component": "agent"}, _waiting("ErrImagePull", "401")),
                ("agent-3", "w3", {"app.kubernetes.io/component": "agent"}, {}),
                ("collector", "w3", {"app.kubernetes.io/component": "collector"}, _waiting("CrashLoopBackOff", "x")),
            ):
                meta = {"name": name, "namespace": cluster.origin.namespace, "labels": labels}
                server.put({"kind": "Pod", "metadata": meta, "spec": {"nodeName": node}, "status": status})
            reasons = Reasons(cluster)
            await reasons.look()
            server.refused = lambda asked: True
            await reasons.look()  # what was known stays
            return reasons.of

    told = list(unheard(PODS, agents, asyncio.run(look())))
    assert told == [
        "No agent is ready on node w2: its 2 tapped pods can't be heard yet; agent-2: ErrImagePull: 401.",
        "No agent is ready on node w3: its 1 tapped pod can't be heard yet; see its pod with"
        " `kubectl get pods -A -l app.kubernetes.io/name=tapper -o wide`.",
    ]


def _waiting(reason: str, message: str) -> dict[str, Any]:
    return {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}
