"""A kind is followed through all that a watch can end with: nothing is missed, it is listed anew only if need be."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tapper.kube import kinds
from tapper.kube.watching import MANY, Watcher
from tests.kube.watch_server import watch_served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tapper.kube.cluster import Cluster
    from tapper.kube.watching import Change
    from tests.kube.watch_server import WatchServer

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(15)]

PODS = "/api/v1/namespaces/shop/pods"


class Heard:
    """What a watcher tells, as "+name" and "-name"."""

    def __init__(self, server: WatchServer, cluster: Cluster) -> None:
        self.server = server
        self.watcher = Watcher(cluster, kinds.POD, "shop", self._hear)
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.problem: str | None = None
        """What was wrong until the last change was heard of."""

    def _hear(self, change: Change) -> None:
        self.problem = self.watcher.problem
        self.told.put_nowait(("-" if change.item is None else "+") + change.key[1])

    async def changes(self, *wanted: str) -> None:
        """The next are these."""
        assert [await self.told.get() for _ in wanted] == list(wanted)


@asynccontextmanager
async def _watching(folder: Path, *names: str, page: int = 500) -> AsyncIterator[Heard]:
    """Of the pods with these names, which are heard of."""
    async with watch_served(folder, page) as (server, cluster):
        for name in names:
            server.put(kinds.POD, name)
        heard = Heard(server, cluster)
        task = asyncio.create_task(heard.watcher.run())
        try:
            await heard.changes(*(f"+{name}" for name in names))
            await server.watched()
            yield heard
            assert heard.told.empty(), "each is told once"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_changes_are_told_as_they_come_and_those_of_other_namespaces_are_not(tmp_path: Path) -> None:
    async with _watching(tmp_path, "a") as heard:
        heard.server.put(kinds.POD, "b")
        heard.server.change(kinds.POD, ("other", "x"), {"metadata": {"name": "x", "namespace": "other"}})
        heard.server.put(kinds.SERVICE, "s")
        heard.server.put(kinds.POD, "a", spec={"nodeName": "n"})
        heard.server.change(kinds.POD, ("shop", "b"), None)
        await heard.changes("+b", "+a", "-b")
        assert heard.watcher.lists == 1


@pytest.mark.parametrize("ending", ["end", "cut"])
async def test_a_watch_that_ended_goes_on_where_it_was(tmp_path: Path, ending: str) -> None:
    """After its time; by a connection that broke."""
    async with _watching(tmp_path, "a", "b") as heard:
        heard.server.put(kinds.POD, "c")
        await heard.changes("+c")
        last = heard.server.version
        getattr(heard.server, ending)()
        heard.server.change(kinds.POD, ("shop", "a"), None)  # meanwhile
        heard.server.put(kinds.POD, "d")
        await heard.changes("-a", "+d")
        assert heard.server.asked[-1] == ("watch", PODS, str(last))
        assert heard.watcher.lists == 1
        assert heard.watcher.problem is None


async def test_a_bookmark_says_from_where_to_go_on(tmp_path: Path) -> None:
    """Of a quiet kind the last change is soon too old; what is asked for after the bookmark is not."""
    async with _watching(tmp_path, "a") as heard:
        for name in ("x", "y"):
            heard.server.put(kinds.SERVICE, name)
        heard.server.bookmark()
        marked = heard.server.version
        heard.server.end()
        heard.server.put(kinds.POD, "b")
        await heard.changes("+b")
        assert heard.server.asked[-1] == ("watch", PODS, str(marked))
        assert heard.watcher.lists == 1


@pytest.mark.parametrize("when", ["while it watches", "as it goes on"])
async def test_a_version_that_is_too_old_has_it_listed_anew_at_once(tmp_path: Path, when: str) -> None:
    """By an ERROR event, or by the status; what went meanwhile is told as gone."""
    async with _watching(tmp_path, "a", "b") as heard:
        if when == "while it watches":
            heard.server.expire()
        else:
            heard.server.forget()
            heard.server.end()
        heard.server.change(kinds.POD, ("shop", "a"), None)
        heard.server.put(kinds.POD, "c")
        await heard.changes("+b", "+c", "-a")
        assert heard.watcher.lists == 2
        await heard.server.watched()
        assert heard.watcher.problem is None
        heard.server.put(kinds.POD, "d")
        await heard.changes("+d")
        assert heard.watcher.lists == 2


async def test_a_list_of_many_pages_is_whole_and_begins_anew_where_its_rest_is_too_old(tmp_path: Path) -> None:
    async with _watching(tmp_path, "a", "b", "c", page=2) as heard:
        assert heard.watcher.lists == 1
        heard.server.refusals = [200, 410]
        heard.server.expire()
        await heard.changes("+a", "+b", "+a", "+b", "+c")


async def test_a_server_that_refuses_is_asked_until_it_answers(tmp_path: Path) -> None:
    async with _watching(tmp_path, "a") as heard:
        heard.server.refusals = [500, 403]
        heard.server.end()
        await heard.changes("+a")
        assert heard.problem == "refused: 403"
        await heard.server.watched()
        assert heard.watcher.problem is None


async def test_an_event_of_no_known_form_is_told_and_the_watch_goes_on(tmp_path: Path) -> None:
    async with _watching(tmp_path, "a") as heard:
        heard.server.say({"type": "ADDED"})
        heard.server.put(kinds.POD, "b")
        await heard.changes("+b")
        assert heard.watcher.lists == 1


async def test_a_watch_that_ends_at_once_is_not_begun_again_at_once(tmp_path: Path) -> None:
    """As through a proxy that passes nothing on before the end; news come late, and that is told."""
    async with _watching(tmp_path, "a") as heard:
        heard.server.ends_at_once = True
        heard.server.end()
        async with asyncio.timeout(10):
            while heard.watcher.problem is None:
                await asyncio.sleep(0.01)
        assert "watches end at once" in heard.watcher.problem
        assert len(heard.server.asked) <= MANY + 2  # with the list
        heard.server.put(kinds.POD, "b")
        await heard.changes("+b")
        assert heard.watcher.lists == 1
