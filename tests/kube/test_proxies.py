"""Through which proxies an API server is asked: the same as by kubectl."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tapper.collector.authority import Authority, server_context
from tapper.kube.connect import Access, connect
from tapper.kube.proxies import proxy_for
from tapper.kube.refusals import KubeError
from tests.kube.api_server import serving, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("server", "environment", "direct"),
    [
        ("https://kube.example", {"HTTPS_PROXY": PROXY}, False),
        ("https://kube.example", {"https_proxy": PROXY}, False),
        ("https://kube.example", {"HTTP_PROXY": PROXY, "ALL_PROXY": PROXY}, True),
        ("http://kube.example", {"HTTP_PROXY": PROXY}, False),
        ("https://kube.example", {"HTTPS_PROXY": "proxy.example:3128"}, False),
        ("https://localhost:6443", {"HTTPS_PROXY": PROXY}, True),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": PROXY}, True),
        ("https://[::1]:6443", {"HTTPS_PROXY": PROXY}, True),
        ("https://10.1.2.3", {"HTTPS_PROXY": PROXY, "NO_PROXY": "192.168.0.0/16, 10.0.0.0/8"}, True),
        ("https://11.1.2.3", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, False),
        ("https://10.1.2.3", {"HTTPS_PROXY": PROXY, "no_proxy": "10.1.2.3"}, True),
        ("https://10.1.2.3:6443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.1.2.3:443"}, False),
        ("https://[fd00::7]", {"HTTPS_PROXY": PROXY, "NO_PROXY": "fd00::/8"}, True),
        ("https://a.kube.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "kube.example"}, True),
        ("https://kube.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": ".kube.example"}, False),
        ("https://a.kube.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*.kube.example"}, True),
        ("https://notkube.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "kube.example,x:y,["}, False),
        ("https://kube.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, True),
        ("https://kube.example", {}, True),
    ],
)
def test_the_environment_s_proxy_is_that_of_kubectl(server: str, environment: dict[str, str], direct: bool) -> None:
    assert proxy_for(server, None, environment) == (None if direct else PROXY)


def test_the_kubeconfig_s_proxy_holds_for_any_server() -> None:
    environment = {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}
    assert proxy_for("https://127.0.0.1:6443", "socks5://127.0.0.1:1080", environment) == "socks5://127.0.0.1:1080"


@pytest.mark.parametrize("proxy", ["ftp://proxy", "me:secret@proxy"])
def test_a_proxy_of_no_known_kind_is_told_without_its_password(proxy: str) -> None:
    with pytest.raises(KubeError, match="begin with http, https or socks5") as told:
        proxy_for("https://kube.example", proxy, {})
    assert "secret" not in str(told.value)


@asynccontextmanager
async def _socks(places: dict[tuple[str, int], int]) -> AsyncIterator[tuple[str, list[tuple[str, int]]]]:
    """A SOCKS5 proxy (RFC 1928) that knows names of ports of this machine: its URL, and what it was asked for."""
    asked: list[tuple[str, int]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\5\0")
        _, _, _, kind, length = await reader.readexactly(5)
        assert kind == 3, "a name, which only the proxy can look up"
        name = (await reader.readexactly(length)).decode()
        asked.append((name, *struct.unpack("!H", await reader.readexactly(2))))
        if asked[-1] not in places:
            writer.write(b"\5\4\0\1" + bytes(6))  # host unreachable
            writer.close()
            return
        there = await asyncio.open_connection("127.0.0.1", places[asked[-1]])
        writer.write(b"\5\0\0\1" + bytes(6))
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def _path(request: web.Request) -> web.StreamResponse:
    return web.json_response({"path": request.path})


@pytest.mark.asyncio
@pytest.mark.parametrize("names", [{}, {"tls-server-name": "kube.internal"}])
async def test_a_server_is_reached_through_a_socks_proxy_by_a_name_that_only_it_knows(
    tmp_path: Path, names: dict[str, str]
) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    known = names.get("tls-server-name", "kube.invalid")
    async with (
        serving(_path, server_context(authority.issue([known]))) as port,
        _socks({("kube.invalid", 6443): port}) as (proxy, asked),
    ):
        cluster = {"certificate-authority": "ca.pem", "proxy-url": proxy, **names}
        config = written(tmp_path / "config", "https://kube.invalid:6443", **cluster)
        async with connect(Access(config)) as through:
            assert await through.request("GET", "/version") == {"path": "/version"}
    assert asked == [("kube.invalid", 6443)]


@pytest.mark.asyncio
async def test_what_a_socks_proxy_can_not_reach_is_told(tmp_path: Path) -> None:
    async with _socks({}) as (proxy, _):
        config = written(tmp_path / "config", "https://kube.invalid", **{"proxy-url": proxy})
        async with connect(Access(config)) as through:
            with pytest.raises(
                KubeError, match=r"can't reach the cluster at https://kube\.invalid: SOCKS proxy: Host unr"
            ):
                await through.request("GET", "/version")


@pytest.mark.asyncio
async def test_this_machine_s_own_cluster_is_asked_without_the_environment_s_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        async with (
            serving(_path, None) as port,
            connect(Access(written(tmp_path / "config", f"http://127.0.0.1:{port}"))) as cluster,
        ):
            assert await cluster.request("GET", "/version") == {"path": "/version"}
