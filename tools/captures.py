"""Records real servers for `tests/captures`: what crossed the wire, and beside it what the client itself saw.

    python -m tools.captures [NAME ...]

Needs root (namespaces, tcpdump), nginx, dnsmasq and redis-server. The clients write down what they asked and what they
got, with the port they used and how long it took, so that the expectation owes nothing to tapper.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard
from aiohttp import web
from scapy.layers import dns

from tools import grpc_capture, redis_capture, websocket_capture
from tools.network import SUBNET, Network
from tools.shop.services import ForkingServer, News

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path("tests/captures")
SERVER = f"{SUBNET}.10"
Log = list[dict[str, Any]]


def body(data: bytes) -> dict[str, Any]:
    """What is kept of a body: its size and hash."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class Browser:
    """An HTTP client of the standard library that writes down what it does."""

    def __init__(self, port: int, log: Log) -> None:
        self.log = log
        self.connection = http.client.HTTPConnection(SERVER, port, timeout=10)

    def ask(self, method: str, target: str, data: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        """One request on the connection that stays open as long as the server likes."""
        connection = self.connection
        if connection.sock is None:
            connection.connect()
        port = connection.sock.getsockname()[1]
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        start = time.monotonic_ns()
        connection.request(method, target, data, sent)
        answer = connection.getresponse()
        received = answer.read()
        elapsed = time.monotonic_ns() - start
        if answer.headers.get("Content-Encoding") == "gzip":
            received = gzip.decompress(received)
        if sent.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data or b"")
        self.log.append(
            {
                "src_port": port,
                "protocol": "http",
                "operation": method,
                "target": target,
                "authority": f"{SERVER}:{connection.port}" if connection.port != 80 else SERVER,
                "status": answer.status,
                "request_headers": sent,
                "response_headers": answer.getheaders(),
                "request_body": body(data or b""),
                "response_body": body(received),
                "elapsed_ns": elapsed,
            }
        )
        return answer

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()


def raw(port: int, requests: bytes, expected: list[dict[str, Any]], log: Log) -> None:
    """Sends bytes as they are, at once, and reads until the server closes; the log is written by hand."""
    with socket.create_connection((SERVER, port), 10) as sock:
        source = sock.getsockname()[1]
        start = time.monotonic_ns()
        sock.sendall(requests)
        while sock.recv(65536):
            pass
        elapsed = time.monotonic_ns() - start
    log += [{"src_port": source, "protocol": "http", "elapsed_ns": elapsed, **row} for row in expected]


NGINX = """
daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    types {{ text/html html; application/json json; }}
    gzip on; gzip_types application/json; gzip_min_length 100;
    server {{ listen 80; root {folder}/www;
        location /teapot {{ return 418 "short and stout\\n"; }}
        location /moved {{ return 301 /index.html; }}
        location /slow {{ limit_rate 30k; limit_rate_after 1k; }}
    }}
}}
"""


def nginx(network: Network, folder: Path) -> None:
    """Static files: keep-alive, gzip, HEAD, 304, ranges, errors, slow, pipelined."""
    www = folder / "www"
    (www / "slow").mkdir(parents=True)
    (www / "index.html").write_text("<h1>hello</h1>\n" * 4)
    (www / "data.json").write_text(json.dumps([{"id": n, "name": f"item {n}"} for n in range(120)]))
    (www / "slow" / "file").write_bytes(bytes(n % 251 for n in range(12_000)))
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    network.start("server", "nginx", "-c", str(folder / "nginx.conf"))
    network.wait_port("server", 80)


def nginx_client(log: Log) -> None:
    """Asks nginx."""
    browser = Browser(80, log)
    browser.ask("GET", "/index.html", User_Agent="first")
    changed = browser.ask("GET", "/data.json", Accept_Encoding="gzip").headers["Last-Modified"]
    browser.ask("HEAD", "/data.json")
    browser.ask("GET", "/data.json", If_Modified_Since=changed)
    browser.ask("GET", "/data.json", Range="bytes=10-99")
    browser.ask("GET", "/none")
    browser.ask("GET", "/teapot?a=b&c=%20d")
    browser.ask("GET", "/moved")
    browser.ask("POST", "/index.html", b"x=1", Content_Type="application/x-www-form-urlencoded")
    browser.ask("GET", "/slow/file")
    browser.close()
    head = "Host: a\r\nX-Number: "
    raw(
        80,
        f"GET /index.html?1 HTTP/1.1\r\n{head}1\r\n\r\nHEAD /index.html?2 HTTP/1.1\r\n{head}2\r\n\r\n"
        f"GET /none?3 HTTP/1.1\r\n{head}3\r\n\r\n"
        f"GET /index.html?4 HTTP/1.1\r\n{head}4\r\nConnection: close\r\n\r\n".encode(),
        [
            {"operation": "GET", "target": "/index.html?1", "status": 200},
            {"operation": "HEAD", "target": "/index.html?2", "status": 200},
            {"operation": "GET", "target": "/none?3", "status": 404},
            {"operation": "GET", "target": "/index.html?4", "status": 200},
        ],
        log,
    )


