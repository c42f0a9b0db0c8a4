"""Runs the shop: `python -m tapper.demo.shop [--apart]`, in a network namespace of its own or in that of its parent.

All servers are in this one process, each with an address of its own on loopback. It says "open" once the shop is open,
and ends when its standard input does: with whoever started it, whatever way that goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tapper.demo import broker, cache, names, namespace, stock
from tapper.demo.services import BROKER, CACHE, CLERK, PORT, ROUTES, News, application
from tapper.demo.visitors import BROWSER, Visitor

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

OPEN = "open"
APART = "--apart"
"""Argument: go to a network namespace of its own, say so, and open when a byte comes on standard input."""
READY = "apart"
VISITORS = 6
"""At each of the two hosts; together they ask some 30 times a second."""
CHATS = 0.02


async def main() -> None:
    """Opens the shop and lets visitors in until standard input ends, which it may while the shop still opens."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # visitors may leave in the middle
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        loop.remove_reader(sys.stdin.fileno())  # at its end it would be ready again and again, while all is closed
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_reader(sys.stdin.fileno(), stop)
    async with contextlib.AsyncExitStack() as stack:
        opening, stopping = asyncio.create_task(_open(stack)), asyncio.create_task(stopped.wait())
        await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            opening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await opening
        await stopping


async def _open(stack: AsyncExitStack) -> None:
    await open_shop(stack)
    sys.stdout.write(f"{OPEN}\n")
    sys.stdout.flush()
    for host in ("visitor1", "visitor2"):
        await visitors(stack, host)


async def open_shop(stack: AsyncExitStack) -> None:
    """Starts all servers; they end with the stack."""
    loop = asyncio.get_running_loop()
    dns, _ = await loop.create_datagram_endpoint(names.Server, (names.address("kube-dns"), 53))
    stack.callback(dns.close)
    # programs first: a process with threads, those of gRPC above all, may hang or fail when it forks
    people = await cache.started(stack, names.address("cache"), names.address("users"))
    events = await broker.started(stack, *(names.address(name) for name in ("events", "orders", "mailer")))
    clerk = await stock.started(stack, names.address("stock"), names.address("orders"))
    news = ThreadingHTTPServer((names.address("news"), PORT), News)
    threading.Thread(target=news.serve_forever, daemon=True).start()
    stack.callback(news.shutdown)
    for name in ROUTES:
        source = names.address(name)
        app = application(name, address=source, resolver=lambda source=source: names.Resolver(source))  # type: ignore[misc]
        if name == "users" and people is not None:
            app[CACHE] = people
        if name == "orders" and clerk is not None:
            app[CLERK] = clerk
        if name == "orders" and events is not None:
            app[BROKER] = events
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, source, PORT).start()


async def visitors(stack: AsyncExitStack, host: str) -> None:
    """Those of one host; they leave with the stack."""
    source, gateway = names.address(host), f"http://gateway:{PORT}"
    first = names.NUMBERS[host] * 10
    for number in range(first, first + VISITORS):
        connector = aiohttp.TCPConnector(
            limit_per_host=2, ttl_dns_cache=20, local_addr=(source, 0), resolver=names.Resolver(source)
        )
        session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": BROWSER})
        await stack.enter_async_context(session)
        visitor = Visitor(session, number, gateway, CHATS)
        stack.callback(asyncio.create_task(visitor.stay(float("inf"))).cancel)


if __name__ == "__main__":
    if APART in sys.argv[1:]:
        namespace.enter()
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        if not os.read(sys.stdin.fileno(), 1):
            sys.exit()
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
    except (OSError, RuntimeError) as error:  # a server can't start
        sys.exit(str(error))
