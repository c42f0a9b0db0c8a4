"""Lists a kind of object and then follows its changes.

Resumes where a watch ended, lists anew where it can't, and goes on trying while the API server is away.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tapper.kube.objects import key
from tapper.kube.refusals import ApiError, KubeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.kube.cluster import Cluster
    from tapper.kube.kinds import Kind

    Object = dict[str, Any]
    Sink = Callable[["Change"], None]

WATCH_SECONDS = 290  # below the API server's own 5 minutes, so that the end is ours
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
SHORT, MANY = 5.0, 3
"""Seconds of a watch that ended at once, and how many of them in a row are told."""
ENDS_AT_ONCE = "its watches end at once, as where a proxy passes nothing on before the end"


@dataclass(frozen=True, slots=True)
class Change:
    """An object of a kind is there, as it is now; or (`item` None) it is no more."""

    kind: Kind
    key: tuple[str, str]
    item: Object | None


@dataclass(slots=True)
class Watcher:
    """Follows one kind, in one namespace or (None) in all.

    `changed` gets every change; of a list that was made anew all objects, and those that went meanwhile as gone.
    """

    cluster: Cluster
    kind: Kind
    namespace: str | None
    changed: Sink
    metadata: bool = False
    """Whether only the objects' metadata is asked for."""
    listed: asyncio.Event | None = None
    """Set once the first list is through."""
    problem: str | None = None
    """Why nothing is heard at the moment."""
    lists: int = 0
    """How often it was listed."""

    _version: str = ""
    """To go on from; empty: a list is needed."""
    _known: set[tuple[str, str]] = field(default_factory=set)

    async def run(self) -> None:
        """Until it is cancelled."""
        wait, short = FIRST_WAIT, 0
        while True:
            begun, at_once = time.monotonic(), False
            try:
                if not self._version:
                    await self._list()
                self.problem = ENDS_AT_ONCE if short >= MANY else None
                await self._watch()
                at_once, short = time.monotonic() - begun >= SHORT, short + 1
            except ApiError as error:
                self.problem, self._version = str(error), ""
                at_once = error.status == 410 and wait == FIRST_WAIT  # it is too old; as the API server wants it
            except (KubeError, KeyError, TypeError, ValueError) as error:
                self.problem = str(error)
            if lasted := time.monotonic() - begun >= SHORT:
                wait, short = FIRST_WAIT, 0
            if not at_once:  # nor all at the same time after an API server was away
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311
            if not lasted:
                wait = min(wait * 2, LONGEST_WAIT)

    async def _list(self) -> None:
        now: set[tuple[str, str]] = set()
        version = ""
        async for page in self.cluster.pages(self.kind, self.namespace, metadata=self.metadata):
            version = str(page["metadata"]["resourceVersion"])
            for item in page["items"]:
                now.add(key(item))
                self.changed(Change(self.kind, key(item), item))
        for gone in self._known - now:
            self.changed(Change(self.kind, gone, None))
        self._known, self._version = now, version
        self.lists += 1
        if self.listed is not None:
            self.listed.set()

    async def _watch(self) -> None:
        async with self.cluster.watch(
            self.kind, self.namespace, self._version, WATCH_SECONDS, metadata=self.metadata
        ) as events:
            async for event in events:
                item = event["object"]
                place = key(item)
                if event["type"] in ("ADDED", "MODIFIED"):
                    self._known.add(place)
                    self.changed(Change(self.kind, place, item))
                elif event["type"] == "DELETED":
                    self._known.discard(place)
                    self.changed(Change(self.kind, place, None))
                self._version = str(item["metadata"]["resourceVersion"])
