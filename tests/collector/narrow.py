"""A way to a collector that takes little at a time, as a slow link or a slow collector does, or ends in the middle."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 16 << 10
BUFFER = 32 << 10
"""Of its sockets: what is in them has left the agent."""


@dataclass
class Way:
    """Gives on what comes to `url`, up to a number of bytes."""

    url: str
    passed: int = 0
    """Bytes from agents to the collector."""
    limit: int = 1 << 62
    pause: float = 0.0
    """Seconds after each piece."""
    full: threading.Event = field(default_factory=threading.Event)
    """Whether no more goes through."""
    ended: threading.Event = field(default_factory=threading.Event)

    def up(self, agent: socket.socket, collector: socket.socket) -> None:
        with suppress(OSError):
            while data := agent.recv(PIECE):
                data = data[: self.limit - self.passed]
                collector.sendall(data)
                self.passed += len(data)
                if self.passed >= self.limit:
                    self.full.set()
                    self.ended.wait()
                self.ended.wait(self.pause)

    def down(self, agent: socket.socket, collector: socket.socket) -> None:
        with suppress(OSError):
            while data := collector.recv(PIECE):
                agent.sendall(data)
            agent.shutdown(socket.SHUT_WR)


@contextmanager
def narrow(to: str) -> Iterator[Way]:
    """To a collector's URL."""
    host, _, port = to.removeprefix("https://").rpartition(":")
    pairs: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        way = Way(f"https://127.0.0.1:{listening.getsockname()[1]}")

        def serve() -> None:
            with suppress(OSError):
                while True:
                    agent, collector = listening.accept()[0], socket.create_connection((host, int(port)))
                    pairs.extend((agent, collector))
                    for work in (way.up, way.down):
                        threading.Thread(target=work, args=(agent, collector), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield way
        finally:
            way.ended.set()
            listening.shutdown(socket.SHUT_RDWR)
            for end in pairs:
                end.close()
