"""Recipe of `tools.captures` for Redis: commands over plain sockets, one at a time, in pipelines and in windows.

Most replies tell which command they answer: `GET key:7` gives `value:7 ...`, `ECHO` what it was given.
"""

from __future__ import annotations

import hashlib
import random
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tools.network import Network

REDIS_PORT = 6379
Log = list[dict[str, Any]]
KEYS = 500
WINDOW = 8
"""Commands that the last connection always has under way."""

CONTAINERS = ("CLIENT", "CONFIG", "ACL")


def server(network: Network, _: Path) -> None:
    """redis-server without a disk."""
    command = ("redis-server", "--port", str(REDIS_PORT), "--bind", "0.0.0.0", "--protected-mode", "no")
    network.start("server", *command, "--save", "", "--appendonly", "no")
    network.wait_port("server", REDIS_PORT)


def packed(*words: str) -> bytes:
    """A command as an array of strings."""
    parts = (f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def value(number: int) -> str:
    """What is kept under `key:number`."""
    return f"value:{number} " + "abcdefghij" * (number % 40)


class Client:
    """A connection that writes down what it asked and what it got."""

    def __init__(self, address: str, log: Log) -> None:
        self.log = log
        self.sock = socket.create_connection((address, REDIS_PORT), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = self.sock.getsockname()[1]
        self.file = self.sock.makefile("rb")
        self.waiting: list[dict[str, Any]] = []

    def send(self, *commands: tuple[str, ...]) -> None:
        """Sends commands at once."""
        for words in commands:
            name = words[0].upper()
            is_container = name in CONTAINERS
            row: dict[str, Any] = {"src_port": self.port}
            row["operation"] = f"{name} {words[1].upper()}" if is_container else name
            if words[0] in ("GET", "SET", "INCR", "LPUSH"):
                row["target"] = words[1]
            self.log.append(row)
            self.waiting.append(row)
        self.sock.sendall(b"".join(packed(*words) for words in commands))

    def take(self, *, keep: bool = True) -> Any:
        """The reply to the oldest command that waits; `keep`: what it held is written down, too."""
        row = self.waiting.pop(0)
        reply = self.read()
        is_error = isinstance(reply, Exception)
        row["status_text"] = str(reply).split()[0] if is_error else "QUEUED" if reply == "QUEUED" else "OK"
        if is_error:
            row["outcome"] = "client_error"
        if isinstance(reply, str) and keep:
            data = reply.encode()
            row["response_body"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return reply

    def ask(self, *words: str) -> Any:
        """One command and its reply."""
        self.send(words)
        return self.take()

    def pipeline(self, commands: list[tuple[str, ...]]) -> None:
        """Commands at once, then their replies."""
        self.send(*commands)
        while self.waiting:
            self.take(keep=False)

    def read(self) -> Any:
        """A value from the server."""
        line = self.file.readline()[:-2]
        kind, text = line[:1], line[1:].decode()
        match kind:
            case b"+":
                return text
            case b"-":
                return RuntimeError(text)
            case b"$":
                return self.file.read(int(text) + 2)[:-2].decode() if int(text) >= 0 else None
            case b"*" | b">" | b"~":
                return [self.read() for _ in range(int(text))]
            case b"%":
                return [self.read() for _ in range(2 * int(text))]
        return int(text) if kind == b":" else None

    def close(self) -> None:
        """Ends the connection."""
        self.file.close()
        self.sock.close()


def mixed(chance: random.Random, number: int) -> tuple[str, ...]:
    """A command; of most, the reply tells which it is."""
    key = chance.randrange(KEYS)
    choices = (("ECHO", f"echo:{number}"), ("INCR", f"count:{key}"), ("GET", f"key:{key}"))
    return chance.choices(choices, (2, 2, 6))[0]


def client(address: str, log: Log) -> None:
    """Talks in all ways."""
    chance = random.Random(6)
    one = Client(address, log)
    one.pipeline([("SET", f"key:{number}", value(number)) for number in range(KEYS)])
    for number in range(250):
        one.ask(*mixed(chance, number))
    one.ask("INCR", "key:1")
    one.ask("CONFIG", "GET", "maxmemory")
    one.ask("NOSUCH", "thing")
    one.send(("MULTI",), ("SET", "count", "1"), ("INCR", "count"), ("LPUSH", "count", "x"), ("EXEC",))
    while len(one.waiting) > 1:
        one.take()
    one.waiting.pop(0)["status_text"] = "WRONGTYPE"
    one.read()
    one.close()
    for size in (16, 100):
        other = Client(address, log)
        for flight in range(1600 // size):
            other.pipeline([mixed(chance, flight * size + number) for number in range(size)])
        other.close()
    window = Client(address, log)
    for number in range(400):
        window.send(mixed(chance, number))
        if len(window.waiting) >= WINDOW:
            window.take(keep=False)
    while window.waiting:
        window.take(keep=False)
    window.close()
