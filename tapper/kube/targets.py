"""Looks once at a cluster for what a selection means now: before anything is placed, and to tell the user."""

from __future__ import annotations

import difflib
import time
from typing import TYPE_CHECKING

from tapper.kube import kinds, objects
from tapper.kube.naming import ClusterNames
from tapper.kube.together import together
from tapper.kube.watching import Change

if TYPE_CHECKING:
    from tapper.identity.names import Claim
    from tapper.kube.cluster import Cluster
    from tapper.kube.selection import Selection


class _Unheard:
    """Nobody wants to know who has which address: `tapper.kube.holding.Sink`."""

    def add(self, claim: Claim) -> None:
        pass

    def replace(self, old: Claim, new: Claim) -> None:
        pass

    def remove(self, claim: Claim) -> None:
        pass


async def look(cluster: Cluster, selection: Selection) -> ClusterNames:
    """The pods (and what made them) of the namespaces of a selection."""
    names = ClusterNames(_Unheard(), lambda pod: False)
    wanted = [kinds.REPLICA_SET, kinds.JOB, kinds.SERVICE, kinds.POD]
    places = [(kind, space) for kind in wanted for space in selection.namespaces or (None,)]
    found = await together(*(cluster.list(kind, space) for kind, space in places))
    now = time.time_ns()
    for (kind, _), items in zip(places, found, strict=True):
        for item in items:
            names.apply(Change(kind, objects.key(item), {"kind": kind.name, **item}), now)
    return names


async def nothing(cluster: Cluster, selection: Selection, names: ClusterNames) -> str:
    """Why a selection has no pod, and what to do."""
    for space in selection.namespaces or ():
        if await cluster.get(kinds.NAMESPACE, space) is None:
            there = [str(item["metadata"]["name"]) for item in await cluster.list(kinds.NAMESPACE)]
            near = difflib.get_close_matches(space, there, n=3)
            return f"There is no namespace {space}." + (f" Near: {', '.join(near)}." if near else "")
    return selection.nothing(names)
