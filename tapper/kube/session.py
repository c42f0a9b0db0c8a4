"""A session in the cluster: placed, reached, and removed."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, sessions
from tapper.kube.credentials import make_credentials
from tapper.kube.forwarding import forward
from tapper.kube.manifest import namespace, objects
from tapper.kube.placement import API_PORT, COLLECTOR, object_of
from tapper.kube.refusals import KubeError
from tapper.kube.together import together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tapper.kube.cluster import Cluster
    from tapper.kube.credentials import Credentials
    from tapper.kube.placement import Placement


LATER = (("ClusterRoleBinding", "RoleBinding"), ("Deployment", "DaemonSet"))
"""Kinds that are placed after all others, one group after the other. Whoever may not bind any role may bind one whose
rights he has: the API server looks at the role's.
"""


def new_session() -> str:
    """A name for one."""
    return secrets.token_hex(4)


@dataclass(slots=True)
class Session:
    """One in the cluster, or to be placed there."""

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


@dataclass(slots=True)
class Planned(Session):
    """One that is to be placed."""

    credentials: Credentials

    async def place(self) -> None:
        """Creates all its objects. Whatever comes of it, `remove` is to be called in the end.

        Raises:
            KubeError: the API server refused something.
        """
        await apply(self.cluster, self.placement, self.credentials)


def plan(cluster: Cluster, placement: Placement) -> Planned:
    """One with keys of its own; nothing of it is in the cluster yet."""
    credentials = make_credentials((placement.host, f"{COLLECTOR}.{placement.namespace}"))
    return Planned(cluster, placement, credentials.api_token, credentials)


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
    copies = await _pull_secrets(cluster, placement)
    made = await cluster.apply(namespace(placement))
    items = objects(placement, credentials, str(made["metadata"]["uid"]))
    change(items)
    items += copies
    for step in range(len(LATER) + 1):
        await together(*(cluster.apply(item) for item in items if _step(item) == step))
    return Session(cluster, placement, credentials.api_token)


def _step(item: dict[str, Any]) -> int:
    return next((number for number, kinds_of in enumerate(LATER, 1) if item["kind"] in kinds_of), 0)


async def _pull_secrets(cluster: Cluster, placement: Placement) -> list[dict[str, Any]]:
    """Copies: pods can use only secrets of their own namespace.

    Raises:
        KubeError: one is not there.
    """
    copies: list[dict[str, Any]] = []
    for name in placement.pull_secrets:
        source = await cluster.get(kinds.SECRET, name, cluster.origin.namespace)
        if source is None:
            raise KubeError(f"no secret {name} in namespace {cluster.origin.namespace} to pull the image with")
        copies.append(object_of(kinds.SECRET, name, placement, type=source.get("type"), data=source.get("data")))
    return copies
