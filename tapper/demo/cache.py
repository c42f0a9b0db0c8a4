"""Redis in the shop, if it is installed: users keeps people in it."""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import TYPE_CHECKING, Any

from tapper.demo import server

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

PORT = 6379
PASSWORD = "r3dis-s3cret"


class People:
    """Users by number, kept for some seconds; who is asked for how often. Speaks RESP2 over one connection."""

    def __init__(self, address: str, source: str) -> None:
        self._address = address
        self._source = source
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def get(self, number: int, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """A user from the cache, or made and cached; statistics in one pipeline; now and then a wrong command."""
        key = f"user:{number}"
        async with self._turn:
            if self._streams is None:
                self._streams = await asyncio.open_connection(self._address, PORT, local_addr=(self._source, 0))
                await self._ask(("AUTH", PASSWORD))
            [known] = await self._ask(("GET", key))
            found: dict[str, Any] = json.loads(known) if known else make(number)
            if not known:
                await self._ask(("SET", key, json.dumps(found), "EX", "5"))
            await self._ask(
                ("ZINCRBY", "asked", "1", key), ("ZREVRANGE", "asked", "0", "9"), ("EXPIRE", "asked", "600")
            )
            if number % 11 == 0:
                await self._ask(("INCR", key))
        return found

    async def _ask(self, *commands: tuple[str, ...]) -> list[Any]:
        """The answers of commands that are sent at once."""
        assert self._streams is not None
        reader, writer = self._streams
        for command in commands:
            parts = (f"${len(part.encode())}\r\n{part}\r\n" for part in command)
            writer.write(f"*{len(command)}\r\n{''.join(parts)}".encode())
        await writer.drain()
        return [await _answer(reader) for _ in commands]

    async def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            self._streams[1].close()


async def _answer(reader: asyncio.StreamReader) -> Any:
    line = (await reader.readline()).rstrip()
    match line[:1]:
        case b"$":
            length = int(line[1:])
            return None if length < 0 else (await reader.readexactly(length + 2))[:-2]
        case b"*":
            return [await _answer(reader) for _ in range(int(line[1:]))]
    return line[1:]


async def started(stack: AsyncExitStack, address: str, source: str) -> People | None:
    """Starts the server, and gives the client for calls from `source`; None: it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    options = ["--bind", address, "--port", str(PORT), "--requirepass", PASSWORD, "--save", "", "--appendonly", "no"]
    await server.started(stack, [program, *options], "Ready to accept connections")
    people = People(address, source)
    stack.push_async_callback(people.close)
    return people
