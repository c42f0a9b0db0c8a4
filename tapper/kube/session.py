"""A session in the cluster: placed, watched until it is ready, reached, and removed."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, objects, sessions
from tapper.kube.cluster import ApiError, KubeError
from tapper.kube.credentials import make_credentials
from tapper.kube.forwarding import forward
from tapper.kube.placement import AGENT, API_PORT, COLLECTOR, namespace
from tapper.kube.placement import objects as placed_objects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tapper.kube.cluster import Cluster
    from tapper.kube.credentials import Credentials
    from tapper.kube.objects import Pod
    from tapper.kube.placement import Placement

OTHERS = 4.0  # seconds that further agents are waited for once one is ready
EVENTS_AFTER = 3.0  # seconds without any pod to tell why
POLL = 0.3  # seconds between two looks at pods that start
MAX_WARNINGS = 3
IMAGE_WORDS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")


def new_session() -> str:
    """A name for one."""
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the pods are."""

    collector: bool
    agents: int
    """Ready."""
    nodes: int
    """That shall have one."""
    problems: tuple[str, ...] = ()
    """Why something is not ready yet: the pod, its node, the cluster's words."""
    image: str | None = None
    """A problem with the image, if that is what it is."""

    @property
    def ready(self) -> bool:
        """All of it."""
        return self.collector and self.nodes > 0 and self.agents == self.nodes


@dataclass(slots=True)
class Session:
    """One that was placed."""

    cluster: Cluster
    placement: Placement
    token: str
    started: float = field(default_factory=time.monotonic)

    async def progress(self) -> Progress:
        """How far it is now."""
        where = self.placement.namespace
        labels = f"app.kubernetes.io/instance={self.placement.session}"
        items, deployment, daemon = await asyncio.gather(
            self.cluster.list(kinds.POD, where, labels),
            self.cluster.get(kinds.DEPLOYMENT, COLLECTOR, where),
            self.cluster.get(kinds.DAEMON_SET, AGENT, where),
        )
        pods = [objects.pod(item) for item in items if "deletionTimestamp" not in item["metadata"]]
        collectors, agents = _rolled(deployment, "updatedReplicas"), _rolled(daemon, "updatedNumberScheduled")
        problems = [(pod, pod.waiting) for pod in pods if pod.waiting is not None and not pod.ready]
        return Progress(
            collector=collectors > 0 and _ready(pods, "collector") > 0,
            agents=min(agents, _ready(pods, "agent")),
            nodes=int(((daemon or {}).get("status") or {}).get("desiredNumberScheduled") or 0),
            problems=tuple(f"{pod.name} on {pod.node or 'no node'}: {told}" for pod, told in problems),
            image=next((told for _, told in problems if told and told.startswith(IMAGE_WORDS)), None),
        )

    async def warnings(self) -> tuple[str, ...]:
        """What the cluster's controllers complain of, newest first: of pods that can't even be made, or start."""
        try:
            items = await self.cluster.list(kinds.EVENT, self.placement.namespace, fields="type=Warning")
        except ApiError:  # who may not read them sees less
            return ()
        # a probe that does not answer yet is how everything starts
        told = [item for item in items if item.get("reason") != "Unhealthy"]
        told.sort(key=lambda item: str(item.get("lastTimestamp") or item.get("eventTime") or ""), reverse=True)
        return tuple(
            f"{(item.get('involvedObject') or {}).get('name')}: {item.get('reason')}: {item.get('message')}"[:300]
            for item in told[:MAX_WARNINGS]
        )

    async def wait(self, seconds: float, told: Callable[[Progress], None], *, every: bool = False) -> Progress:
        """Until the collector and all agents are ready, or some are and `every` one is not asked for; tells of changes.

        Raises:
            KubeError: they are not in time, or the image can't be had; the message says what to do.
        """
        last: Progress | None = None
        end = time.monotonic() + seconds
        some: float | None = None  # since when some are ready
        quiet = time.monotonic() + EVENTS_AFTER
        while True:
            progress = await self.progress()
            if not progress.ready and not progress.problems and time.monotonic() > quiet:
                progress = replace(progress, problems=await self.warnings())
            if progress != last:
                told(progress)
                last = progress
            if progress.image is not None:
                raise KubeError(image_problem(self.placement.image, progress.image))
            if progress.collector and progress.agents:
                some = some or time.monotonic()
                if progress.ready or (not every and time.monotonic() - some > OTHERS):
                    return progress
            if time.monotonic() > end:
                why = "".join(f"\n  {problem}" for problem in progress.problems)
                raise KubeError(
                    f"collector and agents were not ready within {seconds:g} s in {self.placement.namespace}{why}"
                )
            await asyncio.sleep(POLL)

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


def _ready(pods: list[Pod], component: str) -> int:
    return sum(pod.ready for pod in pods if pod.labels.get("app.kubernetes.io/component") == component)


def _rolled(item: dict[str, Any] | None, figure: str) -> int:
    """How many pods are as the object is now: after a change there are some of before."""
    if item is None:
        return 0
    status = item.get("status") or {}
    return int(status.get(figure) or 0) if status.get("observedGeneration") == item["metadata"]["generation"] else 0


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
    items = placed_objects(placement, credentials, str(made["metadata"]["uid"]))
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


def image_problem(image: str, told: str) -> str:
    """What to do when nodes can't get the image."""
    return (
        f"the nodes can't get the image {image}: {told}\n"
        "Name one that they can pull with --image (and --image-pull-secret), or put it on the nodes:\n"
        f"  kind load docker-image {image}   ·   minikube image load {image}   ·   ctr -n k8s.io images import x.tar"
    )


async def running(cluster: Cluster, placement: Placement) -> bool:
    """Whether its namespace is there and not ending."""
    try:
        item = await cluster.get(kinds.NAMESPACE, placement.namespace)
    except ApiError:
        return True
    return item is not None and not item["metadata"].get("deletionTimestamp")
