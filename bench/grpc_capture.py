"""Records real unary gRPC calls once: grpcio's client and server, in network namespaces of their own.

`python -m bench.grpc_capture --serve` and `--call N` are what runs in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.process import MissingError

if TYPE_CHECKING:
    from pathlib import Path

PORT = 50051
CONNECTIONS = 20
AT_ONCE = 8
"""Calls under way on a connection."""
METHODS = ("/shop.Orders/Get", "/shop.Orders/List", "/shop.Stock/Reserve", "/shop.Users/Find")


def make(path: Path, calls: int) -> Path:
    """A capture of so many calls; it is kept."""
    if path.exists():
        return path
    if os.geteuid() != 0 or shutil.which("tcpdump") is None:
        raise MissingError("recording gRPC calls needs root and tcpdump")
    from tools.network import Network

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    module = (sys.executable, "-m", "bench.grpc_capture")
    with Network("tapper-bench") as network:
        network.host("server", 10)
        network.host("client", 11)
        network.start("server", *module, "--serve")
        network.wait_port("server", PORT)
        options = ("-i", "eth0", "-n", "-s0", "-B", "65536", "-w", str(unfinished), "tcp")
        tcpdump = subprocess.Popen(
            network.command("client", "tcpdump", *options), stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        network.processes.append(tcpdump)  # type: ignore[arg-type]
        assert tcpdump.stderr is not None
        while "listening on" not in tcpdump.stderr.readline():
            pass
        calling = network.command("client", *module, "--call", f"{network.hosts['server']}:{PORT}", str(calls))
        subprocess.run(calling, check=True, timeout=600)
        time.sleep(1)  # until tcpdump has read what it was given
        os.killpg(tcpdump.pid, signal.SIGINT)
        said = tcpdump.communicate()[1]
    if "\n0 packets dropped by kernel" not in said:
        raise RuntimeError(f"the recording is not whole: {said.strip()}")
    return unfinished.rename(path)


async def serve() -> None:
    """Answers until it is killed."""
    import grpc

    chance = random.Random(3)
    answers = [chance.randbytes(chance.randrange(40, 400)) for _ in range(64)]

    async def answer(request: bytes, context: Any) -> bytes:
        if request[0] == 0:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
        return answers[request[0] % len(answers)]

    handler = grpc.unary_unary_rpc_method_handler(answer)
    server = grpc.aio.server()
    for service in sorted({method.split("/")[1] for method in METHODS}):
        names = [method.split("/")[2] for method in METHODS if method.split("/")[1] == service]
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, dict.fromkeys(names, handler))])
    server.add_insecure_port(f"0.0.0.0:{PORT}")
    await server.start()
    await server.wait_for_termination()


async def call(address: str, count: int) -> None:
    """Makes so many calls, over all connections, as clients do that carry a token and a trace."""
    import grpc

    async def one_after_another(channel: Any, seed: int, calls: int) -> None:
        chance = random.Random(seed)
        methods = [channel.unary_unary(method) for method in METHODS]
        for _ in range(calls):
            trace = f"00-{chance.getrandbits(128):032x}-{chance.getrandbits(64):016x}-01"
            metadata = (("authorization", "Bearer svc-orders-7f3a"), ("traceparent", trace), ("x-tenant", "shop"))
            request = chance.randbytes(chance.randrange(10, 120))
            with contextlib.suppress(grpc.aio.AioRpcError):
                await chance.choice(methods)(request, metadata=metadata, timeout=30)

    async with contextlib.AsyncExitStack() as stack:
        own = (("grpc.use_local_subchannel_pool", 1),)
        channels = [grpc.aio.insecure_channel(address, options=own) for _ in range(CONNECTIONS)]
        for channel in channels:
            await stack.enter_async_context(channel)
        callers = CONNECTIONS * AT_ONCE
        shares = [count // callers + (n < count % callers) for n in range(callers)]
        await asyncio.gather(
            *(one_after_another(channels[n % CONNECTIONS], n, calls) for n, calls in enumerate(shares))
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve"]:
            asyncio.run(serve())
        case ["--call", where, number]:
            asyncio.run(call(where, int(number)))
