"""The stock over gRPC, if grpcio is installed: a unary call and a stream, with protobuf's own Struct as messages."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AsyncExitStack

PORT = 50051
SERVICE = "shop.Stock"
METADATA = (("authorization", "Bearer svc-orders-7f3a"), ("x-tenant", "shop"))

chance = random.Random(11)


def _level(name: str) -> Struct:
    made = Struct()
    made.update({"item": name, "count": chance.randrange(500), "place": chance.choice(("shelf", "store"))})
    return made


class Clerk:
    """Calls stock for orders."""

    def __init__(self, channel: Any) -> None:
        how = {"request_serializer": Struct.SerializeToString, "response_deserializer": Struct.FromString}
        self._get = channel.unary_unary(f"/{SERVICE}/Get", **how)
        self._watch = channel.unary_stream(f"/{SERVICE}/Watch", **how)

    async def look(self, name: str) -> int | None:
        """How much there is, if stock says so in time."""
        import grpc

        wanted = Struct()
        wanted.update({"name": name, "token": "tok-99", "odd": chance.random() < 0.05})
        with contextlib.suppress(grpc.aio.AioRpcError):
            return int((await self._get(wanted, timeout=0.4, metadata=METADATA))["count"])
        return None

    async def watch(self) -> None:
        """Follows the stock of an item, again and again."""
        import grpc

        wanted = Struct()
        wanted.update({"name": "lamp"})
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                async for _ in self._watch(wanted, metadata=METADATA):
                    pass
            await asyncio.sleep(2)


async def started(stack: AsyncExitStack, address: str, source: str) -> Clerk | None:
    """Starts the server, and gives the client for calls from `source`; None: grpcio is not installed."""
    try:
        import grpc
    except ImportError:
        return None

    async def get(request: Struct, context: Any) -> Struct:
        await asyncio.sleep(chance.uniform(0.001, 0.006))
        if request["odd"]:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no item {request['name']!r}")
        return _level(str(request["name"]))

    async def watch(request: Struct, _: Any) -> AsyncIterator[Struct]:
        for _ in range(6):
            yield _level(str(request["name"]))
            await asyncio.sleep(0.3)

    how = {"request_deserializer": Struct.FromString, "response_serializer": Struct.SerializeToString}
    handlers = {
        "Get": grpc.unary_unary_rpc_method_handler(get, **how),
        "Watch": grpc.unary_stream_rpc_method_handler(watch, **how),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(f"{address}:{PORT}")
    await server.start()
    stack.push_async_callback(server.stop, None)
    with contextlib.suppress(OSError):
        route(address, source)
    channel = grpc.aio.insecure_channel(f"{address}:{PORT}")
    stack.push_async_callback(channel.close)
    clerk = Clerk(channel)
    watching = asyncio.create_task(clerk.watch())
    stack.callback(watching.cancel)
    return clerk


def route(address: str, source: str) -> None:
    """Lets calls to a local address come from another, for gRPC can't choose it (rtnetlink(7), RTM_NEWROUTE)."""
    attribute = struct.Struct("=HH4s")
    body = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 255, 2, 254, 2, 0)  # table local, of the host, local
    body += attribute.pack(8, 1, socket.inet_aton(address))  # RTA_DST
    body += struct.pack("=HHI", 8, 4, socket.if_nametoindex("lo"))  # RTA_OIF
    body += attribute.pack(8, 7, socket.inet_aton(source))  # RTA_PREFSRC
    head = struct.pack("=IHHII", 16 + len(body), 24, 0x0405, 1, 0)  # request, acknowledged, created
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + body)
        answer = kernel.recv(4096)
    error = struct.unpack_from("=i", answer, 16)[0]
    if error:
        raise OSError(-error, "no route")
