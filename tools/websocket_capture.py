"""Recipes of `tools.captures` for protocols that keep a connection: WebSocket, as its client saw it."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from pathlib import Path

    from tools.network import Network

WEBSOCKET_PORT = 8080
Log = list[dict[str, Any]]


class Frames:
    """What one side of a WebSocket saw."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []

    def add(self, direction: str, kind: str, data: str | bytes) -> None:
        """One message."""
        raw = data.encode() if isinstance(data, str) else data
        found = {"direction": direction, "kind": kind, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        self.listed.append(found)


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Says everything again, in capitals or backwards."""
    socket = web.WebSocketResponse(compress="plain" not in request.query)
    await socket.prepare(request)
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data.upper())
        elif message.type == aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data[::-1])
    return socket


def serve_websocket() -> None:
    """Runs the server."""
    app = web.Application()
    app.router.add_get("/echo", echo)
    web.run_app(app, port=WEBSOCKET_PORT, print=None, access_log=None)


def websocket(network: Network, _: Path) -> None:
    """aiohttp."""
    network.start("server", sys.executable, "-m", "tools.captures", "--serve", "websocket")
    network.wait_port("server", WEBSOCKET_PORT)


async def talk(server: str, log: Log, *, compressed: bool) -> None:
    """One conversation."""
    target = "/echo" if compressed else "/echo?plain"
    url = f"http://{server}:{WEBSOCKET_PORT}{target}"
    frames = Frames()
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=15 * compressed) as socket:
        port = socket.get_extra_info("sockname")[1]
        for number in range(40):
            text = f'{{"item": "a red lamp for the hall", "number": {number}, "more": "{"é" * (number * 40)}"}}'
            await socket.send_str(text)
            frames.add("sent", "text", text)
            frames.add("received", "text", (await socket.receive()).data)
        for size in (0, 125, 126, 65_535, 65_536, 200_000):
            data = bytes(n * n % 251 for n in range(size))
            await socket.send_bytes(data)
            frames.add("sent", "binary", data)
            frames.add("received", "binary", (await socket.receive()).data)
        await socket.close(code=1000, message=b"done")
    row = {"src_port": port, "protocol": "websocket", "operation": "GET", "target": target, "status": 101}
    log.append(row | {"outcome": "ok", "frames": frames.listed, "elapsed_ns": 60 * 10**9})


def websocket_client(server: str, log: Log) -> None:
    """Talks with compression, and without."""
    for compressed in (True, False):
        asyncio.run(talk(server, log, compressed=compressed))
