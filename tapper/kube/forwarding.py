"""A port on this machine that leads to a port of a pod, through the API server.

Each connection is a WebSocket of its own to the API server, with the user's credentials; after it was lost the next one
just works, to whichever pod there is by then. Written here and not taken from a library because it must go by the same
credentials, proxy and impersonation as every other request.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from tapper.kube import kinds, objects
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tapper.kube.cluster import Cluster, WebSocket

PROTOCOL = "v4.channel.k8s.io"
PIECE = 256 << 10  # bytes of one frame
_DATA, _ERROR = 0, 1  # channels of the first port


@asynccontextmanager
async def forward(cluster: Cluster, namespace: str, labels: str, port: int, local_port: int = 0) -> AsyncIterator[int]:
    """Listens on 127.0.0.1 and gives the port; each connection goes to a pod with those labels."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = await _path(cluster, namespace, labels, port)
            socket = await cluster.websocket(path, PROTOCOL)
        except KubeError:  # who connected sees a closed connection, and tries again
            writer.close()
            return
        try:
            await _pump(socket, reader, writer)
        finally:
            await socket.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", local_port, limit=PIECE)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def _path(cluster: Cluster, namespace: str, labels: str, port: int) -> str:
    pods = [objects.pod(item) for item in await cluster.list(kinds.POD, namespace, labels)]
    # that a pod is ready is told a second or two after it was so
    placed = [pod for pod in pods if pod.node is not None and not pod.finished]
    chosen = next((pod for pod in placed if pod.ready), placed[-1] if placed else None)
    if chosen is None:
        raise KubeError(f"no pod with {labels} runs in namespace {namespace}")
    return f"{kinds.POD.path(namespace, chosen.name)}/portforward?ports={port}"


async def _pump(socket: WebSocket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either side ends."""

    async def up() -> None:
        while data := await reader.read(PIECE):
            await socket.send_bytes(bytes((_DATA,)) + data)

    async def down() -> None:
        opened = set()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel = message.data[0]
            if channel not in opened:  # the first frame of each says only the port
                opened.add(channel)
            elif channel == _DATA:
                writer.write(message.data[1:])
                await writer.drain()
            elif channel == _ERROR:
                return

    tasks = [asyncio.create_task(up()), asyncio.create_task(down())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, aiohttp.ClientError):
                await task
