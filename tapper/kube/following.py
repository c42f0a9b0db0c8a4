"""What the collector does in a cluster: follows its objects, names addresses by them, says which pods are tapped."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds
from tapper.kube.naming import ClusterNames
from tapper.kube.placement import WATCHED
from tapper.kube.refusals import KubeError
from tapper.kube.selection import Selection
from tapper.kube.tapped import Tapped, not_tapped
from tapper.kube.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tapper.kube.cluster import Cluster
    from tapper.kube.holding import Sink
    from tapper.kube.watching import Change
    from tapper.model.control import Target

SETTLE = 0.05  # seconds that changes are gathered before agents are told; a rollout makes many at once
METADATA_ONLY = (kinds.REPLICA_SET, kinds.JOB)
IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class TapFile:
    """What the one who placed the collector told it (`placement._secrets` writes it)."""

    selection: Selection = field(default_factory=Selection)
    temporary: bool = False
    redact: bool = True
    redact_names: tuple[str, ...] = ()
    bodies: bool = True
    body_limit: int = 65_536
    redact_key: str | None = None

    @classmethod
    def read(cls, path: Path) -> TapFile:
        """The file's content.

        Raises:
            KubeError: it can't be used.
        """
        try:
            document: dict[str, Any] = json.loads(path.read_text())
            selection = Selection.from_document(document.pop("selection"))
            document["redact_names"] = tuple(document["redact_names"])
            return cls(selection, **document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KubeError(f"{path} does not say what to tap: {error}") from error


@dataclass(slots=True)
class Following:
    """Follows a cluster; `tapped` gets all targets whenever they change."""

    cluster: Cluster
    selection: Selection
    sink: Sink
    tapped: Callable[[tuple[Target, ...]], None]
    _names: ClusterNames = field(init=False)
    _pods: Tapped = field(init=False)
    _watchers: list[Watcher] = field(default_factory=list)
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)
    _targets: tuple[Target, ...] | None = None

    def __post_init__(self) -> None:
        self._names = ClusterNames(self.sink, lambda pod: self.selection.has(pod, self._names))
        self._pods = Tapped(self.selection, self._names)

    async def run(self) -> None:
        """Until it is cancelled."""
        spaces = self.selection.namespaces or (None,)
        wanted = [(kinds.NODE, None), *((kind, space) for kind in WATCHED for space in spaces)]
        self._watchers = [
            Watcher(self.cluster, kind, space, self._changed, kind in METADATA_ONLY, asyncio.Event())
            for kind, space in wanted
        ]
        async with asyncio.TaskGroup() as tasks:
            for watcher in self._watchers:
                tasks.create_task(watcher.run())
            tasks.create_task(self._tell())

    def _changed(self, change: Change) -> None:
        self._names.apply(change, time.time_ns())
        self._pods.apply(change)
        self._dirty.set()

    async def _tell(self) -> None:
        for watcher in self._watchers:  # agents are told of all at once, not of each list by itself
            if watcher.listed is not None:
                await watcher.listed.wait()
        while True:
            self._dirty.clear()
            targets = self._pods.targets()
            if targets != self._targets:
                self._targets = targets
                self.tapped(targets)
            await self._dirty.wait()
            await asyncio.sleep(SETTLE)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is tapped now."""
        return self._targets or ()

    def hints(self) -> tuple[str, ...]:
        """What a person should know: no pod fits, or the cluster can't be heard."""
        found = [
            f"The cluster's {w.kind.plural} can't be followed: {w.problem}. Names and targets may be out of date."
            for w in self._watchers
            if w.problem is not None
        ]
        if self._targets is not None and not len(self._pods):
            found.insert(0, self.selection.nothing(self._names))
        if mixed := self._pods.mixed():
            found.append(not_tapped(mixed))
        return tuple(found)


@dataclass(slots=True)
class Lifetime:
    """Removes the session when nobody has asked the collector anything for a while: whoever tapped is gone."""

    cluster: Cluster
    idle: float = IDLE_SECONDS
    _heard: float = field(default_factory=time.monotonic)

    def heard(self) -> None:
        """Somebody asked something."""
        self._heard = time.monotonic()

    async def run(self) -> None:
        """Returns after the session's namespace was deleted, which ends this pod too."""
        while (rest := self._heard + self.idle - time.monotonic()) > 0:
            await asyncio.sleep(rest)
        own = self.cluster.origin.namespace
        while True:
            try:
                await self.cluster.delete(kinds.NAMESPACE, own)
            except KubeError:
                await asyncio.sleep(5)
            else:
                return
