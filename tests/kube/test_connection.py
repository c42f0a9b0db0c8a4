"""How the API server is reached: by the kubeconfig's server name, for requests and for streams alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tapper.collector.authority import Authority, server_context
from tapper.kube.connect import Access, connect
from tests.kube.api_server import serving, written

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio


async def _echo(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade") != "websocket":
        return web.json_response({"path": request.path})
    socket = web.WebSocketResponse(protocols=("p",))
    await socket.prepare(request)
    await socket.send_str(request.path)
    await socket.close()
    return socket


async def test_a_server_of_another_name_is_known_by_it_also_by_its_streams(tmp_path: Path) -> None:
    """As behind a tunnel: port forwards went by the address, which the certificate does not have."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    async with serving(_echo, server_context(authority.issue(["kube.internal"]))) as port:
        names = {"certificate-authority": "ca.pem", "tls-server-name": "kube.internal"}
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}", **names)
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/version") == {"path": "/version"}
            socket = await cluster.websocket("/stream", "p")
            assert await socket.receive_str() == "/stream"
            await socket.close()
