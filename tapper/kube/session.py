"""A session in the cluster: placed, reached, and removed."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, sessions
from tapper.kube.cluster import KubeError
from tapper.kube.credentials import make_credentials
from tapper.kube.forwarding import forward
from tapper.kube.manifest import namespace, objects
from tapper.kube.placement import API_PORT, COLLECTOR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tapper.kube.cluster import Cluster
    from tapper.kube.credentials import Credentials
    from tapper.kube.placement import Placement


def new_session() -> str:
    """A name for one."""
    return secrets.token_hex(4)


@dataclass(slots=True)
class Session:
    """One that was placed."""

    cluster: Cluster
    placement: Placement
    token: str

    @asynccontextmanager
    async def forwarded(self, local_port: int = 0) -> AsyncIterator[str]:
        """Gives the URL on this machine that leads to the collector's API."""
        labels = f"app.kubernetes.io/instance={self.placement.session},app.kubernetes.io/component=collector"
        async with forward(self.cluster, self.placement.namespace, labels, API_PORT, local_port) as port:
            yield f"http://127.0.0.1:{port}"

    async def remove(self) -> None:
        """Deletes it; returns when nothing is there any more."""
        await sessions.remove(self.cluster, await sessions.find(self.cluster, self.placement.session))
        async for _ in sessions.gone(self.cluster, self.placement.session):
            pass


async def place(cluster: Cluster, placement: Placement) -> Session:
    """Creates all objects of a tap; what was made is removed again if it can't be finished.

    Raises:
        KubeError: the API server refused something.
    """
    credentials = make_credentials((placement.host, f"{COLLECTOR}.{placement.namespace}"))
    try:
        return await apply(cluster, placement, credentials)
    except BaseException:
        await asyncio.shield(cluster.delete(kinds.NAMESPACE, placement.namespace))
        raise


async def apply(
    cluster: Cluster,
    placement: Placement,
    credentials: Credentials,
    change: Callable[[list[dict[str, Any]]], None] = lambda items: None,
) -> Session:
    """Creates all objects, or changes them to be like these; `change` may change them before.

    Raises:
        KubeError: the API server refused something.
    """
    made = await cluster.apply(namespace(placement))
    placement = replace(placement, pull_secrets=await _copy_pull_secrets(cluster, placement))
    items = objects(placement, credentials, str(made["metadata"]["uid"]))
    change(items)
    first = [item for item in items if item["kind"] not in ("Deployment", "DaemonSet")]
    await asyncio.gather(*(cluster.apply(item) for item in first))
    await asyncio.gather(*(cluster.apply(item) for item in items if item not in first))
    return Session(cluster, placement, credentials.api_token)


async def _copy_pull_secrets(cluster: Cluster, placement: Placement) -> tuple[str, ...]:
    """Pods can use only secrets of their own namespace."""
    for name in placement.pull_secrets:
        source = await cluster.get(kinds.SECRET, name, cluster.origin.namespace)
        if source is None:
            raise KubeError(f"no secret {name} in namespace {cluster.origin.namespace} to pull the image with")
        meta = {"name": name, "namespace": placement.namespace, "labels": placement.labels()}
        copy = {"apiVersion": "v1", "kind": "Secret", "metadata": meta}
        await cluster.apply({**copy, "type": source.get("type"), "data": source.get("data")})
    return placement.pull_secrets
