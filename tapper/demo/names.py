"""Addresses and names of the shop, and its DNS: a server that knows them, a resolver that asks it."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
import struct
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from tapper.identity.names import Claim, Names

SUBNET = "127.77.0"  # all of 127/8 is there on loopback, without further ado
NUMBERS = {
    "kube-dns": 2,
    "gateway": 10,
    "orders": 11,
    "payments": 12,
    "users": 13,
    "news": 14,
    "audit": 15,
    "stock": 17,
    "cache": 18,
    "events": 19,
    "mailer": 20,
    "visitor1": 101,
    "visitor2": 102,
}
DOMAIN = "shop.svc.cluster.local"
SEARCH = (DOMAIN, "svc.cluster.local", "cluster.local")
_A, _IN, _NO_SUCH_NAME = 1, 1, 3
_ANSWERED = 0x8580  # response, authoritative, recursion desired and available (RFC 1035 section 4.1.1)


def address(name: str) -> str:
    """Of a service or a visitor."""
    return f"{SUBNET}.{NUMBERS[name]}"


def service(name: str) -> bool:
    """Whether it is one of the cluster, not a visitor."""
    return not name.startswith("visitor")


def claims() -> list[Claim]:
    """Who has which address: what Kubernetes would tell."""
    return [
        Claim(
            ipaddress.ip_network(address(name)),
            Names(namespace="shop", service=name, workload=name) if service(name) else Names(name=f"{name}.example"),
            "kubernetes",
        )
        for name in NUMBERS
    ]


class Server(asyncio.DatagramProtocol):
    """Answers who asks for a name of the shop."""

    def connection_made(self, transport: Any) -> None:
        """Keeps the way back."""
        self.transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        """Answers a question for one name; anything else is left."""
        try:
            labels, end = _labels(data, 12)
        except (IndexError, UnicodeDecodeError):
            return
        question = data[12 : end + 4]
        name, _, rest = ".".join(labels).partition(".")
        known = rest == DOMAIN and name in NUMBERS
        answer = b""
        if known:
            answer = struct.pack("!HHHIH", 0xC00C, _A, _IN, 5, 4) + ipaddress.ip_address(address(name)).packed
        flags = _ANSWERED | (0 if known else _NO_SUCH_NAME)
        head = data[:2] + struct.pack("!HHHHH", flags, 1, int(known), 0, 0)
        self.transport.sendto(head + question + answer, peer)


def _labels(data: bytes, at: int) -> tuple[list[str], int]:
    labels = []
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("ascii").lower())
        at += 1 + length
    return labels, at + 1


class Resolver(AbstractResolver):
    """Asks the shop's DNS from an address, the way a pod does: below each domain of its search list."""

    def __init__(self, source: str) -> None:
        self._source = source

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        """The address of a name.

        Raises:
            OSError: there is none.
        """
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.setblocking(False)
            asking.bind((self._source, 0))
            await loop.sock_connect(asking, (address("kube-dns"), 53))
            for name in (f"{host}.{domain}" for domain in SEARCH):
                number = random.getrandbits(16)
                labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
                question = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, _A, _IN)
                await loop.sock_sendall(asking, question)
                async with asyncio.timeout(2):
                    answer = await loop.sock_recv(asking, 512)
                if int.from_bytes(answer[6:8], "big"):
                    found = str(ipaddress.ip_address(answer[-4:]))
                    return [ResolveResult(hostname=host, host=found, port=port, family=family, proto=0, flags=0)]
        raise OSError(f"no such name: {host}")

    async def close(self) -> None:
        """Nothing is kept."""
