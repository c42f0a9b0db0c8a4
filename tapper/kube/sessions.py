"""The sessions that are in a cluster, and their removal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, objects
from tapper.kube.placement import NAME, SESSION
from tapper.kube.refusals import ApiError, KubeError
from tapper.kube.together import all_of, together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tapper.kube.cluster import Cluster
    from tapper.kube.kinds import Kind

CLUSTER_SCOPED = (kinds.CLUSTER_ROLE_BINDING, kinds.CLUSTER_ROLE)
DEAD_AFTER = 180  # seconds; a tap gives up earlier if its collector does not start
ELSEWHERE = (kinds.ROLE_BINDING, kinds.ROLE)
"""In the tapped namespaces."""


@dataclass(frozen=True, slots=True)
class Left:
    """An object of a session."""

    kind: Kind
    name: str
    namespace: str | None
    session: str
    since_ns: int | None
    ending: bool
    """It is being deleted already."""
    release: str | None = None
    """Of Helm, if that placed it."""

    def __str__(self) -> str:
        return f"{self.kind.name.lower()}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")


async def find(cluster: Cluster, session: str | None = None) -> list[Left]:
    """Objects of all sessions, or of one: namespaces, and what is outside of them."""
    labels = f"{SESSION}={session}" if session else SESSION
    found: list[Left] = []
    for kind in (kinds.NAMESPACE, *CLUSTER_SCOPED, *ELSEWHERE):
        try:
            items = await cluster.list(kind, labels=labels)
        except ApiError as error:
            if error.status == 403 and kind is not kinds.NAMESPACE:  # who may not see them: they go with the namespace
                continue
            raise
        found += [_left(kind, item) for item in items]
    own = {left.name for left in found if left.kind is kinds.NAMESPACE}
    return [left for left in found if left.namespace not in own]


def _left(kind: Kind, item: dict[str, Any]) -> Left:
    meta = item["metadata"]
    labels = meta.get("labels") or {}
    return Left(
        kind,
        str(meta["name"]),
        meta.get("namespace"),
        str(labels.get(SESSION, "")),
        objects.moment(meta.get("creationTimestamp")),
        bool(meta.get("deletionTimestamp")),
        (meta.get("annotations") or {}).get("meta.helm.sh/release-name"),
    )


async def dead(cluster: Cluster) -> list[str]:
    """Sessions of taps that were killed before their collector ran, which would have removed them."""
    try:
        found = await cluster.list(kinds.NAMESPACE, labels=SESSION)
        left = [_left(kinds.NAMESPACE, item) for item in found]
        begun = time.time_ns() - DEAD_AFTER * 1_000_000_000
        old = [one for one in left if one.session != NAME and not one.ending and (one.since_ns or 0) < begun]
        running = await together(*(_collects(cluster, one.name) for one in old))
    except KubeError:  # it is only to be told
        return []
    return [one.session for one, runs in zip(old, running, strict=True) if not runs]


async def _collects(cluster: Cluster, namespace: str) -> bool:
    pods = await cluster.list(kinds.POD, namespace, "app.kubernetes.io/component=collector")
    return any(objects.is_ready(pod) for pod in pods)


async def remove(cluster: Cluster, left: list[Left]) -> None:
    """Deletes them; returns before they are gone."""
    await all_of(*(cluster.delete(one.kind, one.name, one.namespace) for one in left))
    # else they would run until the namespace's controller comes to them, after some seconds; nothing makes them anew
    spaces = [one.name for one in left if one.kind is kinds.NAMESPACE]
    await all_of(*(_end_pods(cluster, name) for name in spaces))


async def _end_pods(cluster: Cluster, namespace: str) -> None:
    with contextlib.suppress(ApiError):  # who may not do this waits a little longer
        await cluster.request("DELETE", kinds.POD.path(namespace))


async def gone(cluster: Cluster, session: str | None = None) -> AsyncIterator[list[Left]]:
    """What is still there, again and again until nothing is."""
    while True:
        left = await find(cluster, session)
        yield left
        if not left:
            return
        await asyncio.sleep(0.3)
