"""The collector as `tapper tap` and `tapper install` place it.

Settings, keys and tokens lie in a directory; the cluster that it is a pod of tells what to tap and who is who.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tapper.collector.api.app import create_app, runner
from tapper.collector.authority import Certificate, server_context
from tapper.collector.collector import Collector, Options
from tapper.kube import kinds, objects, resolver
from tapper.kube.connect import connect_inside
from tapper.kube.following import Following, Lifetime, TapFile
from tapper.kube.refusals import KubeError
from tapper.model.control import Settings
from tapper.model.text import counted
from tapper.store.partitions import Retention

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tapper.collector.agents import Agent
    from tapper.identity.names import Claim
    from tapper.kube.cluster import Cluster
    from tapper.model.control import Target

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOK = 5.0
"""Seconds between two looks at pods of agents that are missing."""
PATIENCE = 3.0
"""Seconds; a kubelet tells the address of a new pod a second or two after the pod began to speak."""
ROWS, BYTES = 2_000_000, 2 << 30
"""Requests and bytes of the session to keep: half of the volume that it has."""
SEE = "kubectl get pods -A -l app.kubernetes.io/name=tapper -o wide"
TAP, TOKEN, API_TOKEN = "tap.json", "agent-token", "api-token"
CERTIFICATE, KEY, AUTHORITY = "tls.crt", "tls.key", "ca.crt"


@dataclass(frozen=True, slots=True)
class Names:
    """Hands claims to the collector's recorder: `tapper.kube.holding.Sink`."""

    collector: Collector

    def add(self, claim: Claim) -> None:  # noqa: D102
        self.collector.learn((claim,))

    def replace(self, old: Claim, new: Claim) -> None:  # noqa: D102
        self.collector.learn((), ((old, new),))

    def remove(self, claim: Claim) -> None:  # noqa: D102
        self.collector.learn((), (), (claim,))


async def serve(
    directory: Path, listen: tuple[str, int], api: tuple[str, int], save: Path | None, page: Path | None
) -> None:
    """Until SIGTERM, or until nobody has asked it anything for a while if that is how it was placed.

    Raises:
        KubeError: it is not in a cluster, or the directory lacks something.
    """
    tap = TapFile.read(directory / TAP)
    options = Options(
        token=(directory / TOKEN).read_text().strip(),
        save=save,
        retention=Retention(ROWS, BYTES, None),
        settings=Settings(
            bodies=tap.bodies,
            body_limit=tap.body_limit,
            redact=tap.redact,
            redact_key=tap.redact_key if tap.redact else None,
            redact_names=tap.redact_names,
        ),
        title=tap.selection.describe(),
        patience=PATIENCE,
    )
    certificate = Certificate((directory / CERTIFICATE).read_bytes(), (directory / KEY).read_bytes())
    tls = server_context(certificate, (directory / AUTHORITY).read_bytes())
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with connect_inside() as cluster, Collector(options) as collector:
        lifetime = Lifetime(cluster)
        app = create_app(collector.feed, token=(directory / API_TOKEN).read_text().strip(), page=page)
        app.middlewares.append(_heard(lifetime))
        following = Following(cluster, tap.selection, Names(collector), collector.set_targets)
        reasons = Reasons(cluster)

        def missing() -> Iterator[str]:
            return unheard(following.targets, collector.agents, reasons.of)

        collector.further_hints = lambda: (*following.hints(), *missing())
        async with _api(app, api), asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(following.run()),
                tasks.create_task(reasons.follow(lambda: any(missing()))),
            ]
            await collector.listen(*listen, tls)
            if tap.selection.namespaces is not None:
                running.append(tasks.create_task(_learn_dns(collector)))
            if tap.temporary:
                running.append(tasks.create_task(lifetime.run()))
            await stop.wait()
            for task in running:
                task.cancel()


async def _learn_dns(collector: Collector) -> None:
    collector.learn(await resolver.servers())


class Reasons:
    """Why pods of agents do not run, as the cluster tells it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.of: dict[str, str] = {}
        """By node: the pod and the cluster's words."""

    async def follow(self, wanted: Callable[[], bool]) -> None:
        """Looks again and again while some are wanted, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            if wanted():
                await self.look()

    async def look(self) -> None:
        """Asks the API server."""
        with contextlib.suppress(KubeError):  # it is away: what was known stays
            own = self._cluster.origin.namespace
            items = await self._cluster.list(kinds.POD, own, "app.kubernetes.io/component=agent")
            pods = [objects.pod(item) for item in items]
            self.of = {pod.node: f"{pod.name}: {pod.waiting}" for pod in pods if pod.node and pod.waiting}


def unheard(targets: Iterable[Target], agents: Iterable[Agent], reasons: Mapping[str, str]) -> Iterator[str]:
    """Nodes with tapped pods and without an agent that is connected; `reasons` by node, where they are known."""
    there = {agent.hello.node for agent in agents if agent.connection is not None}
    for node, count in sorted(Counter(t.node for t in targets if t.node and t.node not in there).items()):
        yield (
            f"No agent is ready on node {node}: its {counted(count, 'tapped pod')} can't be heard yet;"
            f" {reasons.get(node) or f'see its pod with `{SEE}`'}."
        )


@contextlib.asynccontextmanager
async def _api(app: web.Application, at: tuple[str, int]) -> AsyncIterator[None]:
    front = runner(app)
    await front.setup()
    try:
        await web.TCPSite(front, *at).start()
        yield
    finally:
        await front.cleanup()


def _heard(lifetime: Lifetime) -> Any:
    @web.middleware
    async def heard(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if answer.status < 400:  # whoever does not know the token keeps nothing alive
            lifetime.heard()
        return answer

    return heard
