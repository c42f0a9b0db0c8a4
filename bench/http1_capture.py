"""Writes a large capture of HTTP/1 traffic as services have it, and the truth about it, quickly.

Clients of a few kinds keep their connections open and ask for JSON, with the heads, sizes, acknowledgements and
timestamps that such traffic has. Every exchange carries its number in its path and in both heads, so that a record
can be checked against what was really sent; with loss, the truth says which exchanges lost nothing.
"""

from __future__ import annotations

import json
import random
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

START = 1_767_225_600_000_000_000
MSS = 1448
"""Payload of a full segment on Ethernet with TCP timestamps."""
ROUND = 100_000_000
"""Each connection does one exchange in this time, ns."""

WORDS = [
    "order",
    "item",
    "user",
    "price",
    "state",
    "paid",
    "open",
    "sent",
    "name",
    "city",
    "street",
    "code",
    "note",
    "kind",
    "total",
    "tax",
    "sku",
    "page",
    "next",
    "date",
]
AGENTS = (
    "Go-http-client/1.1",
    "python-httpx/0.28.1",
    "okhttp/4.12.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
)
SERVICES = ("orders", "payments", "users", "news", "search", "cart", "stock", "mail")
METHODS = ("GET",) * 16 + ("POST", "POST", "POST", "PUT")
STATUSES = ("200 OK",) * 17 + ("201 Created", "404 Not Found", "500 Internal Server Error")


def json_body(size: int, rng: random.Random) -> bytes:
    """A JSON object of about so many bytes."""
    items = []
    made = 2
    while made < size:
        item = {
            "id": rng.randrange(10**9),
            rng.choice(WORDS): rng.choice(WORDS) + str(rng.randrange(1000)),
            "uuid": f"{rng.getrandbits(128):032x}",
            rng.choice(WORDS): round(rng.random() * 1000, 2),
            rng.choice(WORDS): rng.random() < 0.5,
        }
        items.append(item)
        made += len(json.dumps(item)) + 2
    return json.dumps({"items": items, "page": 1}).encode()


def bodies(count: int, mean: int, rng: random.Random) -> list[bytes]:
    """JSON bodies whose sizes spread as those of real services do: many small, few large."""
    sigma = 0.9
    sizes = [min(rng.lognormvariate(0, sigma) * mean / 1.5, 16 * mean) for _ in range(count)]
    return [json_body(int(size), rng) for size in sizes]


class Direction:
    """Packets of one direction of a connection, from a header that is only patched."""

    def __init__(self, src: tuple[int, int], dst: tuple[int, int], isn: int) -> None:
        self.seq = isn
        self.ident = isn & 0xFFFF
        ethernet = bytes.fromhex("0200000000020200000000010800")
        self.front = ethernet + b"\x45\x00"
        self.addresses = struct.pack(">II", src[0], dst[0])
        self.ports = struct.pack(">HH", src[1], dst[1])
        words = struct.unpack(">HHHH", self.addresses)
        self.sum = 0x4500 + 0x4000 + 0x4006 + sum(words)

    def packet(self, ack: int, flags: int, payload: bytes, time: int) -> bytes:
        """Ethernet, IPv4 and TCP with timestamps; the TCP checksum is left to the network card, as captures have it."""
        length = 52 + len(payload)
        self.ident = self.ident + 1 & 0xFFFF
        total = self.sum + length + self.ident
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        tick = time // 1_000_000 & 0xFFFFFFFF
        head = struct.pack(">HHHBBH", length, self.ident, 0x4000, 64, 6, checksum)
        tcp = struct.pack(">IIBBHHHBBBBII", self.seq, ack, 0x80, flags, 502, 0, 0, 1, 1, 8, 10, tick, tick)
        self.seq = self.seq + len(payload) + (1 if flags & 3 else 0) & 0xFFFFFFFF
        return self.front + head + self.addresses + self.ports + tcp + payload


SYN, ACK, PUSH, FIN = 2, 16, 24, 17

Timed = list[tuple[int, bytes, int]]
"""Packets: time, bytes, number of the exchange whose data it carries or -1."""