def aiohttp_app() -> web.Application:
    """Echoes, streams, continues."""

    async def echo(request: web.Request) -> web.Response:
        data = await request.read()
        response = web.json_response({"method": request.method, "body": data.decode("latin-1")})
        response.enable_compression()
        return response

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": request.query.get("type", "text/plain")})
        await response.prepare(request)
        for number in range(5):
            await response.write(f"data: part {number}\n\n".encode())
        return response

    async def fail(_: web.Request) -> web.Response:
        raise RuntimeError

    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/stream", stream)
    app.router.add_get("/fail", fail)
    return app


def aiohttp(network: Network, _: Path) -> None:
    """A modern server: bodies both ways, compressed and chunked."""
    network.start("server", sys.executable, "-m", "tools.captures", "--serve", "aiohttp")
    network.wait_port("server", 8080)


def aiohttp_client(log: Log) -> None:
    """Asks aiohttp."""
    browser = Browser(8080, log)
    browser.ask("GET", "/echo", Accept_Encoding="gzip")
    browser.ask("POST", "/echo", json.dumps({"n": list(range(900))}).encode(), Content_Type="application/json")
    browser.ask("PUT", "/echo", gzip.compress(b"compressed " * 60), Content_Encoding="gzip", Accept_Encoding="gzip")
    browser.ask("GET", "/stream")
    browser.ask("GET", "/stream?type=text/event-stream")
    browser.ask("GET", "/fail")
    browser.ask("DELETE", "/echo")
    browser.close()
    second = Browser(8080, log)
    second.ask("GET", "/missing")
    second.close()
    raw(
        8080,
        b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n"
        b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
        [{"operation": "POST", "target": "/echo", "status": 200, "request_body": body(b"abcdefg")}],
        log,
    )
    raw(
        8080,
        b"GET /echo HTTP/1.0\r\n\r\n",
        [{"operation": "GET", "target": "/echo", "status": 200, "version": "1.0"}],
        log,
    )


def forking(network: Network, _: Path) -> None:
    """HTTP/1.0, a process and a connection for each request, no length."""
    network.start("server", sys.executable, "-m", "tools.captures", "--serve", "forking")
    network.wait_port("server", 8080)


def forking_client(log: Log) -> None:
    """Asks the forking server, one after another and without waiting."""
    for number in range(6):
        browser = Browser(8080, log)
        browser.ask("GET", f"/top?{number}")
        browser.close()
    browser = Browser(8080, log)
    browser.ask("POST", "/top", b"a=b")
    browser.close()


ZONE = """
no-resolv
no-hosts
local=/shop.local/
address=/a.shop.local/10.1.2.3
address=/six.shop.local/fd00::7
cname=www.shop.local,a.shop.local
txt-record=t.shop.local,hello,world
srv-host=_http._tcp.shop.local,a.shop.local,8080
ptr-record=3.2.1.10.in-addr.arpa,a.shop.local
host-record=a.shop.local,10.1.2.3
"""


def dnsmasq(network: Network, folder: Path) -> None:
    """A name server; and a port that listens and says nothing."""
    (folder / "dnsmasq.conf").write_text(ZONE)
    network.start(
        "server", "dnsmasq", "-k", "-u", "root", "-x", str(folder / "pid"), "-C", str(folder / "dnsmasq.conf")
    )
    network.wait_port("server", 53)


