"""The stock service over gRPC, and its callers in orders."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PORT = 50051
ADDRESS = f"stock:{PORT}"
ITEMS = ("kettle", "lamp", "chair", "desk", "rug", "mug", "shelf", "clock")
METADATA = (("authorization", "Bearer svc-orders-7f3a"), ("x-tenant", "shop"), ("x-token-bin", b"\x01\x02secret\xff"))

chance = random.Random(11)
messages, services = grpc.protos_and_services("tools/shop/stock.proto")  # type: ignore[no-untyped-call]


def level(name: str) -> Any:
    """How much there is of an item."""
    return messages.Level(
        item=messages.Item(name=name),
        count=chance.randrange(-3, 500),
        place=chance.randrange(3),
        reserved_by=[chance.randrange(10**6) for _ in range(chance.randrange(5))],
        prices={"eur": round(chance.random() * 90, 2), "usd": 17.5},
        note="x" * chance.randrange(200),
    )


class Stock(services.StockServicer):  # type: ignore[misc]
    """All four kinds of calls, and some errors."""

    async def Get(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Unary; one item in ten is not known, a few take too long."""
        await asyncio.sleep(chance.uniform(0.001, 0.006))
        if request.wanted % 10 == 9:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no item {request.name!r}")
        if request.wanted % 31 == 17:
            await asyncio.sleep(2)
        context.set_trailing_metadata((("x-shelf", "7"),))
        return level(request.name)

    async def Watch(self, request: Any, _: Any) -> AsyncIterator[Any]:  # noqa: N802
        """A stream from the server."""
        for _ in range(request.wanted):
            yield level(request.name)
            await asyncio.sleep(0.15)

    async def Count(self, stream: AsyncIterator[Any], _: Any) -> Any:  # noqa: N802
        """A stream from the client."""
        counts = [item.count async for item in stream]
        return messages.Summary(items=len(counts), total=sum(max(count, 0) for count in counts))

    async def Follow(self, stream: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Both ways."""
        async for item in stream:
            yield level(item.name)


async def serve() -> None:
    """Runs the service until it is killed."""
    server = grpc.aio.server()
    services.add_StockServicer_to_server(Stock(), server)
    server.add_insecure_port(f"0.0.0.0:{PORT}")
    await server.start()
    await server.wait_for_termination()


class Clerk:
    """Calls stock for orders."""

    def __init__(self) -> None:
        self.stub: Any = None

    async def run(self, _: object) -> AsyncIterator[None]:
        """Keeps a channel, and counts and follows the stock in the background, as long as the service lives."""
        async with grpc.aio.insecure_channel(ADDRESS) as channel:
            self.stub = services.StockStub(channel)
            work = asyncio.create_task(self.stocktaking())
            yield
            work.cancel()

    async def look(self, name: str) -> int | None:
        """How much there is, if stock says so in time."""
        item = messages.Item(name=name, wanted=chance.randrange(310), token="tok-99")
        with contextlib.suppress(grpc.aio.AioRpcError):
            return int((await self.stub.Get(item, timeout=0.4, metadata=METADATA)).count)
        return None

    async def stocktaking(self) -> None:
        """Streams of each kind, in turn."""

        async def items(kind: Any, count: int) -> AsyncIterator[Any]:
            for _ in range(count):
                yield kind(chance.choice(ITEMS))
                await asyncio.sleep(0.05)

        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                async for _ in self.stub.Watch(messages.Item(name="lamp", wanted=chance.randrange(2, 8))):
                    pass
                await self.stub.Count(items(level, chance.randrange(2, 12)), compression=grpc.Compression.Gzip)
                async for _ in self.stub.Follow(items(lambda name: messages.Item(name=name), 6)):
                    pass
            await asyncio.sleep(2)
