"""Which pods agents are told to tap, as a recorded cluster changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tapper.identity.index import Identity
from tapper.kube import kinds
from tapper.kube.naming import ClusterNames
from tapper.kube.selection import Selection
from tapper.kube.tapped import Tapped, not_tapped, target
from tapper.kube.watching import Change
from tests.kube.recorded import Recorded


class World:
    """A cluster, and what a selection means in it."""

    def __init__(self, *words: str) -> None:
        self.names = ClusterNames(Identity())
        self.tapped = Tapped(Selection(words, ("recorded",)), self.names)
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.recorded = Recorded(self.hear)

    def hear(self, change: Change, now: int) -> None:
        self.names.apply(change, now)
        self.tapped.apply(change)
        if change.item is not None:
            self.items[change.kind.name, change.key[1]] = change.item
        assert [t.name for t in self.tapped.targets()] == [
            pod.scope for pod in self.tapped.selection.pods(self.names) if pod.node is not None and pod.apart
        ]

    def pod(self, name: str) -> dict[str, Any]:
        """A copy of a pod's object, to be changed."""
        return copy.deepcopy(
            self.items["Pod", next(n for kind, n in self.items if kind == "Pod" and n.startswith(name))]
        )

    def names_told(self) -> list[str]:
        return [target.name.removeprefix("recorded/") for target in self.tapped.targets()]


@pytest.mark.parametrize(
    "words", [(), ("orders",), ("deploy/orders",), ("svc/orders",), ("svc/simple-app", "host"), ("^(pair|ord.*)$",)]
)
def test_each_change_leads_to_what_a_look_at_all_pods_gives(words: tuple[str, ...]) -> None:
    world = World(*words)
    for step in ("pod", "service", "deployment", "rollout", "deleted"):
        world.recorded.play(step)  # `hear` compares
    assert world.names_told() or words[:1] == ("svc/simple-app",)


def test_a_service_that_comes_or_changes_brings_its_pods() -> None:
    world = World("svc/orders")
    world.recorded.play("deployment")
    assert len(world.names_told()) == 2
    service = copy.deepcopy(world.items["Service", "orders"])
    service["spec"]["selector"] = {"app": "pair"}
    world.recorded.hear("Service", ["recorded", "orders"], service, 1)
    assert world.names_told() == ["pair"]
    world.recorded.hear("Service", ["recorded", "orders"], None, 2)
    assert world.names_told() == []


def test_nothing_is_made_anew_where_nothing_changed() -> None:
    world = World("orders")
    world.recorded.play("deployment")
    before = world.tapped.targets()
    world.hear(Change(kinds.POD, ("recorded", "pair"), world.pod("pair")), 1)
    assert world.tapped.targets() is before


def test_a_pod_on_the_host_network_is_told_by_its_ports() -> None:
    world = World("host")
    world.recorded.play("deployment")
    [told] = world.tapped.targets()
    assert (told.ports, told.own_network) == ((7777,), False)
    pair = World("pair")
    pair.recorded.play("deployment")
    [told] = pair.tapped.targets()
    assert (told.ports, told.own_network) == ((), True)


def test_a_pod_that_nothing_tells_from_its_node_is_not_tapped_and_that_is_told() -> None:
    """A target without ports would record all that its node says, of pods that nobody chose."""
    world = World()
    world.recorded.play("deployment")
    item = world.pod("host")
    for container in item["spec"]["containers"]:
        container.pop("ports")
    world.recorded.hear("Pod", ["recorded", "host"], item, world.recorded.now + 1)
    assert "host" not in world.names_told()
    assert all(told.ports or told.own_network for told in world.tapped.targets())
    [mixed] = world.tapped.mixed()
    assert mixed.name == "host"
    assert "Not tapped: recorded/host, on the host network without a declared port" in not_tapped([mixed])
    assert "recorded/host and 2 more" not in not_tapped([mixed])
    assert "recorded/host, recorded/host, recorded/host and 1 more" in not_tapped([mixed] * 4)
    assert target(mixed).name == "recorded/host"
