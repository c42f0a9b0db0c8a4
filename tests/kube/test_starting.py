"""When a session that was placed has begun, what is told of those that have not, and what ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tapper.cli.tapping.lines import Lines
from tapper.kube import starting
from tapper.kube.placement import AGENT, COLLECTOR, Placement
from tapper.kube.refusals import KubeError
from tapper.kube.session import Session
from tapper.kube.starting import Progress, ready
from tests.kube.objects import Objects, kept

if TYPE_CHECKING:
    from pathlib import Path

PLACEMENT = Placement("abc", "tapper:1")
PULLING = {"reason": "ErrImagePull", "message": "unexpected status: 401 Unauthorized"}


def _conditions(ready: bool) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": "True" if ready else "False"}]


def _pod(
    there: Objects, component: str, node: str, waiting: dict[str, str] | None = None, *, ready: bool = True
) -> None:
    meta = {"name": f"{component}-{node}", "namespace": PLACEMENT.namespace, "labels": PLACEMENT.labels(component)}
    status: dict[str, Any] = {"conditions": _conditions(ready and waiting is None)}
    status["containerStatuses"] = [{"state": {"waiting": waiting}}] if waiting else []
    there.put({"kind": "Pod", "metadata": meta, "spec": {"nodeName": node}, "status": status})


def _placed(there: Objects, nodes: dict[str, bool]) -> None:
    """What the cluster's controllers make of a session; nodes, and whether they are ready."""
    for kind, name, status in (
        ("Deployment", COLLECTOR, {"updatedReplicas": 1}),
        ("DaemonSet", AGENT, {"updatedNumberScheduled": len(nodes), "desiredNumberScheduled": len(nodes)}),
    ):
        meta = {"name": name, "namespace": PLACEMENT.namespace, "generation": 1}
        there.put({"kind": kind, "metadata": meta, "status": {"observedGeneration": 1, **status}})
    for node, is_ready in nodes.items():
        there.put({"kind": "Node", "metadata": {"name": node}, "status": {"conditions": _conditions(is_ready)}})


def _ready(tmp_path: Path, pods: list[Any], nodes: dict[str, bool], seconds: float = 30, **how: Any) -> Progress:
    """What `ready` gives where these pods are as they are."""

    async def run() -> Progress:
        async with kept(tmp_path) as (there, cluster):
            _placed(there, nodes)
            _pod(there, "collector", "w1", how.pop("collector", None))
            for node, waiting in pods:
                _pod(there, "agent", node, waiting or None, ready=waiting is not False)
            return await ready(Session(cluster, PLACEMENT, "t"), seconds, lambda now: None, **how)

    return asyncio.run(run())


TWO = {"w1": True, "w2": True}


@pytest.mark.parametrize("matter", [(), ("w1",), ("w1", "w2")])
def test_one_node_that_cannot_get_the_image_does_not_end_a_tap_of_others(
    tmp_path: Path, matter: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(starting, "OTHERS", 0)
    now = _ready(tmp_path, [("w1", None), ("w2", PULLING)], TWO, matter=matter)
    assert (now.agents, now.nodes, now.ready) == (1, 2, False)
    lines = Lines(quiet=False)
    lines.progress(now)
    capsys.readouterr()
    lines.ready(1)
    told = capsys.readouterr().err
    assert "begun without the others" in told
    assert "agent-w2 on w2: ErrImagePull: unexpected status: 401 Unauthorized" in told


@pytest.mark.parametrize(
    ("pods", "how"),
    [
        ([("w1", None), ("w2", PULLING)], {"matter": ("w2",)}),
        ([("w1", PULLING), ("w2", PULLING)], {}),
        ([("w1", None), ("w2", None)], {"collector": PULLING}),
    ],
)
def test_nodes_that_cannot_get_the_image_end_a_tap_that_is_nothing_without_them(
    tmp_path: Path, pods: list[Any], how: dict[str, Any]
) -> None:
    with pytest.raises(KubeError, match="the nodes can't get the image tapper:1: ErrImagePull"):
        _ready(tmp_path, pods, TWO, **how)


def test_a_node_that_is_not_ready_itself_is_not_waited_for(tmp_path: Path) -> None:
    now = _ready(tmp_path, [("w1", None), ("w2", None), ("w3", False)], {**TWO, "w3": False}, every=True)
    assert (now.agents, now.nodes, now.ready, now.away) == (2, 2, True, ("w3",))


def test_who_waits_for_every_agent_is_told_in_the_end_which_are_not_ready_and_why(tmp_path: Path) -> None:
    now = _ready(tmp_path, [("w1", None), ("w2", {"reason": "CrashLoopBackOff"})], TWO, seconds=0, every=True)
    assert (now.agents, now.nodes, now.problems) == (1, 2, ("agent-w2 on w2: CrashLoopBackOff",))
    with pytest.raises(KubeError, match="not ready within 0 s"):
        _ready(tmp_path, [("w1", {"reason": "CrashLoopBackOff"})], {"w1": True}, seconds=0, every=True)


def test_of_pods_that_tell_nothing_the_events_are_told(tmp_path: Path) -> None:
    async def run() -> Progress:
        async with kept(tmp_path) as (there, cluster):
            _placed(there, TWO)
            _pod(there, "collector", "w1")
            _pod(there, "agent", "w1")
            _pod(there, "agent", "w2", ready=False)
            for pod, kind, reason, message in (
                ("agent-w1", "Normal", "Pulling", "pulling what is there"),
                ("agent-w1", "Normal", "Pulled", "it came"),
                ("agent-w2", "Warning", "Unhealthy", "no answer yet"),
                ("agent-w2", "Warning", "FailedMount", "no such volume"),
                ("agent-w2", "Normal", "Pulling", "pulling"),
            ):
                meta = {"name": f"{pod}-{reason}".lower(), "namespace": PLACEMENT.namespace}
                about = {"involvedObject": {"name": pod}, "reason": reason, "message": message}
                there.put({"kind": "Event", "metadata": meta, "type": kind, **about})
            return await ready(Session(cluster, PLACEMENT, "t"), 0, lambda now: None, every=True)

    assert asyncio.run(run()).problems == (
        "agent-w2: FailedMount: no such volume",
        "agent-w2: Pulling: pulling",
    )
