"""Connections through a SOCKS5 proxy, such as `ssh -D` opens; it looks up the names."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError
from python_socks.async_.asyncio import Proxy

if TYPE_CHECKING:
    import asyncio

    from aiohttp.client_proto import ResponseHandler


class SocksConnector(aiohttp.TCPConnector):
    """aiohttp knows proxies of HTTP only."""

    def __init__(self, proxy: str, **more: Any) -> None:
        """`proxy`: its URL."""
        super().__init__(resolver=_Unresolved(), **more)
        self._proxy = proxy.replace("socks5h://", "socks5://", 1)

    async def _wrap_create_connection(
        self, *args: Any, addr_infos: Any, req: Any, timeout: aiohttp.ClientTimeout, **more: Any
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        host, port = addr_infos[0][4][:2]
        try:
            through = Proxy.from_url(self._proxy, rdns=True)
            connected = await through.connect(host, port, timeout=timeout.sock_connect or timeout.total)
        except (ProxyError, ProxyConnectionError, ProxyTimeoutError, ValueError) as error:
            raise aiohttp.ClientConnectionError(f"SOCKS proxy: {error}") from error
        return await self._wrap_existing_connection(*args, sock=connected, req=req, timeout=timeout, **more)


class _Unresolved(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass
