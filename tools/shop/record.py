"""Builds the shop, lets visitors in, records the traffic, and writes the capture and the names of its addresses.

    python -m tools.shop.record --seconds 60 --out tapper/demo
    SHOP_WITH=grpc,redis,websocket python -m tools.shop.record ...

Needs root (namespaces, tcpdump), nginx, dnsmasq, tcpdump, iproute2, and with redis its server.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
import zstandard

from tools.network import LAN, SUBNET, Network
from tools.shop.services import PORT, WITH

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS = {"gateway": 10, "orders": 11, "payments": 12, "users": 13, "news": 14}
VISITORS = {"visitor1": 101, "visitor2": 102}
OTHERS = {"dns": 2, "web": 9, "node": 3, "audit": 15}
SILENT = {"offers": 16}
EXTRAS = {"grpc": ("stock", 17), "redis": ("cache", 18), "websocket": None}
"""What the shop may have besides HTTP and DNS, with the host that it needs."""

NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; text/css css; }}
    gzip on;
    gzip_types text/css;
    upstream gateway {{ server gateway:{port}; keepalive 8; }}
    server {{
        listen 80;
        root {folder}/www;
        location /api/ {{
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_buffering off;
        }}
    }}
}}
"""

PAGE = """<!doctype html>
<title>Shop</title><link rel=stylesheet href=/style.css>
<h1>Everything for the home</h1><ul>{items}</ul>
"""


def website(folder: Path) -> Path:
    """Pages and configuration of the web server; gives the path of the latter."""
    www = folder / "www"
    www.mkdir(exist_ok=True)
    items = "".join(f"<li>Item {n} <b>{n * 7 % 90}.99</b></li>\n" for n in range(60))
    (www / "index.html").write_text(PAGE.format(items=items))
    (www / "style.css").write_text("".join(f".c{n} {{ color: #{n:03x}; margin: {n}px }}\n" for n in range(80)))
    folder.chmod(0o755)
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, port=PORT))
    return conf


def start(network: Network, folder: Path) -> None:
    """All hosts and servers."""
    extras = {host[0]: host[1] for extra, host in EXTRAS.items() if host and extra in WITH}
    for name, number in (SERVERS | VISITORS | OTHERS | extras).items():
        network.host(name, number)
    for name, number in SILENT.items():
        network.host(name, number, silent=True)
    records = folder / "hosts"
    records.write_text("".join(f"{address} {name}.shop.svc.cluster.local\n" for name, address in network.hosts.items()))
    network.start(
        "dns",
        *("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--addn-hosts={records}", "--user=root"),
        *("--conf-file=/dev/null", "--local=/cluster.local/", "--local-ttl=5", f"--pid-file={folder}/dns.pid"),
        log=folder / "dns.log",
    )
    network.wait_port("dns", 53)
    if "grpc" in WITH:
        from tools.shop import stock

        network.start("stock", sys.executable, "-m", "tools.shop.services", "stock", log=folder / "stock.log")
        network.wait_port("stock", stock.PORT)
    if "redis" in WITH:
        from tools.shop import cache

        options = ("--protected-mode", "no", "--requirepass", cache.PASSWORD, "--save", "", "--dir", str(folder))
        network.start("cache", "redis-server", *options, log=folder / "cache.log")
        network.wait_port("cache", cache.PORT)
    for name in SERVERS:
        network.start(name, sys.executable, "-m", "tools.shop.services", name, log=folder / f"{name}.log")
    for name in SERVERS:
        network.wait_port(name, PORT)
    network.start("web", "nginx", "-c", str(website(folder)), log=folder / "web.log")
    network.wait_port("web", 80)


@contextlib.contextmanager
def recorded(network: Network, path: Path) -> Iterator[None]:
    """Captures on the bridge while the block runs: connections are seen from their first byte on."""
    command = network.command(
        LAN, "tcpdump", "-i", "br0", "-n", "-s0", "-B", "16384", "--time-stamp-precision=nano", "-w", str(path), "ip"
    )
    tcpdump = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    network.processes.append(tcpdump)
    assert tcpdump.stderr is not None
    while line := tcpdump.stderr.readline():
        if b"listening on" in line:
            break
    yield
    time.sleep(1)
    os.killpg(tcpdump.pid, signal.SIGINT)
    print(tcpdump.communicate()[1].decode().strip(), file=sys.stderr)


def visit(network: Network, seconds: float) -> None:
    """Lets visitors in, and waits until they have left."""
    guests = [
        network.start(name, sys.executable, "-m", "tools.shop.visitors", name, str(seconds))
        for name in (*VISITORS, "node")
    ]
    for guest in guests:
        guest.wait(seconds + 60)


def names(hosts: dict[str, str]) -> str:
    """Names of the addresses, as `tapper read --names` takes them."""
    maker = random.Random(5)
    entries: list[dict[str, str]] = []
    for name, address in hosts.items():
        if name in VISITORS:
            entries.append({"ip": address, "name": f"{name}.example"})
        elif name == "node":
            entries.append({"ip": address, "name": "node-1"})
        else:
            namespace = "kube-system" if name == "dns" else "shop"
            workload = "kube-dns" if name == "dns" else name
            pod = f"{workload}-{maker.getrandbits(36):09x}-{maker.getrandbits(20):05x}"
            entries.append(
                {"ip": address, "namespace": namespace, "service": workload, "workload": workload, "pod": pod}
            )
    return yaml.safe_dump(entries, sort_keys=False)


def main() -> None:
    """Makes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--out", type=Path, default=Path("tapper/demo"))
    parser.add_argument("--logs", type=Path, help="where to keep what the servers say")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, Network() as network:
        folder = args.logs or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        capture = Path(scratch) / "shop.pcap"
        with recorded(network, capture):
            start(network, folder)
            visit(network, args.seconds)
        args.out.mkdir(parents=True, exist_ok=True)
        packed = zstandard.ZstdCompressor(level=19).compress(capture.read_bytes())
        (args.out / "shop.pcap.zst").write_bytes(packed)
        (args.out / "names.yaml").write_text(names(network.hosts))
        print(f"{capture.stat().st_size:,} bytes captured, {len(packed):,} packed, in {args.out}; {SUBNET}.0/24")


if __name__ == "__main__":
    main()
