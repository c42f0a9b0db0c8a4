"""Captures for the tests: HTTP calls as packets with times of their own, written by scapy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import PcapWriter

if TYPE_CHECKING:
    from pathlib import Path

START = 1_700_000_000.000_000_3
"""Of the first packet, with nanoseconds: Python's own times have none."""
CLIENT, ORDERS, PAYMENTS = "10.0.1.7", "10.0.2.3", "10.0.3.4"


@dataclass
class Traffic:
    """Packets in the order they are told."""

    packets: list[Ether] = field(default_factory=list)
    time: float = START
    port: int = 40_000

    def packet(
        self, src: str, dst: str, sport: int, dport: int, flags: str, seq: int, ack: int, data: bytes = b""
    ) -> None:
        frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=src, dst=dst)
        frame /= TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack, window=65_000)
        if data:
            frame /= Raw(data)
        frame.time = self.time
        self.packets.append(frame)
        self.time += 0.0001

    def call(
        self,
        request: bytes,
        response: bytes | None,
        *,
        client: str = CLIENT,
        server: str = ORDERS,
        wait: float = 0.01,
    ) -> None:
        """One connection with one request; no response: the server resets."""
        self.port += 1
        ends = (client, server, self.port, 8080)
        back = (server, client, 8080, self.port)
        mine, its = self.port * 50_000, self.port * 60_000  # of their own, as of real connections
        self.packet(*ends, "S", mine - 1, 0)
        self.packet(*back, "SA", its - 1, mine)
        self.packet(*ends, "A", mine, its)
        self.packet(*ends, "PA", mine, its, request)
        sent = mine + len(request)
        self.time += wait
        if response is None:
            self.packet(*back, "RA", its, sent)
        else:
            self.packet(*back, "PA", its, sent, response)
            received = its + len(response)
            self.packet(*ends, "FA", sent, received)
            self.packet(*back, "FA", received, sent + 1)
            self.packet(*ends, "A", sent + 1, received + 1)
        self.time += 0.1

    def refused(self, client: str = CLIENT, server: str = PAYMENTS) -> None:
        """A connection that nobody takes."""
        self.port += 1
        self.packet(client, server, self.port, 9090, "S", 100, 0)
        self.packet(server, client, 9090, self.port, "RA", 0, 101)

    def write(self, path: Path) -> Path:
        with PcapWriter(str(path), linktype=1, nano=True) as writer:
            for packet in self.packets:
                writer.write(packet)
        return path


def get(path: str, host: str = "orders") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n\r\n".encode()


def post(path: str, body: str, host: str = "orders") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def answer(status: str = "200 OK", body: str = '{"ok": true}', *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def shop() -> Traffic:
    """Five requests: two good, a missing one, a failing slow one, one that is reset; and a refused connection."""
    traffic = Traffic()
    traffic.call(get("/orders/17"), answer())
    traffic.call(get("/orders/18?page=2"), answer(body='{"items": [1, 2]}'))
    traffic.call(get("/orders/99"), answer("404 Not Found", "{}"))
    traffic.call(
        post("/charge", '{"amount": 5}', "payments"),
        answer("503 Service Unavailable", "{}"),
        client=ORDERS,
        server=PAYMENTS,
        wait=1.5,
    )
    traffic.call(get("/reset"), None)
    traffic.refused()
    return traffic


def hostile() -> Traffic:
    """Control characters wherever a server or a client can put them."""
    evil = "\x1b]0;owned\x07\x1b[31m\u202e\x00\x08"
    traffic = Traffic()
    response = answer("200 OK", f"{evil} text", "X-Evil: \u202ereversed \x9b31m red")
    traffic.call(get("/a\u202ereversed\u200b"), response.replace(b"application/json", b"text/plain"))
    return traffic
