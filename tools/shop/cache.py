"""Redis in the shop: users keeps people in it, the gateway hears of prices through it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PORT = 6379
PASSWORD = "r3dis-s3cret"

chance = random.Random(13)


def connect(*, resp3: bool) -> Redis:
    """A client with its password."""
    return Redis(host="cache", port=PORT, password=PASSWORD, protocol=3 if resp3 else 2, decode_responses=True)


class People:
    """Users by number, kept for some seconds; who is asked for how often."""

    def __init__(self) -> None:
        self.redis: Redis | None = None

    async def run(self, _: object) -> AsyncIterator[None]:
        """Keeps connections for the life of the service."""
        async with connect(resp3=False) as self.redis:
            yield

    async def get(self, number: int, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """A user from the cache, or made and cached; statistics in one pipeline; now and then a wrong command."""
        assert self.redis is not None
        key = f"user:{number}"
        if known := await self.redis.get(key):
            found: dict[str, Any] = json.loads(known)
        else:
            found = make(number)
            await self.redis.set(key, json.dumps(found), ex=5)
        async with self.redis.pipeline(transaction=number % 3 == 0) as pipe:
            await pipe.zincrby("asked", 1, key).zrevrange("asked", 0, 9, withscores=True).expire("asked", 600).execute()
        if number % 11 == 0:
            with contextlib.suppress(ResponseError):
                await self.redis.incr(key)
        return found


async def prices(app: object) -> AsyncIterator[None]:
    """In the gateway: one task tells prices, another hears them (RESP3 push)."""

    async def tell() -> None:
        async with connect(resp3=True) as redis:
            while True:
                await redis.publish("prices", json.dumps({"item": "lamp", "price": round(chance.random() * 90, 2)}))
                await asyncio.sleep(0.7)

    async def hear() -> None:
        async with connect(resp3=True) as redis, redis.pubsub() as channel:
            await channel.subscribe("prices")
            async for _ in channel.listen():
                pass

    tasks = [asyncio.create_task(hear()), asyncio.create_task(tell())]
    yield
    for task in tasks:
        task.cancel()
