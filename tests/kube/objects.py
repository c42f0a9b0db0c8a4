"""An API server on loopback that keeps objects: applies, lists by label, deletes, and refuses what it is told to."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tapper.kube.connect import Access, connect
from tapper.kube.kinds import KINDS
from tapper.kube.selection import parse_labels
from tests.kube.api_server import serving, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tapper.kube.cluster import Cluster

    Object = dict[str, Any]

PLURALS = {kind.plural for kind in KINDS.values()}


def _forbidden(what: str) -> Object:
    return {
        "kind": "Status",
        "status": "Failure",
        "reason": "Forbidden",
        "message": f"{what} is forbidden",
        "code": 403,
    }


class Objects:
    """Objects by their path."""

    def __init__(self) -> None:
        self.there: dict[str, Object] = {}
        self.asked: list[str] = []
        """Method and path of each request."""
        self.refused: Callable[[str], bool] = lambda asked: False
        """Whether what is asked ("PATCH /api/v1/...") is forbidden."""
        self.before: Callable[[str], Awaitable[None]] | None = None
        """Awaited before anything is done."""

    def put(self, item: Object) -> None:
        """Makes or changes one."""
        meta = item["metadata"]
        path = KINDS[item["kind"]].path(meta.get("namespace"), meta["name"])
        known = self.there.get(path, {"metadata": {"uid": f"uid-{len(self.there)}"}})["metadata"]
        created = {"creationTimestamp": known.get("creationTimestamp", "2026-01-31T12:00:00Z"), "uid": known["uid"]}
        texts = {key: base64.b64encode(text.encode()).decode() for key, text in item.get("stringData", {}).items()}
        self.there[path] = {**item, "metadata": {**created, **meta}, "data": {**item.get("data", {}), **texts}}

    def names(self, kind: str) -> list[str]:
        """Of all of a kind."""
        return sorted(item["metadata"]["name"] for item in self.there.values() if item["kind"] == kind)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        asked = f"{request.method} {request.path}"
        self.asked.append(asked)
        if self.before is not None:
            await self.before(asked)
        if self.refused(asked):
            return web.json_response(_forbidden(asked), status=403)
        last = request.path.rpartition("/")[2]
        if request.method == "PATCH":
            self.put(json.loads(await request.read()))
        elif request.method == "POST":
            return web.json_response({"status": {"allowed": not self.refused(await request.text())}})
        elif last in PLURALS:
            found = self._list(request.path, request.query.get("labelSelector", ""))
            if request.method == "DELETE":
                for path in found:
                    del self.there[path]
            return web.json_response({"metadata": {}, "items": list(found.values())})
        item = self.there.get(request.path)
        if item is None:
            return web.json_response({"kind": "Status", "message": f"no {last}", "code": 404}, status=404)
        if request.method == "DELETE":
            self._drop(request.path)
        return web.json_response(item)

    def _drop(self, path: str) -> None:
        """With what is in it, or belongs to it."""
        meta = self.there.pop(path)["metadata"]
        for other, item in list(self.there.items()):
            owners = [owner["uid"] for owner in item["metadata"].get("ownerReferences", ())]
            if f"/{path.split('/', 3)[-1]}/" in other or meta["uid"] in owners:
                del self.there[other]

    def _list(self, path: str, labels: str) -> dict[str, Object]:
        base, _, plural = path.rpartition("/")
        terms = parse_labels(labels)
        return {
            at: item
            for at, item in self.there.items()
            if at.startswith(f"{base}/")
            and at.split("/")[-2] == plural
            and all(term.holds(item["metadata"].get("labels") or {}) for term in terms)
        }


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[tuple[Objects, Cluster]]:
    """Such a server, and a connection to it."""
    objects = Objects()
    async with serving(objects.answer) as port:
        config = written(folder / "config", f"https://127.0.0.1:{port}")
        async with connect(Access(config)) as cluster:
            yield objects, cluster
