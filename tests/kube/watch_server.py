"""Objects on loopback that are listed and watched over HTTP as from an API server, which fails in each of its ways."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tapper.kube.connect import Access, connect
from tapper.kube.kinds import KINDS
from tests.kube.api_server import serving, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tapper.kube.cluster import Cluster
    from tapper.kube.kinds import Kind
    from tapper.kube.watching import Change

    Object = dict[str, Any]

BY_PLURAL = {kind.plural: kind for kind in KINDS.values()}
TOO_OLD = {"kind": "Status", "status": "Failure", "reason": "Expired", "message": "too old resource version"}


@dataclass(eq=False)
class _Watch:
    """One that is open: what it is still to be told; None: it ends."""

    kind: Kind
    namespace: str | None
    request: web.Request
    lines: asyncio.Queue[Object | None] = field(default_factory=asyncio.Queue)

    def tell(self, event: Object) -> None:
        meta = event["object"]["metadata"]
        if self.namespace is None or meta.get("namespace") == self.namespace:
            self.lines.put_nowait(event)


class WatchServer:
    """What it answered is in `asked`: "list" or "watch", the path, from which version on."""

    def __init__(self, page: int = 500) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.deleted: list[str] = []
        self.refusals: list[int] = []
        """Statuses of the next answers; 200: none."""
        self.ends_at_once = False
        """Whether watches tell what there is and end, as through a proxy that does not stream."""
        self.version = 100
        self._page = page
        self._oldest = 0
        self._objects: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._events: list[tuple[int, Kind, Object]] = []
        self._watches: set[_Watch] = set()
        self._opened = asyncio.Event()

    def change(self, kind: Kind, place: tuple[str, str], item: Object | None) -> None:
        """An object is so from now on; None: it is gone."""
        self.version += 1
        there = self._objects.setdefault(kind, {})
        before = there.pop(place, None)
        if item is None and before is None:
            return
        now = json.loads(json.dumps(item or before))
        now["metadata"]["resourceVersion"] = str(self.version)
        if item is not None:
            there[place] = now
        event = {"type": "DELETED" if item is None else "MODIFIED" if before else "ADDED", "object": now}
        self._events.append((self.version, kind, event))
        for watch in self._watches:
            if watch.kind == kind:
                watch.tell(event)

    def apply(self, change: Change) -> None:
        """The same of a change as it is heard of."""
        self.change(change.kind, change.key, change.item)

    def put(self, kind: Kind, name: str, **more: Any) -> None:
        """Makes or changes an object of namespace shop."""
        self.change(kind, ("shop", name), {"metadata": {"name": name, "namespace": "shop"}, **more})

    def item(self, kind: Kind, place: tuple[str, str]) -> Object:
        """An object as it is now."""
        return self._objects[kind][place]

    async def watched(self, count: int = 1) -> None:
        """Returns once so many watches are open."""
        while len(self._watches) < count:
            self._opened.clear()
            await self._opened.wait()

    def bookmark(self) -> None:
        """Tells all watches the version that they may go on from, and forgets all before."""
        self._oldest = self.version
        self.say({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(self.version)}}})

    def expire(self) -> None:
        """Forgets what was before, also for the watches that are open."""
        self.forget()
        self.say({"type": "ERROR", "object": {**TOO_OLD, "code": 410}})
        self.end()

    def forget(self) -> None:
        """Forgets what was before; who watches already goes on."""
        self.version += 1
        self._oldest = self.version

    def say(self, event: Object) -> None:
        """Tells all watches anything."""
        for watch in self._watches:
            watch.lines.put_nowait(event)

    def end(self) -> None:
        """All watches end as after their time."""
        for watch in self._watches:
            watch.lines.put_nowait(None)
        self._watches.clear()

    def cut(self) -> None:
        """All connections of watches break."""
        for watch in self._watches:
            assert watch.request.transport is not None
            watch.request.transport.abort()
        self._watches.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        status = self.refusals.pop(0) if self.refusals else 200
        if status != 200:
            return web.json_response({**TOO_OLD, "message": f"refused: {status}", "code": status}, status=status)
        if request.method == "DELETE":
            self.deleted.append(request.path)
            return web.json_response({})
        parts = request.path.split("/")
        kind = BY_PLURAL[parts[-1]]
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts else None
        watching = "watch" in request.query
        version = request.query.get("resourceVersion", "")
        self.asked.append(("watch" if watching else "list", request.path, version))
        if watching:
            return await self._watch(request, kind, namespace, int(version))
        return self._list(request, kind, namespace)

    def _list(self, request: web.Request, kind: Kind, namespace: str | None) -> web.Response:
        items = [i for place, i in self._objects.get(kind, {}).items() if namespace in (None, place[0])]
        begin = int(request.query.get("continue", "0"))
        end = begin + self._page
        meta = {"resourceVersion": str(self.version)} | ({"continue": str(end)} if end < len(items) else {})
        return web.json_response({"metadata": meta, "items": items[begin:end]})

    async def _watch(self, request: web.Request, kind: Kind, namespace: str | None, version: int) -> web.StreamResponse:
        if version < self._oldest:
            return web.json_response({**TOO_OLD, "code": 410}, status=410)
        response = web.StreamResponse()
        await response.prepare(request)
        watch = _Watch(kind, namespace, request)
        for at, changed, event in self._events:
            if changed == kind and at > version:
                watch.tell(event)
        if self.ends_at_once:
            watch.lines.put_nowait(None)
        else:
            self._watches.add(watch)
        self._opened.set()
        try:
            while (event_or_end := await watch.lines.get()) is not None:
                await response.write(json.dumps(event_or_end).encode() + b"\n")
        finally:
            self._watches.discard(watch)
        return response


@asynccontextmanager
async def watch_served(folder: Path, page: int = 500) -> AsyncIterator[tuple[WatchServer, Cluster]]:
    """A server, and a connection to it."""
    server = WatchServer(page)
    async with serving(server.answer) as port:
        config = written(folder / "config", f"https://127.0.0.1:{port}")
        async with connect(Access(config)) as cluster:
            yield server, cluster
