"""What agents are told to tap as a recorded rollout goes on, heard from a server as a collector hears it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tapper.identity.index import Identity
from tapper.kube import kinds
from tapper.kube.following import Following, Lifetime
from tapper.kube.selection import Selection
from tapper.model.control import Target
from tests.kube.recorded import Recorded
from tests.kube.watch_server import watch_served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.kube.watch_server import WatchServer

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]

SIMPLE = "recorded/simple-app"


class Cluster:
    """One that is followed."""

    def __init__(self, server: WatchServer, following: Following, told: asyncio.Queue[tuple[Target, ...]]) -> None:
        self.server = server
        self.following = following
        self.told = told
        self._recorded = Recorded(lambda change, now: server.apply(change))

    def play(self, step: str) -> None:
        """Lets happen what was recorded, up to a step."""
        self._recorded.play(step)

    async def tapped(self, *names: str) -> tuple[Target, ...]:
        """What agents are told once they are told these, by the beginnings of their names."""
        while True:
            targets = await self.told.get()
            beginnings = [target.name.removeprefix("recorded/") for target in targets]
            if len(names) == len(targets) and all(b.startswith(n) for b, n in zip(beginnings, names, strict=True)):
                return targets


@asynccontextmanager
async def _followed(folder: Path, *words: str, labels: str = "", all_of_it: bool = False) -> AsyncIterator[Cluster]:
    """Up to the step "pod": there is one, simple-app."""
    told: asyncio.Queue[tuple[Target, ...]] = asyncio.Queue()
    selection = Selection(words, None if all_of_it else ("recorded",), labels)
    async with watch_served(folder) as (server, connection):
        following = Following(connection, selection, Identity(), told.put_nowait)
        cluster = Cluster(server, following, told)
        cluster.play("pod")
        task = asyncio.create_task(following.run())
        try:
            yield cluster
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


async def test_a_pod_is_told_by_its_uid_and_node_and_is_one_of_its_own_network(tmp_path: Path) -> None:
    async with _followed(tmp_path, "simple-app") as cluster:
        [told] = await cluster.tapped("simple-app")
        uid = cluster.server.item(kinds.POD, ("recorded", "simple-app"))["metadata"]["uid"]
        assert told == Target("pod", uid, SIMPLE, "recorded", "node2", own_network=True)
        assert cluster.following.targets == (told,)
        assert cluster.following.hints() == ()


async def test_a_pod_on_the_host_network_is_told_by_its_ports(tmp_path: Path) -> None:
    """The node's network has everybody's traffic."""
    async with _followed(tmp_path, "host", "pair") as cluster:
        cluster.play("deployment")
        host, pair = await cluster.tapped("host", "pair")
        assert (host.ports, host.own_network) == ((7777,), False)
        assert (pair.ports, pair.own_network) == ((), True)


@pytest.mark.parametrize("words", [("orders",), ("deploy/orders",), ("svc/orders",), ("^orders-",), ()])
async def test_pods_are_tapped_as_they_come_and_no_more_once_they_are_gone(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    async with _followed(tmp_path, *words, labels="app=orders") as cluster:
        await cluster.tapped()
        assert "No pod" in cluster.following.hints()[0]
        cluster.play("deployment")
        first = await cluster.tapped("orders", "orders")
        assert cluster.following.hints() == ()
        cluster.play("rollout")
        second = await cluster.tapped("orders", "orders")
        assert not {target.value for target in first} & {target.value for target in second}


async def test_a_pod_that_no_node_has_taken_is_not_told_and_one_that_goes_is_no_more(tmp_path: Path) -> None:
    async with _followed(tmp_path) as cluster:
        await cluster.tapped("simple-app")
        waiting = {"metadata": {"name": "waiting", "namespace": "recorded", "uid": "w"}, "spec": {}, "status": {}}
        cluster.server.change(kinds.POD, ("recorded", "waiting"), waiting)
        cluster.server.change(kinds.POD, ("recorded", "simple-app"), None)
        await cluster.tapped()
        cluster.server.change(kinds.POD, ("recorded", "waiting"), {**waiting, "spec": {"nodeName": "node1"}})
        [told] = await cluster.tapped("waiting")
        assert told.node == "node1"


async def test_the_lists_of_all_kinds_are_told_at_once(tmp_path: Path) -> None:
    """Before the services are known, svc/ would mean no pod."""
    async with _followed(tmp_path, "svc/simple-app", "svc/orders") as cluster:
        cluster.play("rollout")
        first = await cluster.told.get()
        assert [target.name[:15] for target in first] == ["recorded/orders"] * 2 + ["recorded/simple"]


@pytest.mark.parametrize("all_of_it", [False, True])
async def test_only_what_may_be_seen_is_asked_for(tmp_path: Path, all_of_it: bool) -> None:
    async with _followed(tmp_path, all_of_it=all_of_it) as cluster:
        await cluster.tapped("simple-app")
        await cluster.server.watched(6)
        within = "" if all_of_it else "/namespaces/recorded"
        assert {path for _, path, _ in cluster.server.asked} == {
            "/api/v1/nodes",
            f"/api/v1{within}/pods",
            f"/api/v1{within}/services",
            f"/apis/discovery.k8s.io/v1{within}/endpointslices",
            f"/apis/apps/v1{within}/replicasets",
            f"/apis/batch/v1{within}/jobs",
        }


async def test_a_list_made_anew_tells_what_changed_and_only_then(tmp_path: Path) -> None:
    """As after an API server was away for long."""
    async with _followed(tmp_path) as cluster:
        await cluster.tapped("simple-app")
        await cluster.server.watched(6)
        cluster.server.expire()
        await cluster.server.watched(6)
        cluster.server.expire()
        cluster.play("deployment")
        await cluster.tapped("host", "orders", "orders", "pair", "simple-app")


async def test_a_cluster_that_can_not_be_heard_is_told(tmp_path: Path) -> None:
    async with _followed(tmp_path) as cluster:
        await cluster.tapped("simple-app")
        await cluster.server.watched(6)
        cluster.server.refusals = [403] * 6
        cluster.server.end()
        await _until(lambda: len(cluster.following.hints()) == 6)
        said = "The cluster's pods can't be followed: refused: 403. Names and targets may be out of date."
        assert said in cluster.following.hints()
        await cluster.server.watched(6)
        await _until(lambda: not cluster.following.hints())
        assert [target.name for target in cluster.following.targets] == [SIMPLE]


async def test_a_session_that_nobody_asks_is_removed_also_where_that_fails_at_first(tmp_path: Path) -> None:
    async with watch_served(tmp_path) as (server, connection):
        server.refusals = [503]
        lifetime = Lifetime(connection, idle=0.5)
        begun = time.monotonic()
        lifetime.heard()
        await lifetime.run()
        assert time.monotonic() - begun >= 0.5
        assert server.deleted == ["/api/v1/namespaces/default"]
