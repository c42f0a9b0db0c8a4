"""Waits until a session that was placed works: how far its pods are, why they are not further, whether it answers."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, objects
from tapper.kube.placement import AGENT, COLLECTOR
from tapper.kube.refusals import ApiError, KubeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import aiohttp

    from tapper.kube.facts import Pod
    from tapper.kube.session import Session

OTHERS = 4.0  # seconds that further agents are waited for once one is ready
EVENTS_AFTER = 3.0  # seconds without any pod to tell why
POLL = 0.3  # seconds between two looks at pods that start
ASK = 0.2  # seconds between two questions to a collector that starts
MAX_EVENTS = 3
IMAGE_WORDS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the pods are."""

    collector: bool
    agents: int
    """Ready."""
    nodes: int
    """That shall have one, but for those that are `away`."""
    away: tuple[str, ...] = ()
    """Nodes that are not ready themselves: their agents begin once they are."""
    problems: tuple[str, ...] = ()
    """Why something is not ready yet: the pod, its node, the cluster's words."""
    image: str | None = None
    """A problem with the image, where nothing can come of the session for it."""

    @property
    def ready(self) -> bool:
        """All of it."""
        return self.collector and self.nodes > 0 and self.agents >= self.nodes


async def progress(
    session: Session, matter: frozenset[str] = frozenset(), away: frozenset[str] = frozenset()
) -> Progress:
    """How far it is now, as the cluster tells it: a second or more after it was so.

    `matter`: nodes of which at least one must have an agent; none: of any.
    `away`: nodes that are not ready themselves.
    """
    cluster, where = session.cluster, session.placement.namespace
    labels = f"app.kubernetes.io/instance={session.placement.session}"
    items, deployment, daemon = await asyncio.gather(
        cluster.list(kinds.POD, where, labels),
        cluster.get(kinds.DEPLOYMENT, COLLECTOR, where),
        cluster.get(kinds.DAEMON_SET, AGENT, where),
    )
    pods = [objects.pod(item) for item in items if "deletionTimestamp" not in item["metadata"]]
    collectors, agents = _rolled(deployment, "updatedReplicas"), _rolled(daemon, "updatedNumberScheduled")
    waiting = [pod for pod in pods if not pod.ready and pod.node in away and _is(pod, "agent")]
    pods = [pod for pod in pods if pod not in waiting]
    nodes = int(((daemon or {}).get("status") or {}).get("desiredNumberScheduled") or 0) - len(waiting)
    return Progress(
        collector=collectors > 0 and _ready(pods, "collector") > 0,
        agents=min(agents, _ready(pods, "agent")),
        nodes=nodes,
        away=tuple(sorted(pod.node for pod in waiting if pod.node)),
        problems=tuple(f"{p.name} on {p.node or 'no node'}: {p.waiting}" for p in pods if p.waiting and not p.ready),
        image=_no_image([pod for pod in pods if _is(pod, "collector")], 1)
        or _no_image(
            [p for p in pods if _is(p, "agent") and (not matter or p.node in matter)], len(matter) if matter else nodes
        ),
    )


def _no_image(pods: list[Pod], count: int) -> str | None:
    """Why none of so many pods gets its image; None: one has it, or may get it yet."""
    told = [pod.waiting for pod in pods if not pod.ready and pod.waiting and pod.waiting.startswith(IMAGE_WORDS)]
    return told[0] if told and len(told) == len(pods) >= count else None


async def not_ready(session: Session) -> frozenset[str]:
    """The nodes that are so themselves."""
    try:
        items = await session.cluster.list(kinds.NODE)
    except ApiError:  # who may not see them waits longer
        return frozenset()
    return frozenset(objects.key(item)[1] for item in items if not objects.is_ready(item))


async def events(session: Session) -> tuple[str, ...]:
    """What the cluster's controllers tell of pods that can't even be made, or start: warnings, newest first, and the
    images that are being pulled.
    """
    try:
        items = await session.cluster.list(kinds.EVENT, session.placement.namespace)
    except ApiError:  # who may not read them sees less
        return ()
    items.sort(key=lambda item: str(item.get("lastTimestamp") or item.get("eventTime") or ""), reverse=True)
    # a probe that does not answer yet is how everything starts
    warnings = [item for item in items if item.get("type") == "Warning" and item.get("reason") != "Unhealthy"]
    pulled = {_of(item) for item in items if item.get("reason") == "Pulled"}
    pulling = [item for item in items if item.get("reason") == "Pulling" and _of(item) not in pulled]
    told = (*warnings[:MAX_EVENTS], *pulling[:MAX_EVENTS])
    return tuple(f"{_of(item)}: {item.get('reason')}: {item.get('message')}"[:300] for item in told)


