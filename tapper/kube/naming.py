"""From the cluster's objects as they change to claims of who had which address when.

A pod has its addresses from when its node took it until its containers ended for good; then nobody has them until the
next pod does. Of a pod more may become known (its service, its deployment): that names what it did before too. A pod
that goes over to another service begins a new claim: what it did before keeps its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tapper.identity.names import Names
from tapper.kube import kinds, objects
from tapper.kube.holding import Holders, leave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tapper.kube.facts import Made, Node, Owner, Pod, Service, Slice
    from tapper.kube.holding import Place, Sink
    from tapper.kube.watching import Change

LOOPBACK = ("127.0.0.1", "::1")
MAX_NODE_PORTS = 2_000
"""Claims of one service: its ports on each node; beyond, who is called there is called by the node."""


@dataclass(slots=True)
class ClusterNames:
    """Keeps the claims of a cluster. `now` is ns since the epoch, the time of the change as it is heard of."""

    sink: Sink
    tapped: Callable[[Pod], bool] = lambda pod: True
    """Whether a pod's own loopback is listened to."""
    _pods: dict[tuple[str, str], Pod] = field(default_factory=dict)
    _services: dict[tuple[str, str], Service] = field(default_factory=dict)
    _slices: dict[tuple[str, str], Slice] = field(default_factory=dict)
    _nodes: dict[tuple[str, str], Node] = field(default_factory=dict)
    _made: dict[str, Made] = field(default_factory=dict)
    _made_keys: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _gone_made: set[str] = field(default_factory=set)
    """Those of `_made` that are no more, but for pods of theirs."""
    _pods_made: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    _slices_of: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)
    """By pod."""
    _slices_by_service: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)
    _holders: Holders = field(init=False)

    def __post_init__(self) -> None:
        self._holders = Holders(self.sink)

    def apply(self, change: Change, now: int) -> None:
        """Takes a change in."""
        match change.kind:
            case kinds.POD:
                self._apply_pod(change, now)
            case kinds.SERVICE:
                self._apply_service(change, now)
            case kinds.ENDPOINT_SLICE:
                self._apply_slice(change, now)
            case kinds.NODE:
                self._apply_node(change, now)
            case kinds.REPLICA_SET | kinds.JOB:
                self._apply_made(change, now)
        self._holders.forget(now)

    def pods(self) -> Iterator[Pod]:
        """All that are there."""
        yield from self._pods.values()

    def pod(self, key: tuple[str, str]) -> Pod | None:
        """One of them."""
        return self._pods.get(key)

    def made_by(self, change: Change) -> tuple[tuple[str, str], ...]:
        """The pods of what changed (a replica set, a job)."""
        uid = self._made_keys.get((change.kind.name, *change.key), "")
        return tuple(self._pods_made.get(uid, ()))

    def services(self) -> Iterator[Service]:
        """All that are there."""
        yield from self._services.values()

    def service(self, namespace: str, name: str) -> Service | None:
        """One of them."""
        return self._services.get((namespace, name))

    def workload(self, pod: Pod) -> Owner | None:
        """What a pod belongs to in the end: its deployment, cron job, stateful set ...; None: to nobody."""
        owner = pod.owner
        made = self._made.get(owner.uid) if owner is not None else None
        return made.owner if made is not None and made.owner is not None else owner

    def _apply_pod(self, change: Change, now: int) -> None:
        old = self._pods.pop(change.key, None)
        new = objects.pod(change.item) if change.item is not None else None
        if new is not None and new == old:
            self._pods[change.key] = new
            return
        of = new.owner.uid if new is not None and new.owner is not None else None
        if of is not None:
            self._pods_made.setdefault(of, set()).add(change.key)
        if old is not None and old.owner is not None and old.owner.uid != of:
            leave(self._pods_made, old.owner.uid, change.key)
            self._forget_made(old.owner.uid)
        if old is not None and (new is None or new.uid != old.uid):
            self._holders.release(old.uid, now)
        if new is None:
            return
        self._pods[change.key] = new
        self._name_pod(new, now)

    def _apply_service(self, change: Change, now: int) -> None:
        old = self._services.pop(change.key, None)
        new = objects.service(change.item) if change.item is not None else None
        if old is not None and (new is None or new.uid != old.uid):
            self._holders.release(old.uid, now)
        if new is not None:
            self._services[change.key] = new
            self._name_service(new, now)
        for place in self._slices_by_service.get(change.key, ()):
            self._rename_pods_of(self._slices[place], now)

    def _apply_slice(self, change: Change, now: int) -> None:
        old = self._slices.pop(change.key, None)
        new = objects.endpoint_slice(change.item) if change.item is not None else None
        if old is not None:
            leave(self._slices_by_service, (old.namespace, old.service), change.key)
            for name in old.pods:
                leave(self._slices_of, (old.namespace, name), change.key)
        if new is None:
            self._holders.release(_slice_uid(change.key), now)
            return
        self._slices[change.key] = new
        self._slices_by_service.setdefault((new.namespace, new.service), set()).add(change.key)
        for name in new.pods:
            self._slices_of.setdefault((new.namespace, name), set()).add(change.key)
        self._name_outside(new, now)
        self._rename_pods_of(new, now)

    def _apply_node(self, change: Change, now: int) -> None:
        uid = f"node/{change.key[1]}"
        if change.item is None:
            self._nodes.pop(change.key, None)
            self._holders.release(uid, now)
            return
        node = objects.node(change.item)
        if self._nodes.get(change.key) == node:  # only its heartbeat
            return
        self._nodes[change.key] = node
        names = Names(node=node.name)
        # where pods have no bridge, the first address of their network may be one of theirs
        free = [ip for ip in node.gateways if self._holders.of((ip, None, None)) in (None, uid)]
        self._holders.hold(uid, {(ip, None, None): names for ip in (*free, *node.ips)}, None, now)
        for service in self._services.values():
            if service.node_ports:
                self._name_service(service, now)

    def _apply_made(self, change: Change, now: int) -> None:
        place = (change.kind.name, *change.key)
        old = self._made_keys.pop(place, None)
        made = objects.made(change.item) if change.item is not None else None
        if old is not None and (made is None or made.uid != old):
            self._gone_made.add(old)
            self._forget_made(old)
        if made is None:
            return
        self._made_keys[place] = made.uid
        self._gone_made.discard(made.uid)
        before = self._made.get(made.uid)
        self._made[made.uid] = made
        if before is None or before.owner != made.owner:
            for pod in self._pods_made.get(made.uid, ()):
                self._name_pod(self._pods[pod], now)

    def _forget_made(self, uid: str) -> None:
        """Drops what is gone once its pods are, which may outlive it."""
        if uid in self._gone_made and uid not in self._pods_made:
            self._gone_made.discard(uid)
            self._made.pop(uid, None)

    def _rename_pods_of(self, part: Slice, now: int) -> None:
        for name in part.pods:
            pod = self._pods.get((part.namespace, name))
            if pod is not None:
                self._name_pod(pod, now)

    def _name_pod(self, pod: Pod, now: int) -> None:
        if pod.finished:
            self._holders.release(pod.uid, now)
            return
        self._holders.hold(pod.uid, dict(self._pod_names(pod)), pod.start, now)

    def _pod_names(self, pod: Pod) -> Iterator[tuple[Place, Names]]:
        owner = self.workload(pod)
        by_port = self._services_by_port(pod)

        def rank(service: str) -> tuple[bool, int, str]:
            """Of several services that it is in, the one it is called by: not a headless one, the shortest name."""
            known = self._services.get((pod.namespace, service))
            return known is None or not known.ips, len(service), service

        main = min({s for services in by_port.values() for s in services}, key=rank, default=None)
        made: dict[tuple[str | None, str | None], Names] = {}

        def names(service: str | None, container: str | None) -> Names:
            """The same object for the same names: a large cluster has some hundred thousand claims."""
            found = made.get((service, container))
            if found is None:
                found = made[service, container] = Names(
                    namespace=pod.namespace,
                    service=service,
                    workload=owner.name if owner is not None else None,
                    version=pod.version,
                    pod=pod.name,
                    container=container,
                    node=pod.node,
                )
            return found

        only = pod.containers[0].name if len(pod.containers) == 1 else None
        plain = names(main, only)
        by_container = {port: c.name for c in pod.containers for port in c.ports}
        ports = {
            port: names(min(by_port.get(port, ()), key=rank, default=main), by_container.get(port, only))
            for port in {*by_port, *by_container}
        }
        for ip in pod.ips:
            if not pod.host_network:
                yield (ip, None, None), plain
            for port, by_port_names in ports.items():
                if pod.host_network or by_port_names is not plain:
                    yield (ip, port, None), by_port_names
        for ip in () if pod.host_network else pod.host_ips:
            for container in pod.containers:
                for port in container.host_ports:
                    yield (ip, port, None), names(main, container.name)
        # within the pod only ports tell who it is; nobody asks for one that is not tapped
        if not pod.host_network and self.tapped(pod):
            for ip in LOOPBACK:
                yield (ip, None, pod.scope), plain
                for port, name in by_container.items():
                    if len(pod.containers) > 1:
                        yield (ip, port, pod.scope), names(main, name)

    def _services_by_port(self, pod: Pod) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for place in self._slices_of.get(pod.key, ()):
            part = self._slices[place]
            for port in part.ports if part.service else ():
                found.setdefault(port, set()).add(part.service)
        return found

    def _name_service(self, service: Service, now: int) -> None:
        names = Names(namespace=service.namespace, service=service.name)
        places: dict[Place, Names] = {(ip, None, None): names for ip in service.ips}
        places |= {(ip, port, None): names for ip in service.outer_ips for port in service.ports}
        if len(self._nodes) * len(service.node_ports) <= MAX_NODE_PORTS:
            nodes = self._nodes.values()
            places |= {(ip, port, None): names for node in nodes for ip in node.ips for port in service.node_ports}
        self._holders.hold(service.uid, places, service.start, now)

    def _name_outside(self, part: Slice, now: int) -> None:
        """Endpoints that are no pods: a database outside, called by a service's name."""
        names = Names(namespace=part.namespace, service=part.service)
        places: dict[Place, Names] = {(ip, port, None): names for ip in part.addresses for port in part.ports}
        self._holders.hold(_slice_uid(part.key), places if part.service else {}, part.start, now)


def _slice_uid(place: tuple[str, str]) -> str:
    return f"slice/{place[0]}/{place[1]}"
