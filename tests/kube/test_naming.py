"""Who had which address when, as a recorded rollout on a real cluster tells it."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from tapper.identity.claims import ClaimBook, line
from tapper.identity.names import Names
from tapper.kube import kinds
from tapper.kube.holding import KEEP_NS
from tapper.kube.naming import ClusterNames
from tapper.kube.watching import Change
from tests.kube.recorded import STREAMS, Recorded

SIMPLE = "10.244.2.4"


class World:
    def __init__(self) -> None:
        self.book = ClaimBook()
        self.names = ClusterNames(self)
        self.recorded = Recorded(self.names.apply)
        self.claims = 0

    def add(self, claim: Any) -> None:
        self.claims += 1
        self.book.add(claim)

    def replace(self, old: Any, new: Any) -> None:
        self.book.remove(old)
        self.book.add(new)

    def remove(self, claim: Any) -> None:
        self.claims -= 1
        self.book.remove(claim)

    def who(self, ip: str, at: int | None = None, port: int | None = None, scope: str | None = None) -> Names | None:
        """Who had an address at that time; by default, has it now."""
        drawn = line(self.book.of(ipaddress.ip_address(ip), scope), port)
        claim = drawn.claims[drawn.at(self.recorded.now if at is None else at)]
        return claim and claim.names

    def pod(self, name: str) -> Any:
        return next(p for p in self.names.pods() if p.name.startswith(name))


@pytest.fixture
def world() -> World:
    return World()


def test_a_pod_has_its_name_before_any_service_does(world: World) -> None:
    world.recorded.play("pod")
    found = world.who(SIMPLE)
    assert found == Names(namespace="recorded", version="1", pod="simple-app", container="app", node="node2")


def test_a_service_made_later_names_the_pod_and_what_it_did_before(world: World) -> None:
    before = world.recorded.play("pod")
    world.recorded.play("service")
    for time in (before, None):
        assert (world.who(SIMPLE, time) or Names()).service == "simple-app"  # not the headless one
    assert (world.who("10.96.142.16") or Names()).best() == "simple-app"


def test_a_pod_that_died_keeps_its_time_and_the_next_one_gets_the_address_after_it(world: World) -> None:
    alive = world.recorded.play("rollout")
    dead = world.recorded.play("deleted")
    assert (world.who(SIMPLE, alive) or Names()).pod == "simple-app"
    assert world.who(SIMPLE, dead) is None
    orders = world.pod("orders")
    text = json.dumps(next(i for i in _items("Pod", orders.name) if i["status"].get("podIP")))
    again = json.loads(text.replace(orders.ips[0], SIMPLE).replace(orders.uid, "another").replace(orders.name, "later"))
    world.recorded.hear("Pod", ["recorded", "later"], again, dead + 1)
    assert (world.who(SIMPLE, dead + 1) or Names()).pod == "later"
    # the later pod began, by the clock of its node, before the first one had ended
    assert world.names.workload(world.pod("later")) is not None
    assert (world.who(SIMPLE, alive) or Names()).pod == "simple-app"


def test_versions_of_a_rollout_are_told_apart_and_belong_to_one_deployment(world: World) -> None:
    world.recorded.play("deployment")
    old = [p for p in world.names.pods() if p.name.startswith("orders")]
    then = world.recorded.now
    world.recorded.play("rollout")
    new = [p for p in world.names.pods() if p.name.startswith("orders")]
    named = [(world.who(p.ips[0], then), world.who(p.ips[0])) for p in (old[0], new[0])]
    assert {(n.workload, n.service, n.version) for n in (named[0][0], named[1][1]) if n} == {
        ("orders", "orders", "1.0"),
        ("orders", "orders", "2.0"),
    }
    assert named[0][1] is None


def test_a_pod_that_outlives_its_replica_set_keeps_its_deployment(world: World) -> None:
    """As where a deployment is deleted: the collector of garbage takes the replica set before its pods have ended."""
    alive = world.recorded.play("deployment")
    pod = world.pod("orders")
    [replica_set] = [i for i in _items("ReplicaSet") if i["metadata"]["uid"] == pod.owner.uid][:1]
    world.recorded.hear("ReplicaSet", ["recorded", replica_set["metadata"]["name"]], None, alive + 1)
    last = [i for i in _items("Pod", pod.name) if not i["metadata"].get("deletionTimestamp")][-1]
    ending = json.loads(json.dumps(last))
    ending["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    ending["status"]["conditions"] = []
    world.recorded.hear("Pod", ["recorded", pod.name], ending, alive + 2)
    for at in (alive, alive + 2):
        assert (world.who(pod.ips[0], at) or Names()).workload == "orders"
    for name in [p.name for p in world.names.pods() if p.name.startswith("orders")]:
        world.recorded.hear("Pod", ["recorded", name], None, alive + 3)
    assert pod.owner.uid not in world.names._made
    assert not world.names._gone_made


def test_two_containers_of_a_pod_are_known_by_their_ports_even_over_localhost(world: World) -> None:
    world.recorded.play("deployment")
    pair = world.pod("pair")
    for ip, scope in ((pair.ips[0], None), ("127.0.0.1", "recorded/pair")):
        found = {port: (world.who(ip, port=port, scope=scope) or Names()).container for port in (8080, 9090, 5555)}
        assert found == {8080: "front", 9090: "back", 5555: None}
    assert world.who("127.0.0.1", port=8080) is None
    assert world.who("127.0.0.1", port=8080, scope="recorded/other") is None


def test_a_pod_on_the_host_network_has_its_ports_and_the_node_the_others(world: World) -> None:
    world.recorded.play("deployment")
    host = world.pod("host")
    assert (world.who(host.ips[0], port=7777) or Names()).pod == "host"
    assert (world.who(host.ips[0], port=22) or Names()) == Names(node=host.node)


def test_a_node_port_is_the_services_on_every_node(world: World) -> None:
    world.recorded.play("deployment")
    [port] = next(s for s in world.names.services() if s.name == "orders").node_ports
    for ip in ("10.240.0.2", "10.240.0.3"):
        assert (world.who(ip, port=port) or Names()).service == "orders"
    world.recorded.hear("Service", ["recorded", "orders"], None, world.recorded.now + 1)
    assert (world.who("10.240.0.3", port=port) or Names()) == Names(node="node2")


def test_what_is_long_gone_is_forgotten(world: World) -> None:
    then = world.recorded.play("deployment")
    world.recorded.play("deleted")
    before = world.claims
    world.names.apply(Change(kinds.NODE, ("", "nobody"), None), world.recorded.now + KEEP_NS + 1)
    assert world.claims < before
    assert world.who(SIMPLE, then) is None
    assert (world.who(world.pod("orders").ips[0]) or Names()).version == "2.0"


def test_a_list_made_anew_changes_nothing(world: World) -> None:
    world.recorded.play("deployment")
    before = world.claims
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for change in _changes():
        last[(change["kind"], *change["key"])] = change
        if change["item"] and change["item"].get("spec", {}).get("externalName") == "deployment.step":
            break
    for change in last.values():
        if change["item"] is not None:
            world.recorded.hear(change["kind"], change["key"], change["item"], world.recorded.now + 1)
    assert world.claims == before


@pytest.mark.parametrize("kind", ["Pod", "Service", "EndpointSlice", "Node", "ReplicaSet"])
@pytest.mark.parametrize("rubbish", [None, 7, "x" * 10_000, [], {}, {"x": [None]}, [[{}]], "\x1b[31m", "10.0.0.999"])
def test_hostile_objects_name_nothing_and_break_nothing(world: World, kind: str, rubbish: Any) -> None:
    """Every part of an object, one after another, is something else."""
    item = _items(kind)[-1]
    for path in _paths(item):
        changed = json.loads(json.dumps(item))
        at = changed
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = rubbish
        world.recorded.hear(kind, ["recorded", "it"], changed, 1)
        for claim in [c for claims in world.book._by_network.values() for c in claims]:
            texts = [t for t in (claim.names.pod, claim.names.service, claim.names.container, claim.names.version) if t]
            assert all(t.isprintable() and len(t) < 300 for t in texts)


def _paths(item: Any) -> list[tuple[Any, ...]]:
    inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [path for key, value in inner for path in ((key,), *((key, *rest) for rest in _paths(value)))]


def _changes() -> list[dict[str, Any]]:
    return [json.loads(text) for text in (STREAMS / "rollout.jsonl").read_text().splitlines()]


def _items(kind: str, name: str | None = None) -> list[dict[str, Any]]:
    return [c["item"] for c in _changes() if c["kind"] == kind and c["item"] and name in (None, c["key"][1])]