def _of(event: dict[str, Any]) -> str:
    return str((event.get("involvedObject") or {}).get("name"))


async def ready(
    session: Session,
    seconds: float,
    told: Callable[[Progress], None],
    *,
    every: bool = False,
    matter: Iterable[str] = (),
    url: str | None = None,
) -> Progress:
    """Until the collector and all agents are ready, or some are and `every` one is not asked for or the time is over;
    tells of changes. Agents of nodes that are not ready themselves are not waited for.

    `url` leads to the API of a collector that was not there before: what it says itself is known sooner.
    `matter`: nodes without which the others are of no use, such as those of the tapped pods; none: all are alike.

    Raises:
        KubeError: none are in time, or the image can't be had; the message says what to do.
    """
    nodes = frozenset(matter)
    away = await not_ready(session) if every else frozenset()
    last: Progress | None = None
    end = time.monotonic() + seconds
    some: float | None = None  # since when some are ready
    quiet = time.monotonic() + EVENTS_AFTER
    async with _asked(url, session.token) as heard:
        while True:
            now = heard.joined(await progress(session, nodes, away))
            if now.collector and now.agents:
                some = some or time.monotonic()
            late = time.monotonic() > (end if every or some is None else min(end, some + OTHERS))
            if not now.ready and not now.problems and (late or time.monotonic() > quiet):
                now = replace(now, problems=await events(session))
            if now != last:
                told(now)
                last = now
            if now.image is not None:
                raise KubeError(image_problem(session.placement.image, now.image))
            if now.collector and now.agents and (now.ready or late):
                return now
            if time.monotonic() > end:
                why = "".join(f"\n  {problem}" for problem in now.problems)
                raise KubeError(
                    f"collector and agents were not ready within {seconds:g} s in {session.placement.namespace}{why}"
                )
            await heard.changed(POLL)


class _Heard:
    """What a collector says of itself."""

    def __init__(self) -> None:
        self._agents: int | None = None
        self._news = asyncio.Event()

    def joined(self, told: Progress) -> Progress:
        """With what the cluster tells."""
        if self._agents is None:
            return told
        return replace(told, collector=True, agents=min(max(told.agents, self._agents), max(told.nodes, 1)))

    async def changed(self, seconds: float) -> None:
        """Until it says something new, at most for so long."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return
        self._news.clear()

    async def ask(self, http: aiohttp.ClientSession, url: str) -> None:
        """Again and again."""
        import aiohttp

        while True:
            try:
                async with http.get(f"{url}/api/v1/health") as answer:
                    agents = _connected(await answer.json()) if answer.status == 200 else self._agents
            except (aiohttp.ClientError, TimeoutError, ValueError):
                agents = self._agents
            if agents != self._agents:
                self._agents = agents
                self._news.set()
            await asyncio.sleep(ASK)


@asynccontextmanager
async def _asked(url: str | None, token: str) -> AsyncIterator[_Heard]:
    import aiohttp

    heard = _Heard()
    if url is None:
        yield heard
        return
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=timeout) as http:
        asking = asyncio.create_task(heard.ask(http, url))
        try:
            yield heard
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def _connected(health: dict[str, Any]) -> int:
    return sum(agent["state"] == "ready" for agent in health["agents"])


def _is(pod: Pod, component: str) -> bool:
    return pod.labels.get("app.kubernetes.io/component") == component


def _ready(pods: list[Pod], component: str) -> int:
    return sum(pod.ready for pod in pods if _is(pod, component))


def _rolled(item: dict[str, Any] | None, figure: str) -> int:
    """How many pods are as the object is now: after a change there are some of before."""
    if item is None:
        return 0
    status = item.get("status") or {}
    return int(status.get(figure) or 0) if status.get("observedGeneration") == item["metadata"]["generation"] else 0


def image_problem(image: str, told: str) -> str:
    """What to do when nodes can't get the image."""
    return (
        f"the nodes can't get the image {image}: {told}\n"
        "Name one that they can pull with --image (and --image-pull-secret), or put it on the nodes:\n"
        f"  kind load docker-image {image}   ·   minikube image load {image}   ·   ctr -n k8s.io images import x.tar"
    )
