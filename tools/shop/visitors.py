"""Visitors of the shop: `python -m tools.shop.visitors HOST SECONDS` runs those of one host, or the probes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

import aiohttp

from tapper.demo.services import PORT
from tapper.demo.visitors import BROWSER, Visitor
from tools.shop.services import WITH

WEB = "http://web"


async def visit(first: int, count: int, seconds: float) -> None:
    """Several visitors at once, each with connections of its own."""
    until = time.monotonic() + seconds
    chats = 0.02 if "websocket" in WITH else 0.0
    async with contextlib.AsyncExitStack() as stack:
        visitors = []
        for number in range(first, first + count):
            connector = aiohttp.TCPConnector(limit_per_host=2, ttl_dns_cache=20)
            session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": BROWSER})
            visitors.append(Visitor(await stack.enter_async_context(session), number, WEB, chats))
        await asyncio.gather(*(visitor.stay(until) for visitor in visitors))


async def probe(seconds: float) -> None:
    """What a kubelet does: asks each service whether it is well, on a new connection each time."""
    until = time.monotonic() + seconds
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, headers={"User-Agent": "kube-probe/1.34"}) as session:
        while time.monotonic() < until:
            for service in ("gateway", "orders", "payments", "users", "news"):
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(f"http://{service}:{PORT}/healthz") as answer:
                        await answer.read()
            await asyncio.sleep(5)


if __name__ == "__main__":
    who, stay = sys.argv[1], float(sys.argv[2])
    asyncio.run(probe(stay) if who == "node" else visit(int(who[-1]) * 10, 4, stay))
