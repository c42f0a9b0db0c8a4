"""Runs the API in a thread of its own, for commands that show a feed in the browser."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from tapper.collector.api.app import TIMEOUT_S, create_app, runner
from tapper.collector.api.security import Guard, new_token
from tapper.feed.interface import FeedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.feed.interface import Feed

LOCAL = "127.0.0.1"
"""Where it listens: nobody else on the network can reach it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is."""

    base: str
    guard: Guard

    @property
    def host(self) -> str:
        """IP address."""
        return str(urlsplit(self.base).hostname)

    @property
    def port(self) -> int:
        """Port."""
        return int(urlsplit(self.base).port or 0)

    def url(self, where: str = "") -> str:
        """To be shown to the user: whoever has it may look. The page begins with this filter."""
        return self._with(self.guard.token, where)

    def url_once(self, where: str = "") -> str:
        """One that opens once, for a browser's command line, which everybody on the machine can read."""
        return self._with(self.guard.once(), where)

    def _with(self, token: str, where: str) -> str:
        query = f"?{urlencode({'where': where})}" if where else ""
        return f"{self.base}/{query}#k={token}"


@contextmanager
def served(
    feed: Feed, *, port: int = 0, page: Path | None = None, token: str | None = None, timeout_s: float = TIMEOUT_S
) -> Iterator[Address]:
    """Serves a feed on this machine while the block runs.

    Args:
        feed: stays the caller's to close, after the block.
        port: 0: one that is free.
        page: see create_app.
        token: None: a new one.
        timeout_s: for one answer.

    Raises:
        FeedError: the port can't be had.
    """
    guard = Guard(token or new_token())
    app = create_app(feed, guard=guard, page=page, timeout_s=timeout_s)
    started: Future[int] = Future()
    stop: Future[None] = Future()
    thread = threading.Thread(target=asyncio.run, args=(_serve(app, port, started, stop),), name="api", daemon=True)
    thread.start()
    try:
        try:
            bound = started.result()
        except OSError as error:
            raise FeedError(
                f"can't listen on {LOCAL}:{port}: {error.strerror}; --web-port 0 takes a free one"
            ) from error
        yield Address(f"http://{LOCAL}:{bound}", guard)
    finally:
        stop.set_result(None)
        thread.join()


async def _serve(app: web.Application, port: int, started: Future[int], stop: Future[None]) -> None:
    running = runner(app)
    try:
        await running.setup()
        await web.TCPSite(running, LOCAL, port).start()
        started.set_result(running.addresses[0][1])
        await asyncio.wrap_future(stop)
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
            return
        raise
    finally:
        await running.cleanup()
