"""Runs one server of the shop: `python -m tools.shop.services NAME`."""

from __future__ import annotations

import asyncio
import os
import socketserver
import sys
from http.server import HTTPServer

from aiohttp import web

from tapper.demo.services import CACHE, CLERK, PORT, News, application, chance

WITH = frozenset(os.environ.get("SHOP_WITH", "").split(","))
"""What the shop has besides HTTP and DNS: grpc, redis, websocket."""


class ForkingServer(socketserver.ForkingMixIn, HTTPServer):
    """A process for each connection."""


def furnish(name: str, app: web.Application) -> None:
    """Gives a service what the shop has besides HTTP."""
    if name == "users" and "redis" in WITH:
        from tools.shop.cache import People

        app[CACHE] = people = People()
        app.cleanup_ctx.append(people.run)
    if name == "gateway" and "redis" in WITH:
        from tools.shop.cache import prices

        app.cleanup_ctx.append(prices)
    if name == "orders" and "grpc" in WITH:
        from tools.shop.stock import Clerk

        app[CLERK] = clerk = Clerk()
        app.cleanup_ctx.append(clerk.run)


def main(name: str) -> None:
    """Runs a service until it is killed."""
    chance.seed(name)
    if name == "news":
        ForkingServer(("", PORT), News).serve_forever()
    elif name == "stock":
        from tools.shop.stock import serve

        asyncio.run(serve())
    else:
        app = application(name)
        furnish(name, app)
        web.run_app(app, port=PORT, print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1])
