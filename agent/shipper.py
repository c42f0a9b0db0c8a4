"""Brings shipments to the collector over one WebSocket, again and again until they are acknowledged.

A WebSocket: one connection through whatever passes HTTP (port-forwards, services, proxies), frames of its own in both
directions, TLS and bearer tokens as everywhere, and TCP's flow control when the collector is slow.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from tapper.model import control
from tapper.model.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool import Spool

CONNECT_TIMEOUT = 10.0
HEARTBEAT = 10.0
"""Seconds; a collector that is gone without a word is noticed in one and a half of these."""
BACKOFF = (0.2, 5.0)
STARTING = 30.0
"""Seconds in which the collector may be starting too: no wait is longer than EAGER then."""
EAGER = 0.25
STATUS_EVERY = 1.0


class RefusedError(Exception):
    """The collector will not take this agent as it is; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Where the collector is, and how to be let in."""

    url: str
    """https://host:port (http only for tests and one machine)."""
    token: str
    ca: str | None = None
    """PEM file with the authority that signed the collector's certificate; None: the system's."""
    certificate: str | None = None
    """PEM file with our own certificate and key, where the collector asks for one."""

    def tls(self) -> ssl.SSLContext | bool:
        """How to check the collector.

        Raises:
            RefusedError: a file can't be used.
        """
        if not self.url.startswith(("https:", "wss:")):
            return False
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate)
        except (OSError, ssl.SSLError) as error:
            raise RefusedError(f"{self.ca or self.certificate}: not usable for TLS: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class Shipper:
    """One agent's connection.

    Args:
        collector: where to.
        hello: who we are.
        spool: what to ship.
        heard: takes what the collector tells (Welcome, Targets, Shed, Stop).
        status: gives what to tell.
    """

    def __init__(
        self,
        collector: Collector,
        hello: control.Hello,
        spool: Spool,
        heard: Callable[[control.Down], None],
        status: Callable[[], control.Status],
    ) -> None:
        self._collector = collector
        self._hello = hello
        self._spool = spool
        self._heard = heard
        self._status = status
        self._news = asyncio.Event()
        self._leaving = False
        self.connected = False
        self.peer: tuple[str, int] | None = None
        """Address and port of the collector as we see it."""
        self.problem: str | None = None
        """Why there is no connection."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._news.set)

        spool.on_put(wake)

    def leave(self) -> None:
        """Ends `run` once all is shipped."""
        self._leaving = True
        self._news.set()

    async def run(self) -> None:
        """Connects, ships, and connects again when the connection is lost.

        Raises:
            RefusedError: the collector does not take us.
        """
        tls, wait, started = self._collector.tls(), BACKOFF[0], time.monotonic()
        url = f"{self._collector.url.rstrip('/')}{control.PATH}"
        headers = {"Authorization": f"Bearer {self._collector.token}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                began = time.monotonic()
                try:
                    async with session.ws_connect(
                        url, headers=headers, ssl=tls, heartbeat=HEARTBEAT, max_msg_size=control.MAX_CONTROL
                    ) as socket:
                        if await self._talk(socket):
                            return
                        self.problem = "the collector ended the connection"
                except aiohttp.WSServerHandshakeError as error:
                    if error.status in (401, 403):
                        raise RefusedError("the collector refuses the token; give the agent the one it has") from error
                    self.problem = f"{url} answers with status {error.status}; is it a collector of tapper?"
                except aiohttp.ClientConnectorCertificateError as error:
                    raise RefusedError(
                        f"the collector's certificate is not of the authority that --ca names: {error}"
                    ) from error
                except (aiohttp.ClientError, OSError, TimeoutError, WireError) as error:
                    self.problem = str(error) or type(error).__name__
                finally:
                    self.connected = False
                if self._leaving:
                    return
                longest = EAGER if time.monotonic() - started < STARTING else BACKOFF[1]
                wait = BACKOFF[0] if time.monotonic() - began > BACKOFF[1] else min(wait * 2, longest)
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads agents, hides nothing

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        """Until the connection is lost; True: all is shipped and we leave."""
        await socket.send_str(control.encode(self._hello))
        welcome = await _receive(socket, CONNECT_TIMEOUT)
        if isinstance(welcome, control.Refusal):
            raise RefusedError(f"the collector refuses: {welcome.message}")
        if not isinstance(welcome, control.Welcome):
            raise WireError("the collector did not greet")
        self._spool.ack(welcome.seq)
        peer = socket.get_extra_info("peername")
        self.peer = (str(peer[0]), int(peer[1])) if peer else None
        self._heard(welcome)
        self.connected, self.problem = True, None
        tasks = [
            asyncio.create_task(work)
            for work in (self._send(socket, welcome.seq), self._listen(socket), self._tell(socket))
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result
        return tasks[0] in done

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, seq: int) -> None:
        """Ends when we leave and all is acknowledged."""
        while True:
            self._news.clear()
            while (found := self._spool.after(seq)) is not None:
                seq, frame = found
                await socket.send_bytes(frame)
            if self._leaving and not self._spool.state().spooled_bytes:
                await socket.send_str(control.encode(self._status()))
                await socket.send_str(control.encode(control.Bye()))
                return
            await self._news.wait()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await _receive(socket, None)
            match message:
                case control.Ack(seq):
                    self._spool.ack(seq)
                    self._news.set()
                case control.Probe(sent):
                    await socket.send_str(control.encode(control.Clock(sent, time.time_ns())))
                case control.Refusal(_, why):
                    raise RefusedError(f"the collector refuses: {why}")
                case _:
                    self._heard(message)

    async def _tell(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await socket.send_str(control.encode(self._status()))
            await asyncio.sleep(STATUS_EVERY)


async def _receive(socket: aiohttp.ClientWebSocketResponse, timeout: float | None) -> control.Down:
    message = await socket.receive(timeout)
    if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
        raise aiohttp.ClientError(f"the collector ended the connection{_reason(message)}")
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise WireError("the collector sent no text")
    return control.decode_down(message.data)


def _reason(message: aiohttp.WSMessage) -> str:
    return f": {message.extra}" if message.extra else ""