def query(number: int, kind: str, name: str, log: Log, *, tcp: bool = False, server: str = SERVER) -> None:
    """One question, on a port of its own."""
    message = bytes(dns.DNS(id=number, rd=1, qd=[dns.DNSQR(qname=name, qtype=kind)]))
    row: dict[str, Any] = {"protocol": "dns", "operation": kind, "target": name}
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.connect((server, 53))
        row["src_port"] = sock.getsockname()[1]
        start = time.monotonic_ns()
        sock.sendall(struct.pack(">H", len(message)) + message if tcp else message)
        try:
            received = sock.recv(4096)
        except TimeoutError:
            log.append(row | {"status": None})
            return
        row["elapsed_ns"] = time.monotonic_ns() - start
    answer = dns.DNS(received[2:] if tcp else received)
    answers = [str(record.rdata) for record in answer.an if hasattr(record, "rdata") and isinstance(record.rdata, str)]
    log.append(row | {"status": answer.rcode, "answers": answers})


def dnsmasq_client(log: Log) -> None:
    """Asks dnsmasq."""
    for number, (kind, name) in enumerate(
        [
            ("A", "a.shop.local"),
            ("AAAA", "six.shop.local"),
            ("A", "www.shop.local"),
            ("AAAA", "a.shop.local"),
            ("A", "nobody.shop.local"),
            ("TXT", "t.shop.local"),
            ("SRV", "_http._tcp.shop.local"),
            ("PTR", "3.2.1.10.in-addr.arpa"),
            ("A", "elsewhere.example"),
        ]
    ):
        query(1000 + number, kind, name, log)
    query(2000, "A", "a.shop.local", log, tcp=True)
    query(3000, "A", "lost.shop.local", log, server=f"{SUBNET}.66")


SERVE: dict[str, Callable[[], None]] = {
    "aiohttp": lambda: web.run_app(aiohttp_app(), port=8080, print=None, access_log=None),
    "grpc": grpc_capture.serve_grpc,
    "websocket": websocket_capture.serve_websocket,
    "forking": lambda: ForkingServer(("", 8080), News).serve_forever(),
}
RECIPES: dict[str, tuple[Callable[[Network, Path], None], Callable[[Log], None], list[str]]] = {
    "nginx": (nginx, nginx_client, ["-i", "any"]),
    "aiohttp": (aiohttp, aiohttp_client, ["-i", "eth0", "--time-stamp-precision=nano"]),
    "forking-http10": (forking, forking_client, ["-i", "eth0"]),
    "dnsmasq": (dnsmasq, dnsmasq_client, ["-i", "eth0"]),
    "grpc": (grpc_capture.grpc_server, lambda log: grpc_capture.grpc_client(SERVER, log), ["-i", "eth0"]),
    "websocket": (
        websocket_capture.websocket,
        lambda log: websocket_capture.websocket_client(SERVER, log),
        ["-i", "eth0"],
    ),
    "redis": (redis_capture.server, lambda log: redis_capture.client(SERVER, log), ["-i", "eth0"]),
}
"""Name -> how to start the server, what the client does, how tcpdump listens on the client's host."""


def record(name: str) -> None:
    """Makes the files of one recipe."""
    server, _, options = RECIPES[name]
    with tempfile.TemporaryDirectory() as scratch, Network("tapper-capture") as network:
        folder = Path(scratch)
        network.host("client", 11)
        network.host("server", 10)
        network.host("silent", 66, silent=True)
        server(network, folder)
        capture, log = folder / "capture.pcap", folder / "log.json"
        command = network.command("client", "tcpdump", "-n", "-s0", *options, "-w", str(capture), "ip or ip6")
        tcpdump = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        network.processes.append(tcpdump)
        assert tcpdump.stderr is not None
        while b"listening on" not in tcpdump.stderr.readline():
            pass
        client = [sys.executable, "-m", "tools.captures", "--ask", name, str(log)]
        subprocess.run(network.command("client", *client), check=True, timeout=60)
        time.sleep(1)
        os.killpg(tcpdump.pid, signal.SIGINT)
        tcpdump.wait(10)
        packed = zstandard.ZstdCompressor(level=19).compress(capture.read_bytes())
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / f"{name}.pcap.zst").write_bytes(packed)
        rows = json.loads(log.read_text())
        (OUT / f"{name}.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        print(f"{name}: {len(rows)} exchanges, {len(packed):,} bytes")


def main(arguments: list[str]) -> None:
    """Records all, or those named; the other two forms are for the processes on the hosts."""
    match arguments:
        case ["--serve", name]:
            SERVE[name]()
        case ["--ask", name, path]:
            log: Log = []
            RECIPES[name][1](log)
            Path(path).write_text(json.dumps(log))
        case names:
            for name in names or RECIPES:
                record(name)


if __name__ == "__main__":
    main(sys.argv[1:])
