"""An agent as a child of the command that taps this machine: `python -m agent.child`.

What to do is said in one line of JSON on standard input, so that the token is in no command line and no file. When
standard input ends, so does the agent: with its parent, whatever way that goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

NEWUSER = 0x10000000  # sched.h


@dataclass(frozen=True, slots=True)
class Order:
    """What the parent says."""

    collector: str
    token: str
    name: str = "this machine"
    user_namespace: int | None = None
    """A process in whose user namespace to be: there we may do what we may not here (user_namespaces(7))."""

    record: str | None = None
    """A file for the raw packets, see `agent.recordings`."""
    record_bytes: int = 0
    record_sources: int = 1

    def line(self) -> bytes:
        """As it is said."""
        return json.dumps(asdict(self)).encode() + b"\n"


def join_user_namespace(pid: int) -> None:
    """Moves this process to the user namespace of another one, which belongs to the same user.

    Raises:
        OSError: the system does not allow it, or this process has several threads.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(namespace, NEWUSER):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(namespace)


async def live(order: Order) -> None:
    """Runs the agent until standard input ends, SIGTERM, or the collector says to stop.

    Raises:
        RefusedError: the collector does not take it.
    """
    from agent.process import Agent, Options
    from agent.recordings import Recordings
    from agent.shipper import Collector

    recordings = Recordings(Path(order.record), order.record_bytes, order.record_sources) if order.record else None
    options = Options(Collector(order.collector, order.token), name=order.name, cores=None, recordings=recordings)
    agent = Agent(options)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, agent.stop)

    def parted() -> None:
        loop.remove_reader(sys.stdin.fileno())  # or its end is told again and again
        agent.stop()

    loop.add_reader(sys.stdin.fileno(), parted)
    await agent.run()


def main() -> None:
    """See the module."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    line = os.read(sys.stdin.fileno(), 65_536)
    if not line:
        return
    order = Order(**json.loads(line))
    if order.user_namespace is not None:
        join_user_namespace(order.user_namespace)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(live(order))


if __name__ == "__main__":
    main()
