"""NATS in the shop, if it is installed: orders tells of new orders, mailer hears of them.

tapper does not parse it: it shows connections with their bytes.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import TYPE_CHECKING, Any

from tapper.demo import server

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

PORT = 4222
SUBJECT = "orders.new"
_HELLO = {"verbose": False, "pedantic": False, "lang": "python", "version": "1"}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Broker:
    """A publisher's connection, speaking NATS' text protocol."""

    def __init__(self, streams: Streams) -> None:
        self._writer = streams[1]

    async def publish(self, order: dict[str, Any]) -> None:
        """Tells of an order."""
        data = json.dumps(order).encode()
        self._writer.write(f"PUB {SUBJECT} {len(data)}\r\n".encode() + data + b"\r\n")
        await self._writer.drain()


async def started(stack: AsyncExitStack, address: str, publisher: str, subscriber: str) -> Broker | None:
    """Starts the server and the one who listens, at the address `subscriber`; None: it is not installed."""
    program = shutil.which("nats-server")
    if program is None:
        return None
    await server.started(stack, [program, "-a", address, "-p", str(PORT)], "Server is ready")
    listening = await _connect(stack, address, subscriber)
    listening[1].write(f"SUB {SUBJECT} 1\r\n".encode())
    publishing = await _connect(stack, address, publisher)
    for streams in (listening, publishing):
        stack.callback(asyncio.create_task(_heed(*streams)).cancel)
    return Broker(publishing)


async def _connect(stack: AsyncExitStack, address: str, source: str) -> Streams:
    streams = await asyncio.open_connection(address, PORT, local_addr=(source, 0))
    stack.callback(streams[1].close)
    streams[1].write(f"CONNECT {json.dumps(_HELLO)}\r\n".encode())
    return streams


async def _heed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads what comes, and answers the server's pings."""
    while line := await reader.readline():
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n")
        elif line.startswith(b"MSG"):
            await reader.readexactly(int(line.split()[-1]) + 2)
