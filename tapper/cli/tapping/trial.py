"""A short tap of pods that are made for it, one on each node: does capture work there, do records arrive?"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, objects
from tapper.kube.checking import BAD, DOUBT, GOOD, Finding
from tapper.kube.probe import PROBE, probe
from tapper.kube.refusals import KubeError
from tapper.kube.session import plan
from tapper.kube.starting import ready

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tapper.feed.interface import Feed
    from tapper.kube.cluster import Cluster
    from tapper.kube.placement import Placement
    from tapper.kube.session import Session
    from tapper.kube.starting import Progress

READY_SECONDS = 120.0
TRAFFIC_SECONDS = 20.0  # kubelets ask a probe every second
REMOVE_SECONDS = 45.0
POLL = 0.5


async def trial(cluster: Cluster, placement: Placement, passing: Callable[[str], None]) -> AsyncIterator[Finding]:
    """Places a tap with its probes, tells how it goes, and removes it. `passing` gets what goes on meanwhile."""
    session = plan(cluster, placement)
    try:
        try:
            await session.place()
        except KubeError as error:
            yield Finding("live test", BAD, f"could not be placed: {error}", "what the API server says must be allowed")
        else:
            async for finding in _run(cluster, session, passing):
                yield finding
    finally:
        passing("removing the live test ...")
        removed = await _remove(session)
    yield removed


async def _remove(session: Session) -> Finding:
    begun, name = time.monotonic(), session.placement.namespace
    try:
        async with asyncio.timeout(REMOVE_SECONDS):
            await session.remove()
    except TimeoutError:
        return Finding("clean-up", DOUBT, f"{name} is still being deleted", "`tapper clean` tells what holds it up")
    except KubeError as error:
        return Finding(
            "clean-up", BAD, f"{name} could not be removed: {error}", f"tapper clean {session.placement.session}"
        )
    return Finding("clean-up", GOOD, f"nothing is left of the live test ({time.monotonic() - begun:.1f} s)")


async def _run(cluster: Cluster, session: Session, passing: Callable[[str], None]) -> AsyncIterator[Finding]:
    def told(now: Progress) -> None:
        passing(f"live test: agents ready {now.agents}/{now.nodes}")

    begun = time.monotonic()
    # it is asked from when it is there: a collector that nobody asks anything removes the session
    async with session.forwarded() as url:
        try:
            await cluster.apply(probe(session.placement))
            now = await ready(session, READY_SECONDS, told, every=True, url=url)
        except KubeError as error:
            yield Finding("image", BAD, str(error), "see the lines above")
            return
        yield Finding("image", GOOD, f"{session.placement.image} runs ({time.monotonic() - begun:.1f} s)")
        for node in now.away:
            yield Finding(f"node {node}", DOUBT, "it is not ready, and was not tried")
        for problem in () if now.ready else now.problems:
            yield Finding("agent", BAD, problem, "without it, pods of that node can't be tapped")
        async for finding in _tried(cluster, session, url, now.away, passing):
            yield finding


async def _tried(
    cluster: Cluster, session: Session, url: str, away: tuple[str, ...], passing: Callable[[str], None]
) -> AsyncIterator[Finding]:
    from tapper.feed.remote import open_remote

    labels = f"app.kubernetes.io/instance={session.placement.session},app.kubernetes.io/component={PROBE}"
    try:
        items = await cluster.list(kinds.POD, session.placement.namespace, labels)
        wanted = {pod.name: pod.node for pod in map(objects.pod, items) if pod.node not in away}
        feed = await asyncio.to_thread(open_remote, url, session.token)
        try:
            async for finding in _seen(feed, wanted, passing):
                yield finding
        finally:
            await asyncio.to_thread(feed.close)
    except Exception as error:  # whatever it is, it is a finding
        yield Finding("collector", BAD, f"can't be reached through the API server: {error}", "is port-forward allowed?")


async def _seen(feed: Feed, wanted: dict[str, str | None], passing: Callable[[str], None]) -> AsyncIterator[Finding]:
    """A line for each node, as soon as requests of its probe are there."""
    end = time.monotonic() + TRAFFIC_SECONDS
    waiting = dict(wanted)
    while waiting and time.monotonic() < end:
        passing(f"live test: waiting for a request on {', '.join(str(n) for n in waiting.values())}")
        table = await asyncio.to_thread(feed.values, "dst_pod", 'protocol == "http"')
        counts = dict(zip(table["value"].to_pylist(), table["count"].to_pylist(), strict=True))
        for name in [name for name in waiting if counts.get(name)]:
            node = waiting.pop(name)
            yield Finding(f"node {node}", GOOD, "capture works, and its records arrive at the collector")
        await asyncio.sleep(POLL)
    if not waiting:
        return
    health = await asyncio.to_thread(feed.health)
    agents: dict[Any, Any] = {agent.node: agent for agent in health.agents}
    for node in waiting.values():
        agent = agents.get(node)
        if agent is None:
            told, advice = "its agent never reached the collector", "may pods of that node reach those of others?"
        elif not agent.packets:
            told, advice = f"its agent sees no packets: {agent.problem or 'no reason known'}", "see the agent's log"
        else:
            told, advice = f"{agent.packets} packets were seen, no request came of them", "see the agent's log"
        yield Finding(f"node {node}", BAD, told, advice)
