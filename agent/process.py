"""The agent as a process: sources, spool, connection, budget and health port, from start to the last shipment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import secrets
import signal
import socket
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from aiohttp import web

from agent import portable, serving
from agent.addresses import node_addresses
from agent.budget import Budget
from agent.health import application
from agent.pacing import Paced
from agent.rights import advice
from agent.shipper import Shipper
from agent.sources import COUNTERS_EVERY
from agent.spool import Spool
from agent.tapping import FLUSH_MS, Tapping
from tapper.model import control
from tapper.model.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from agent.places import Place
    from agent.recordings import Recordings
    from agent.shipper import Collector

LOOK_EVERY = 1.0
MAX_ENDS = 64
"""As many as a packet filter takes."""
RING_SHARE = 6
"""Of the memory, for the rings of all sources."""
TOLERATED = 0.001
"""Of the packets, that the kernel may drop before more is left out."""
MAX_THREADS = 8
"""That read live sources: each has memory of its own."""
LEAVE_WITHIN = 5.0
"""Seconds to ship what is left when the agent is told to end."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an agent runs."""

    collector: Collector
    targets: tuple[control.Target, ...] = ()
    """What to tap; the collector may tell of more."""
    name: str = field(default_factory=socket.gethostname)
    node: str | None = None
    memory: int = 200 << 20
    """Bytes of resident memory; a third of them are for the spool."""
    cores: float | None = 0.5
    spool_disk: int = 0
    spool_directory: str | None = None
    health: tuple[str, int] | None = None
    """Address and port of the health server."""
    files_once: bool = False
    """End when all targets are files and read."""
    recordings: Recordings | None = None
    """Where raw packets are kept; None: nowhere."""
    pace: float | None = None
    """Speed of capture files against real time; None: as fast as can be."""


