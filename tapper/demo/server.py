"""Servers of the shop that are programs of their own: they end with the shop, whatever way that goes."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import subprocess
import threading
from collections import deque
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_START = 20.0
"""Seconds in which a server is ready, or never."""
_LINES, _LINE = 5, 1000
"""Lines that are kept of what a server says, and bytes of each."""


async def started(stack: AsyncExitStack, command: list[str], ready: str) -> None:
    """Starts a server, which ends with the stack, and waits until it says `ready`.

    Asking its port until it answers would be seen by the tap, as connections that were refused.

    Raises:
        RuntimeError: it ended instead, or is not ready in time; with the last that it said.
    """
    libc = ctypes.CDLL(None)
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        start_new_session=True,  # Ctrl-C is the shop's
        preexec_fn=lambda: libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL),
    )
    stack.callback(server.wait)
    stack.callback(server.terminate)
    loop = asyncio.get_running_loop()
    said: asyncio.Future[bool] = loop.create_future()
    assert server.stdout is not None
    last: deque[bytes] = deque(maxlen=_LINES)
    threading.Thread(target=_listen, args=(server.stdout, ready.encode(), loop, said, last), daemon=True).start()
    try:
        if await asyncio.wait_for(said, _START):
            return
        problem = f"ended with {server.wait()} before it was ready"
    except TimeoutError:
        problem = f"was not ready within {_START:g} s"
    words = b"".join(last).decode(errors="replace").strip()
    raise RuntimeError(f"{command[0]} {problem}" + (f"; it said last:\n{words}" if words else ""))


def _listen(
    output: IO[bytes], ready: bytes, loop: asyncio.AbstractEventLoop, said: asyncio.Future[bool], last: deque[bytes]
) -> None:
    """Reads all that a server says, so that it never waits for a reader."""

    def say(*, is_ready: bool) -> None:
        if not said.done():
            said.set_result(is_ready)

    while line := output.readline(_LINE):
        last.append(line)
        if ready in line:
            loop.call_soon_threadsafe(lambda: say(is_ready=True))
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: say(is_ready=False))
