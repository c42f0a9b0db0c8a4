"""How fast a port forward is: tapper's own, and kubectl's where there is one.

python -m bench.forwarding    on the cluster of KUBECONFIG, in a namespace of its own
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.report import printed
from bench.space import space, until
from tapper.kube.connect import Access, connect
from tapper.kube.forwarding import forward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from bench.report import Line

SIZE = 256 << 20
TIMES = 3
SENDING = f"""
import socket
server = socket.create_server(("", 80))
while True:
    taken, _ = server.accept()
    for _ in range({SIZE >> 20}):
        taken.sendall(bytes(1 << 20))
    taken.close()
"""


@contextmanager
def own(namespace: str) -> Iterator[int]:
    """tapper's, in a thread with a loop of its own as in a tap; its port."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()

    async def run() -> None:
        async with connect(Access()) as cluster, forward(cluster, namespace, "app=sending", 80) as port:
            ports.append(port)
            ready.set()
            await asyncio.Event().wait()

    task = loop.create_task(run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


@contextmanager
def kubectls(namespace: str) -> Iterator[int]:
    """kubectl's; its port."""
    command = ["kubectl", "port-forward", "-n", namespace, "pod/sending", ":80", "--address", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            told = running.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", told)
            assert found, told
            yield int(found[1])
        finally:
            running.terminate()


def rate(way: Callable[[str], AbstractContextManager[int]], namespace: str) -> float:
    """MB/s, the median of some downloads."""
    seen = []
    buffer = bytearray(1 << 20)
    with way(namespace) as port:
        for _ in range(TIMES):
            begun, left = time.monotonic(), SIZE
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while left and (got := connection.recv_into(buffer)):
                    left -= got
            assert not left, "the whole of it came"
            seen.append(SIZE / 1e6 / (time.monotonic() - begun))
    return statistics.median(seen)


def figures(line: Line) -> None:
    """Both."""
    with space("forward") as there:
        there.pod("sending", "python3", "-c", SENDING)
        until(lambda: there.ready() == 1, "the pod is ready")
        line("    port forward of the API", f"{rate(own, there.name):.0f} MB/s")
        if shutil.which("kubectl"):
            line("        that of kubectl", f"{rate(kubectls, there.name):.0f} MB/s")


if __name__ == "__main__":
    figures(printed)
