"""Writes a capture of two halves, and the names of its ends: python story.py PATH NAMES.

In the second half web's calls to orders are slow, those to news are gone, those to payments are new, and it listens to
the ticker, which only has streams; nothing listens at the archive. orders has two versions, and asks six hosts outside.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from scapy.layers.inet import TCP

from tests.cli.traffic import Traffic

WEB, ORDERS, ORDERS_2, NEWS, PAYMENTS = "10.0.1.7", "10.0.2.3", "10.0.2.4", "10.0.3.5", "10.0.3.4"
TICKER, ARCHIVE = "10.0.3.6", "10.0.3.7"
OUTSIDE = [f"203.0.113.{number}" for number in range(1, 7)]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: 2\n\n"


def main(path: Path, names: Path) -> None:
    """Both files."""
    traffic = Traffic()

    def ask(client: str, server: str, target: str, wait: float, answer: bytes = OK) -> None:
        request = f"GET {target} HTTP/1.1\r\nHost: {server}\r\n\r\n".encode()
        traffic.call(request, answer, client=client, server=server, wait=wait)

    for number in range(80):
        ask(WEB, (ORDERS, ORDERS_2)[number % 2], f"/orders/{number}", 0.01)
        ask(WEB, NEWS, "/news", 0.02)
    traffic.time += 10  # the middle of the time is here
    for number in range(40):
        ask(WEB, (ORDERS, ORDERS_2)[number % 2], f"/orders/{number}", 0.15)
        ask(WEB, PAYMENTS, "/charge", 0.02, FAILED if number % 10 == 9 else OK)
        ask(WEB, ORDERS, "/healthz", 0.001)
    for number in range(5):
        ask(WEB, TICKER, f"/prices/{number}", 0.01, EVENTS)
        traffic.refused(ORDERS, ARCHIVE)
    for host in OUTSIDE * 4:
        ask(ORDERS, host, "/rates", 0.03)
    number_apart(traffic)
    traffic.write(path)
    known = [
        {"ip": WEB, "namespace": "shop", "service": "web", "workload": "web", "pod": "web-1"},
        {
            "ip": ORDERS,
            "namespace": "shop",
            "service": "orders",
            "workload": "orders",
            "version": "1.4",
            "pod": "orders-a",
        },
        {
            "ip": ORDERS_2,
            "namespace": "shop",
            "service": "orders",
            "workload": "orders",
            "version": "2.0",
            "pod": "orders-b",
        },
        {"ip": NEWS, "namespace": "shop", "service": "news", "workload": "news-site", "pod": "news-1"},
        {"ip": TICKER, "namespace": "shop", "service": "ticker", "workload": "ticker", "pod": "ticker-1"},
        {"ip": ARCHIVE, "namespace": "shop", "service": "archive", "workload": "archive", "pod": "archive-1"},
        {"ip": PAYMENTS, "namespace": "pay", "service": "payments", "workload": "payments", "pod": "payments-1"},
        *({"ip": host, "name": f"rates{host[-1]}.bank.example"} for host in OUTSIDE),
    ]
    names.write_text("".join(f"- {json.dumps(entry)}\n" for entry in known))


def number_apart(traffic: Traffic) -> None:
    """Gives each connection sequence numbers of its own: a collector takes calls with the same ones for one call."""
    for packet in traffic.packets:
        tcp = packet[TCP]
        shift, back = 1000 * tcp.sport, 1000 * tcp.dport
        tcp.seq += shift + back // 7
        if "A" in tcp.flags:
            tcp.ack += back + shift // 7


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
