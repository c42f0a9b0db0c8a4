"""The door for agents: lets in those with the token, hears them, and passes on what they ship."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from tapper.collector.keeper import Item
from tapper.collector.nodes import NodeAddresses
from tapper.model import control
from tapper.model.schema import SCHEMA_VERSION
from tapper.model.wire import MAX_SHIPMENT, Shipment, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tapper.collector.agents import Agent, Agents
    from tapper.collector.recording import Recording

HELLO_TIMEOUT = 10.0
HEARTBEAT = 10.0
PROBE_EVERY = 2.0


class Ingest:
    """For one event loop.

    Args:
        token: what agents must show.
        session: id of the session that they ship into.
        settings: how they shall record.
        agents: who is there.
        recording: takes what they ship.
    """

    def __init__(
        self, token: str, session: str, settings: control.Settings, agents: Agents, recording: Recording
    ) -> None:
        self._token = token.encode()
        self._session = session
        self.settings = settings
        self._agents = agents
        self._recording = recording
        self._nodes = NodeAddresses()
        self._targets: dict[str | None, list[control.Target]] = {}
        self._room = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused = 0

    def application(self) -> web.Application:
        """One route, `control.PATH`."""
        made = web.Application()
        made.router.add_get(control.PATH, self._handle)
        made.on_shutdown.append(self._shut)
        return made

    async def _shut(self, _: web.Application) -> None:
        for agent in self._agents:
            if agent.connection is not None:
                await agent.connection.close(code=1001, message=b"the collector ends")

    def set_targets(self, targets: Iterable[control.Target]) -> None:
        """What agents shall tap; each is told those of its node, where they are others than before."""
        before, self._targets = self._targets, {}
        for target in targets:
            self._targets.setdefault(target.node, []).append(target)
        for agent in self._agents:
            told = _of(agent, self._targets)
            if told != _of(agent, before):
                self._tell(agent, control.Targets(told))

    def tell(self, message: control.Down) -> None:
        """Tells all agents."""
        for agent in self._agents:
            self._tell(agent, message)

    def _tell(self, agent: Agent, message: control.Down) -> None:
        socket = agent.connection
        if socket is None or socket.closed:
            return

        async def send() -> None:
            # an agent that is gone is noticed by whoever reads from it
            with contextlib.suppress(OSError, RuntimeError):
                await socket.send_str(control.encode(message))

        task = asyncio.ensure_future(send())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def kept(self, numbers: dict[tuple[str, str], tuple[int, int]]) -> None:
        """Acknowledges what was committed."""
        self._room.set()
        for key, (seq, records) in numbers.items():
            agent = self._agents.get(key)
            if agent is not None:
                agent.kept_records += records
                self._tell(agent, control.Ack(seq))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(shown, self._token):
            self.refused += 1
            return web.json_response(
                {"error": {"code": "token", "message": "this collector has another token"}}, status=401
            )
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MAX_SHIPMENT, compress=False)
        await socket.prepare(request)
        agent = await self._greet(socket)
        if agent is None:
            return socket
        probing = asyncio.ensure_future(self._probe(agent, socket))
        try:
            await self._hear(agent, socket)
        except WireError as error:
            await self._refuse(socket, "wire", str(error))
            agent.become("failed", f"sent something that is not as agreed: {error}")
        finally:
            probing.cancel()
            if agent.connection is socket:
                agent.connection = None
                agent.look()
        return socket

    async def _greet(self, socket: web.WebSocketResponse) -> Agent | None:
        """Hello and welcome; None: the agent was refused."""
        try:
            message = await socket.receive(HELLO_TIMEOUT)
            hello = control.decode_up(message.data) if message.type is WSMsgType.TEXT else None
        except (TimeoutError, WireError):
            hello = None
        if not isinstance(hello, control.Hello):
            await self._refuse(socket, "hello", "this is a collector of tapper: an agent says hello first")
            return None
        if hello.version != control.VERSION or hello.schema_version != SCHEMA_VERSION:
            await self._refuse(
                socket,
                "version",
                f"the agent (tapper {hello.made_by or '?'}) speaks version {hello.version} with records of version"
                f" {hello.schema_version}, this collector version {control.VERSION} with records of version"
                f" {SCHEMA_VERSION}; use the same version of tapper for both",
            )
            return None
        agent = self._agents.join(hello)
        if agent is None:
            await self._refuse(socket, "agents", "there are too many agents at this collector")
            return None
        if agent.connection is not None:  # a connection of before, half dead
            await agent.connection.close()
        agent.connection, agent.ended, agent.heard = socket, False, time.monotonic()
        seq = self._recording.keeper.marks.get(agent.key, -1)
        agent.known = agent.known or seq >= 0
        if hello.node is not None and any(claims := self._nodes.told(hello.node, hello.addresses)):
            begun, wrong = claims
            self._recording.learn(begun, (), wrong)
        told = _of(agent, self._targets)
        await socket.send_str(control.encode(control.Welcome(self._session, seq, self.settings, told)))
        return agent

    async def _refuse(self, socket: web.WebSocketResponse, code: str, why: str) -> None:
        self.refused += 1
        if not socket.closed:
            await socket.send_str(control.encode(control.Refusal(code, why)))
            await socket.close(code=1008, message=why.encode()[:120])

    async def _hear(self, agent: Agent, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            agent.heard = time.monotonic()
            if message.type is WSMsgType.BINARY:
                while not self._recording.room():
                    self._room.clear()
                    await asyncio.wait((asyncio.ensure_future(self._room.wait()),), timeout=1.0)
                self._recording.offer(
                    Item(*agent.key, Shipment.decode(message.data), len(message.data), self._refuser(agent, socket))
                )
            elif message.type is WSMsgType.TEXT:
                match control.decode_up(message.data):
                    case control.Status() as status:
                        first = agent.status is None
                        self._agents.tell(agent, status)
                        if first and agent.gone_records:
                            self._recording.count("gone_records", agent.gone_records)
                        self._recording.tell(*agent.key, {("agent", "lost_records"): status.lost_records})
                    case control.Clock(sent, clock):
                        agent.clock(sent, clock, time.time_ns())
                    case control.Bye():
                        agent.ended = True
                    case control.Hello():
                        raise WireError("hello twice")

    def _refuser(self, agent: Agent, socket: web.WebSocketResponse) -> Callable[[str], None]:
        """For the recorder's thread: ends the connection of an agent whose rows are not sound."""
        loop = asyncio.get_running_loop()

        def refuse(why: str) -> None:
            def now() -> None:
                agent.become("failed", f"sent something that is not as agreed: {why}")
                task = asyncio.ensure_future(self._refuse(socket, "wire", why))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

            loop.call_soon_threadsafe(now)

        return refuse

    async def _probe(self, agent: Agent, socket: web.WebSocketResponse) -> None:
        while not socket.closed:
            self._tell(agent, control.Probe(time.time_ns()))
            await asyncio.sleep(PROBE_EVERY)


def _of(agent: Agent, targets: dict[str | None, list[control.Target]]) -> tuple[control.Target, ...]:
    """Those of its node, and those of any."""
    node = agent.hello.node
    return (*targets.get(None, ()), *(targets.get(node, ()) if node is not None else ()))
