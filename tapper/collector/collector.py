"""The collector, usable in process: opens a session, takes what agents ship, and gives the feed of it.

    async with Collector(Options(token=token)) as collector:
        address = await collector.listen("127.0.0.1", 0)
        collector.set_targets([Target("interface", "eth0")])
        collector.feed.follow()  # in another thread

All methods are for the event loop that it was entered in, but `learn` and the feed's, which may be called from any
thread.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from agent import serving
from tapper.collector.agents import Agents
from tapper.collector.ingest import Ingest
from tapper.collector.keeper import Keeper
from tapper.collector.recording import Recording
from tapper.feed.interface import Health
from tapper.feed.live import LiveFeed, Log
from tapper.identity.index import Identity
from tapper.model import control
from tapper.model.text import time_with_zone
from tapper.model.words import unknown_fields
from tapper.store.meta import Meta
from tapper.store.partitions import Retention
from tapper.store.session import Session
from tapper.store.temporary import temporary_session

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from tapper.identity.index import Owners
    from tapper.identity.names import Claim
    from tapper.model.control import Target

RATE_OVER = 5.0
"""Seconds over which the rate is told."""
WAITING = 5.0
"""Seconds without an agent after which it is said that there is none."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to collect."""

    token: str
    save: Path | None = None
    """Where to keep the session; one that is there is gone on with. None: a temporary one."""
    retention: Retention = field(default_factory=Retention)
    settings: control.Settings = field(default_factory=control.Settings)
    """Without a redaction key, one is made: all agents need the same."""
    packets: Path | None = None
    """Where an agent of this machine keeps the raw packets."""
    title: str = ""
    claims: tuple[Claim, ...] = ()
    patience: float = 0.0
    """Seconds that rows wait for names before followers get them."""
    owners: Owners | None = None
    """Who has the ports of this machine, if it is tapped."""


class Collector:
    """See the module."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.settings = options.settings
        if self.settings.redact and self.settings.redact_key is None:
            self.settings = replace(self.settings, redact_key=secrets.token_hex(16))
        self.agents = Agents()
        self._log = Log()
        self._held = ExitStack()
        self._running = AsyncExitStack()
        self._started_ns = time.time_ns()
        self.title = options.title
        self.further_hints: Callable[[], Iterable[str]] = tuple
        """What whoever says what to tap has to tell."""
        self.session: Session
        self.feed: LiveFeed
        self.recording: Recording
        self._ingest: Ingest

    async def __aenter__(self) -> Self:
        """Opens the session.

        Raises:
            StoreError: it can't be opened for writing.
        """
        from agent import _engine

        loop = asyncio.get_running_loop()
        with self._held as held:
            self.session = held.enter_context(self._open())
            self.session.limit(threads=2)
            newest = self.session.query("SELECT coalesce(max(id), -1) AS id FROM endpoint")["id"][0].as_py()

            def kept(numbers: dict[tuple[str, str], tuple[int, int]]) -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._ingest.kept, numbers)

            identity = Identity(self._options.claims, first_id=newest + 1, owners=self._options.owners)
            keeper = Keeper(
                self.session,
                {
                    "payload": _engine.payload_schema_message("payload"),
                    "message": _engine.payload_schema_message("message_payload"),
                },
                identity,
                self._options.retention,
                self._log,
                kept,
                self._options.patience,
            )
            self.recording = Recording(keeper, identity, self._log)
            self.feed = LiveFeed(self.session, self._log, self.health, self._packets)
            session_id = str(self.session.meta.options.get("collector"))
            self._ingest = Ingest(self._options.token, session_id, self.settings, self.agents, self.recording)
            self.recording.start()
            self._held = held.pop_all()
        return self

    def _open(self) -> Any:
        facts = {
            "heads": self.settings.heads,
            "bodies": self.settings.bodies,
            "body_limit": self.settings.body_limit,
            "redact": self.settings.redact,
            "collector": secrets.token_hex(8),
        }
        if self._options.packets is not None:
            facts["packets"] = str(self._options.packets.resolve())
        meta = Meta(_version(), datetime.now(UTC).isoformat(timespec="seconds"), (), facts)
        save = self._options.save
        if save is None:
            return temporary_session(meta)
        return Session.resume(save) if save.exists() else Session.create(save, meta)

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Lets agents in there; gives the address (port 0: one that is free).

        Raises:
            OSError: it can't be listened on.
        """
        runner = serving.runner(self._ingest.application(), shutdown_timeout=2.0)
        await runner.setup()
        self._running.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        assert site._server is not None  # noqa: S101
        name = site._server.sockets[0].getsockname()  # type: ignore[attr-defined]
        return str(name[0]), int(name[1])

    def exclude(self, ip: str, port: int) -> None:
        """Has agents leave out the traffic of this end: the collector's own, and that of its page."""
        end = control.End(ip, port)
        if end not in self.settings.exclude:
            self.settings = replace(self.settings, exclude=(*self.settings.exclude, end))
            self._ingest.settings = self.settings
            self._ingest.tell(control.Exclude(self.settings.exclude))

    def set_targets(self, targets: Iterable[Target]) -> None:
        """What agents shall tap from now on, each on its node; `health().targets` tells how it goes."""
        self._ingest.set_targets(targets)

    def shed(self, level: int) -> None:
        """How much agents shall leave out at least, see control.Shed."""
        self._ingest.tell(control.Shed(level))

    def stop_agents(self) -> None:
        """Has the agents ship what they have and end."""
        self._ingest.tell(control.Stop())

    def learn(
        self, claims: Iterable[Claim], ended: Iterable[tuple[Claim, Claim]] = (), forgotten: Iterable[Claim] = ()
    ) -> None:
        """Tells who has which address: new claims, pairs (old, new) of those that changed, old ones to drop."""
        self.recording.learn(claims, ended, forgotten)

    def health(self) -> Health:
        """How the way from packets to records is."""
        return Health(
            live=self.recording.keeper.failure is None,
            title=self.title,
            started_ns=self._started_ns,
            agents=self.agents.states(),
            targets=self.agents.targets(),
            rate=self._rate(),
            hints=tuple(self._hints()),
        )

    def _rate(self) -> float:
        since = time.monotonic() - RATE_OVER
        return sum(count for at, count in list(self.recording.keeper.recent) if at >= since) / RATE_OVER

    def _hints(self) -> Iterable[str]:
        keeper = self.recording.keeper
        if keeper.failure:
            yield f"Nothing is recorded any more: {keeper.failure}"
        if keeper.full_since_ns is not None:
            yield (
                f"The disk of {self.session.path} is full since {time_with_zone(keeper.full_since_ns)}:"
                f" {keeper.not_kept:,} records were not kept. Make room, or limit the session with --retain-bytes."
            )
        elif keeper.not_kept:
            yield f"{keeper.not_kept:,} records were not kept: the disk was full."
        yield from self.further_hints()
        yield from self.agents.hints()
        if unknown := keeper.totals.total("protocol", "unknown_fields"):
            yield f"{unknown_fields(unknown)}."
        if not any(a.connection is not None for a in self.agents) and time.time_ns() - self._started_ns > WAITING * 1e9:
            yield "No agent is connected."

    def _packets(self) -> int:
        return sum(agent.status.packets for agent in self.agents if agent.status is not None)

    async def close(self) -> None:
        """Takes what is under way, ends the session and all that follow it."""
        await self._running.aclose()
        await asyncio.to_thread(self.recording.stop)
        self._held.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _version() -> str:
    try:
        return version("tapper")
    except PackageNotFoundError:
        return "unknown"
