"""The pods of a cluster that a selection means, kept change by change: a large one has too many to look at each."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tapper.kube import kinds
from tapper.model.control import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tapper.kube.facts import Pod
    from tapper.kube.naming import ClusterNames
    from tapper.kube.selection import Selection
    from tapper.kube.watching import Change

SHOWN = 3  # pods of a hint


@dataclass(slots=True)
class Tapped:
    """Those that fit, of a cluster that `names` knows."""

    selection: Selection
    names: ClusterNames
    _pods: dict[tuple[str, str], Pod] = field(default_factory=dict)
    _told: dict[tuple[str, str], Target] = field(default_factory=dict)
    """What agents are told of them."""
    _order: list[tuple[str, str]] = field(default_factory=list)
    """Keys of what is told."""
    _targets: tuple[Target, ...] | None = ()
    """All of it; None: to be made anew."""

    def apply(self, change: Change) -> None:
        """Takes a change in that the names have taken in."""
        for key in self._concerned(change):
            pod = self.names.pod(key)
            if pod is not None and not self.selection.has(pod, self.names):
                pod = None
            if pod is None:
                self._pods.pop(key, None)
            else:
                self._pods[key] = pod
            self._tell(key, target(pod) if pod is not None and pod.node is not None and pod.apart else None)

    def _tell(self, key: tuple[str, str], new: Target | None) -> None:
        old = self._told.pop(key, None)
        if new is not None:
            self._told[key] = new
        if new == old:
            return
        self._targets = None
        if old is None:
            insort(self._order, key)
        elif new is None:
            del self._order[bisect_left(self._order, key)]

    def _concerned(self, change: Change) -> Iterable[tuple[str, str]]:
        """Pods that may fit now and did not, or the other way round."""
        match change.kind:
            case kinds.POD:
                return (change.key,)
            case kinds.REPLICA_SET | kinds.JOB:
                return self.names.made_by(change)
            case kinds.SERVICE if self.selection.goes_by(change.key[1]):
                return [pod.key for pod in self.names.pods() if pod.namespace == change.key[0]]
        return ()

    def __len__(self) -> int:
        return len(self._pods)

    def targets(self) -> tuple[Target, ...]:
        """What agents are told, by namespace and name; the same object as before if nothing changed."""
        if self._targets is None:
            self._targets = tuple(self._told[key] for key in self._order)
        return self._targets

    def mixed(self) -> list[Pod]:
        """Those that are not tapped, though they fit: see `Pod.apart`."""
        return [pod for pod in self._pods.values() if not pod.apart]


def target(pod: Pod) -> Target:
    """What an agent is told of a pod. On the host network it is told by its ports from all else on the node."""
    ports = pod.ports if pod.host_network else ()
    own = not pod.host_network
    return Target("pod", pod.uid, pod.scope, pod.namespace, pod.node, ports=ports, own_network=own)


def not_tapped(mixed: Sequence[Pod]) -> str:
    """Why pods that fit are not tapped, and what to do."""
    more = f" and {len(mixed) - SHOWN} more" if len(mixed) > SHOWN else ""
    return (
        f"Not tapped: {', '.join(pod.scope for pod in mixed[:SHOWN])}{more}, on the host network without a declared"
        " port: nothing tells such a pod's packets from others' of its node. Declare a containerPort to tap it; what"
        " tapped pods say with it is shown."
    )
