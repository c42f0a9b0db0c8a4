"""The shipped capture of the shop: the engine's records against tshark's, request by request."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.engine.expectation import Result, read

NEWS = "10.77.0.14"
STOCK_PORT = 50051
SHOP = Path(__file__).parent.parent.parent / "tapper" / "demo" / "shop.pcap.zst"

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.fixture(scope="module")
def shop() -> Result:
    return read(SHOP, {"redact": False})


def tshark(shown: str, *fields: str, occurrence: str = "f") -> list[list[str]]:
    """Fields of the packets that a display filter shows; of each the first, or all with commas."""
    wanted = [part for name in fields for part in ("-e", name)]
    command = ["tshark", "-n", "-r", str(SHOP), "-d", f"tcp.port=={STOCK_PORT},http2", "-Y", shown, "-T", "fields"]
    command += ["-E", f"occurrence={occurrence}", *wanted]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


def path(uri: str) -> str:
    """Path and query of a URL."""
    parts = urlsplit(uri)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def test_http_answers(shop: Result) -> None:
    seen = tshark(
        "http.response",
        *("ip.dst", "tcp.dstport", "ip.src", "tcp.srcport", "http.response_for.uri", "http.response.code"),
    )
    theirs = Counter((a, int(b), c, int(d), path(uri), int(code)) for a, b, c, d, uri, code in seen)
    ours = Counter(
        (row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"], row["target"], row["status"])
        for row in shop.exchanges
        if row["protocol"] in ("http", "websocket") and row["status"] is not None
    )
    assert ours - theirs == Counter()
    assert theirs - ours == Counter()


def test_http_times(shop: Result) -> None:
    """tshark's time is from the last packet of the request to the last of the response.

    Without HTTP/1.0, whose responses end with the connection: there tshark counts up to FIN. And without upgrades,
    whose exchange lasts as long as the WebSocket.
    """
    shown = 'http.time && http.response.version == "HTTP/1.1" && http.response.code != 101'
    seen = tshark(shown, "tcp.dstport", "http.response_for.uri", "http.time")
    theirs = Counter((int(port), path(uri), round(float(time) * 1e6)) for port, uri, time in seen)
    ours = Counter(
        (row["src_port"], row["target"], round((row["wait_ns"] + row["receive_ns"]) / 1e3))
        for row in shop.exchanges
        if row["protocol"] == "http" and row["receive_ns"] is not None and row["dst_ip"] != NEWS
    )
    assert ours == theirs


def test_dns_answers(shop: Result) -> None:
    seen = tshark("dns.flags.response == 1", "ip.dst", "udp.dstport", "dns.qry.name", "dns.flags.rcode", "dns.time")
    theirs = Counter((a, int(b), name, int(code), round(float(time) * 1e6)) for a, b, name, code, time in seen)
    ours = Counter(
        (row["src_ip"], row["src_port"], row["target"], row["status"], round(row["latency_ns"] / 1e3))
        for row in shop.exchanges
        if row["protocol"] == "dns"
    )
    assert ours == theirs


def test_websocket_messages(shop: Result) -> None:
    kinds = {"1": "text", "2": "binary", "8": "close", "9": "ping", "10": "pong"}
    seen = tshark("websocket", "ip.src", "websocket.opcode", occurrence="a")
    theirs = Counter((source, kinds[code]) for source, codes in seen for code in codes.split(","))
    ends = {at: (row["src_ip"], row["dst_ip"]) for at, row in enumerate(shop.exchanges)}
    ours = Counter(
        (ends[message["exchange"]][message["direction"] == "received"], message["kind"])
        for message in shop.messages
        if message["kind"] in kinds.values()
    )
    assert theirs
    assert ours == theirs


def test_grpc_calls(shop: Result) -> None:
    """Paths of each connection, each as often."""
    seen = tshark("http2.headers.path", "tcp.dstport", "tcp.srcport", "http2.headers.path", occurrence="a")
    theirs = Counter(
        (int(port), path) for to, port, paths in seen if int(to) == STOCK_PORT for path in paths.split(",")
    )
    ours = Counter((row["src_port"], row["target"]) for row in shop.exchanges if row["protocol"] == "grpc")
    assert theirs
    assert ours == theirs


def test_failed_connections(shop: Result) -> None:
    refused = tshark("tcp.flags.reset == 1 && tcp.seq == 1 && tcp.ack == 1", "ip.dst", "tcp.dstport")
    ours = Counter((row["src_ip"], row["src_port"]) for row in shop.connections if row["state"] == "refused")
    assert ours == Counter((a, int(b)) for a, b in refused)
    unanswered = {(a, int(b)) for a, b in tshark("tcp.flags == 2 && ip.dst == 10.77.0.16", "ip.src", "tcp.srcport")}
    assert {(r["src_ip"], r["src_port"]) for r in shop.connections if r["state"] == "unanswered"} == unanswered