class Client:
    """One connection of a client that asks again and again."""

    def __init__(self, number: int, rng: random.Random) -> None:
        service = number % len(SERVICES)
        self.host = f"{SERVICES[service]}.shop.svc.cluster.local"
        agent = AGENTS[number % len(AGENTS)]
        ip, server = 0x0A000100 + number // 4, 0x0A010000 + service
        isns = rng.getrandbits(32), rng.getrandbits(32)
        port = 32768 + number * 7
        self.out = Direction((ip, port), (server, 8080), isns[0])
        self.back = Direction((server, 8080), (ip, port), isns[1])
        self.head = (
            f"\r\nHost: {self.host}\r\nUser-Agent: {agent}\r\nAccept: application/json\r\nAccept-Encoding: gzip, br\r\n"
        )
        self.tail = "Connection: keep-alive\r\nX-Forwarded-For: 203.0.113.7\r\n"
        self.answer = (
            "Server: envoy\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\n"
        )
        self.service = SERVICES[service]

    def open(self, time: int) -> Timed:
        """The handshake."""
        return [
            (time, self.out.packet(0, SYN, b"", time), -1),
            (time + 150_000, self.back.packet(self.out.seq, SYN | ACK, b"", time), -1),
            (time + 200_000, self.out.packet(self.back.seq, ACK, b"", time), -1),
        ]

    def close(self, time: int) -> Timed:
        """FIN from both sides."""
        return [
            (time, self.out.packet(self.back.seq, FIN, b"", time), -1),
            (time + 100_000, self.back.packet(self.out.seq, FIN, b"", time), -1),
            (time + 150_000, self.out.packet(self.back.seq, ACK, b"", time), -1),
        ]

    def data(self, way: Direction, ack: int, payload: bytes, time: int, number: int) -> Timed:
        """Payload in full segments."""
        made = []
        for at in range(0, len(payload), MSS):
            piece = payload[at : at + MSS]
            flags = PUSH if at + MSS >= len(payload) else ACK
            made.append((time + at // MSS * 12_000, way.packet(ack, flags, piece, time), number))
        return made

    def exchange(self, number: int, time: int, sent: Sent, rng: random.Random) -> Timed:
        """A request, the response, and the acknowledgements between."""
        span = f"{rng.getrandbits(64):016x}"
        head = (
            f"{sent.method} /api/v1/{self.service}/{number}?page={number % 50}&limit=20 HTTP/1.1{self.head}"
            f"traceparent: 00-{number:032x}-{span}-01\r\nX-Request-Id: {number}\r\n{self.tail}"
        )
        if sent.request:
            head += f"Content-Type: application/json\r\nContent-Length: {len(sent.request)}\r\n"
        made = self.data(self.out, self.back.seq, head.encode() + b"\r\n" + sent.request, time, number)
        done = made[-1][0]
        latency = min(int(rng.lognormvariate(0, 0.8) * 3_000_000), 18_000_000)
        if latency > 6_000_000:
            made.append((done + 40_000, self.back.packet(self.out.seq, ACK, b"", time), -1))
        answer = (
            f"HTTP/1.1 {sent.status}\r\n{self.answer}Content-Length: {len(sent.response)}\r\nX-Request-Id: {number}\r\n"
            f"Cache-Control: no-store\r\nX-Envoy-Upstream-Service-Time: {latency // 1_000_000}\r\n\r\n"
        )
        response = self.data(self.back, self.out.seq, answer.encode() + sent.response, done + latency, number)
        made += response
        made.append((response[-1][0] + 45_000, self.out.packet(self.back.seq, ACK, b"", time), -1))
        return made


@dataclass(frozen=True)
class Sent:
    """What an exchange is made of."""

    method: str
    status: str
    request: bytes
    response: bytes


@dataclass(frozen=True)
class Truth:
    """What was really sent, by number of the exchange."""

    status: np.ndarray
    request_crc: np.ndarray
    response_crc: np.ndarray
    whole: np.ndarray
    """Whether all packets that carry its data are in the file."""

    def save(self, path: Path) -> None:
        """Writes it beside the capture."""
        np.savez_compressed(path, **{name: getattr(self, name) for name in Truth.__dataclass_fields__})

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Reads it back."""
        with np.load(path) as arrays:
            return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


def write(
    file: BinaryIO, exchanges: int, connections: int = 200, mean_body: int = 800, loss: float = 0.0, seed: int = 1
) -> Truth:
    """Writes a pcap file.

    Args:
        file: where to.
        exchanges: how many, over all connections; they take turns.
        connections: how many.
        mean_body: mean size of JSON bodies, bytes.
        loss: share of the packets that are left out, at random; handshakes are kept.
        seed: makes the same file again.
    """
    rng = random.Random(seed)
    dropper = random.Random(seed + 1)
    pool = bodies(2048, mean_body, rng)
    crcs = [zlib.crc32(body) for body in pool]
    clients = [Client(number, rng) for number in range(connections)]
    truth = Truth(
        np.zeros(exchanges, np.int16),
        np.zeros(exchanges, np.uint32),
        np.zeros(exchanges, np.uint32),
        np.ones(exchanges, bool),
    )
    file.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
    waiting: Timed = [packet for client in clients for packet in client.open(START)]
    number = 0
    base = START
    while number < exchanges:
        base += ROUND
        for client in clients[: exchanges - number]:
            method, status = rng.choice(METHODS), rng.choice(STATUSES)
            asked = int(rng.random() * len(pool)) if method != "GET" else -1
            answered = int(rng.random() * len(pool))
            sent = Sent(method, status, pool[asked] if asked >= 0 else b"", pool[answered])
            truth.status[number] = int(status[:3])
            truth.request_crc[number] = crcs[asked] if asked >= 0 else 0
            truth.response_crc[number] = crcs[answered]
            waiting += client.exchange(number, base + int(rng.random() * ROUND * 0.75), sent, rng)
            number += 1
        flush(file, waiting, loss, dropper, truth)
        waiting = []
    for client in clients:
        waiting += client.close(base + ROUND + 20_000_000)
    flush(file, waiting, loss, dropper, truth)
    return truth


def flush(file: BinaryIO, packets: Timed, loss: float, rng: random.Random, truth: Truth) -> None:
    """Writes packets in the order of time, without those that get lost."""
    packets.sort(key=lambda packet: packet[0])
    made = bytearray()
    for time, data, number in packets:
        if loss and rng.random() < loss:
            if number >= 0:
                truth.whole[number] = False
            continue
        made += struct.pack("<IIII", *divmod(time, 1_000_000_000), len(data), len(data)) + data
    file.write(made)


def make(path: Path, exchanges: int, **settings: float) -> Path:
    """Writes the capture and, beside it, its truth; does nothing if they are there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            truth = write(file, exchanges, **settings)  # type: ignore[arg-type]
        truth.save(path.with_suffix(".npz"))
        part.rename(path)
    return path