class Agent:
    """One agent; `run` is its life."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._spool = Spool(options.memory // 3, options.spool_disk, options.spool_directory)
        self._budget = Budget(options.cores, options.memory)
        rings, threads = options.memory // RING_SHARE, reading_threads(options.cores)
        self._tapping = Tapping(self._spool, self._reader, self._ends, options.node, rings, threads)
        self._tapping.own(options.targets)
        self._shipper: Shipper | None = None
        self._stop = asyncio.Event()
        self._greeted = asyncio.Event()
        self._drops = self._taken = 0

    def stop(self) -> None:
        """Ends it in order."""
        self._stop.set()

    async def run(self) -> None:
        """Until it is told to stop, or has shipped all its files.

        Raises:
            RefusedError: the collector does not take it.
        """
        hello = control.Hello(
            agent=self._options.name,
            boot=secrets.token_hex(8),
            schema_version=SCHEMA_VERSION,
            made_by=_version(),
            node=self._options.node,
            started_ns=time.time_ns(),
            addresses=node_addresses() if self._options.node is not None else (),
        )
        shipper = self._shipper = Shipper(self._options.collector, hello, self._spool, self._heard, self.status)
        async with contextlib.AsyncExitStack() as stack:
            if self._options.health is not None:
                await stack.enter_async_context(self._health(self._options.health))
            shipping = asyncio.create_task(shipper.run())
            looking = asyncio.create_task(self._look())
            stopping = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait((shipping, looking, stopping), return_when=asyncio.FIRST_COMPLETED)
                looking.cancel()
                await asyncio.to_thread(self._tapping.close)
                shipper.leave()
                await asyncio.wait((shipping,), timeout=LEAVE_WITHIN)
            finally:
                for task in (shipping, looking, stopping):
                    task.cancel()
                ended = await asyncio.gather(shipping, looking, return_exceptions=True)
            for result in ended:
                if isinstance(result, Exception):
                    raise result

    async def _look(self) -> None:
        """Opens sources once the collector has told how; ends when files are read."""
        await self._greeted.wait()
        while True:
            await asyncio.to_thread(self._tapping.look)
            level = self._budget.measure(self._overrun())
            if level != self._tapping.level:
                self._tapping.shed(level)
            if self._options.files_once and self._tapping.finished():
                return
            await asyncio.sleep(LOOK_EVERY if self._tapping.reading() else COUNTERS_EVERY / 10)

    def _overrun(self) -> bool:
        """Whether more comes than is taken. A stall of the host loses a few too, but to leave out is no help."""
        drops, packets = self._tapping.ring_drops(), self._tapping.packets()
        lost, taken = drops - self._drops, packets - self._taken
        self._drops, self._taken = drops, packets
        return lost > taken * TOLERATED

    def _heard(self, message: control.Down) -> None:
        match message:
            case control.Welcome(settings=settings, targets=targets):
                self._tapping.settings(settings)
                self._tapping.told(targets)
                self._greeted.set()
            case control.Targets(targets):
                self._tapping.told(targets)
            case control.Exclude(ends):
                self._tapping.exclude(ends)
            case control.Shed(level):
                self._budget.floor = level
            case control.Stop():
                self.stop()
            case _:
                pass

    def _ends(self, settings: control.Settings) -> tuple[tuple[str, int], ...]:
        """Whose traffic is left out: the collector's, as we see it and as it says."""
        ours = [self._shipper.peer] if self._shipper is not None and self._shipper.peer else []
        return tuple(dict.fromkeys([*ours, *((end.ip, end.port) for end in settings.exclude)]))[:MAX_ENDS]

    def _reader(self, target: control.Target, place: Place | None, settings: control.Settings, ring: int) -> Any:
        from agent import _engine

        how: dict[str, Any] = {
            "heads": settings.heads,
            "bodies": settings.bodies,
            "body_limit": settings.body_limit,
            "redact": settings.redact,
            "redact_key": bytes.fromhex(settings.redact_key) if settings.redact_key else None,
            "redact_names": settings.redact_names,
        }
        if place is None:
            if (pace := self._options.pace) is None:
                return _engine.FileReader([target.value], **how)
            return Paced(target.value, pace, **how)
        how["exclude"] = self._ends(settings)
        if portable.is_needed():
            return _portable(place, how)
        if self._options.recordings is not None:
            how |= self._options.recordings.next()
        try:
            return _engine.LiveReader(
                interface=place.interface,
                netns=place.netns,
                ports=place.ports,
                ring_bytes=ring,
                flush_ms=FLUSH_MS,
                **how,
            )
        except PermissionError as error:
            raise PermissionError(advice(error)) from error

    def status(self) -> control.Status:
        """How it is now."""
        spool, tapping, budget = self._spool.state(), self._tapping, self._budget
        oversized = tapping.oversized()
        return control.Status(
            sources=tapping.status()[: control.MAX_LIST],
            reading=tapping.reading(),
            packets=tapping.packets(),
            ring_drops=tapping.ring_drops(),
            records=spool.records + oversized,
            lost_records=spool.lost_records + oversized,
            oversized_records=oversized,
            spooled_records=spool.spooled_records,
            spooled_bytes=spool.spooled_bytes,
            shed=tapping.level,
            cpu=budget.cpu,
            memory_bytes=budget.resident,
            problem=self._shipper.problem if self._shipper is not None else None,
        )

    @contextlib.asynccontextmanager
    async def _health(self, address: tuple[str, int]) -> Any:
        shipper = self._shipper
        app = application(self.status, lambda: shipper is not None and shipper.connected)
        runner = serving.runner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, *address).start()
            yield
        finally:
            await runner.cleanup()


def reading_threads(cores: float | None) -> int:
    """How many threads may read live sources: one for each core of the budget, and of those that there are."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return max(1, min(there if cores is None else math.ceil(cores), there, MAX_THREADS))


def _portable(place: Place, how: dict[str, Any]) -> Any:
    if place.netns is not None:
        raise OSError("the network of a process can be read on Linux only")
    logging.getLogger("tapper.agent").warning(portable.WARNING)
    try:
        return portable.PortableReader(interface=place.interface, ports=place.ports, **how)
    except PermissionError as error:
        raise PermissionError(advice(PermissionError(f"scapy may not capture: {error.strerror}"))) from error


def _version() -> str:
    try:
        return version("tapper")
    except PackageNotFoundError:
        return "unknown"


def run(options: Options) -> None:
    """Runs an agent until SIGINT or SIGTERM.

    Raises:
        RefusedError: the collector does not take it.
    """

    async def life() -> None:
        agent = Agent(options)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, agent.stop)
        await agent.run()

    asyncio.run(life())
