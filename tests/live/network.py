"""Network namespaces for the tests, and servers in them; everything is gone when they are left."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_numbers = count()

needs_root = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces and packet capture"),
]


def ip(*args: str) -> None:
    """Runs iproute2's `ip`."""
    subprocess.run(["ip", *args], check=True, capture_output=True)


@dataclass(frozen=True)
class Host:
    """A network namespace."""

    name: str

    @property
    def path(self) -> str:
        return f"/run/netns/{self.name}"

    def ip(self, *args: str) -> None:
        ip("-n", self.name, *args)

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> str:
        return subprocess.run(self.command(*command), check=True, capture_output=True, text=True, timeout=60).stdout


@contextmanager
def host() -> Iterator[Host]:
    """A host that knows only itself."""
    name = f"live-{os.getpid()}-{next(_numbers)}"
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield Host(name)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def pair() -> Iterator[tuple[Host, Host]]:
    """Two hosts with a cable between their `eth0`: 10.9.0.1 (fd09::1) and 10.9.0.2 (fd09::2)."""
    with host() as one, host() as other:
        ip("-n", one.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other.name)
        for number, end in enumerate((one, other), 1):
            end.ip("addr", "add", f"10.9.0.{number}/24", "dev", "eth0")
            end.ip("addr", "add", f"fd09::{number}/64", "dev", "eth0", "nodad")
            end.ip("link", "set", "eth0", "up")
        yield one, other


@contextmanager
def bridged(count: int) -> Iterator[tuple[Host, list[Host]]]:
    """Hosts 10.8.0.1, 10.8.0.2 ... on the bridge `br0` of another host, 10.8.0.254."""
    with ExitStack() as stack:
        middle = stack.enter_context(host())
        middle.ip("link", "add", "br0", "type", "bridge", "stp_state", "0")
        middle.ip("addr", "add", "10.8.0.254/24", "dev", "br0")
        middle.ip("link", "set", "br0", "up")
        hosts = []
        for number in range(1, count + 1):
            end = stack.enter_context(host())
            peer = ["peer", "name", f"port{number}", "netns", middle.name]
            ip("-n", end.name, "link", "add", "eth0", "type", "veth", *peer)
            middle.ip("link", "set", f"port{number}", "master", "br0", "up")
            end.ip("addr", "add", f"10.8.0.{number}/24", "dev", "eth0")
            end.ip("link", "set", "eth0", "up")
            hosts.append(end)
        yield middle, hosts


@contextmanager
def process(host: Host, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process on a host."""
    started = subprocess.Popen(host.command(*command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(10)


@contextmanager
def nginx(host: Host, folder: Path, port: int = 8080, files: dict[str, bytes] | None = None) -> Iterator[None]:
    """nginx on all addresses of a host, serving files (`/`: "hello"; `/each?7`: file `each/7`)."""
    root = folder / "www"
    root.mkdir(parents=True, exist_ok=True)
    for name, content in {"index.html": b"hello\n", **(files or {})}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(content)
    config = folder / "nginx.conf"
    config.write_text(
        f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
        events {{ worker_connections 20000; }} worker_rlimit_nofile 40000;
        http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
          client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
          uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; sendfile on; tcp_nopush on;
          server {{ listen {port}; listen [::]:{port}; root {root};
            location /plain {{ return 200 "answer"; }}
            location /each {{ try_files $uri/$args =404; }} }} }}"""
    )
    with ExitStack() as stack:
        stack.enter_context(process(host, "nginx", "-c", str(config), "-p", str(folder)))
        wait_for_port(host, port)
        yield


def wait_for_port(host: Host, port: int) -> None:
    """Waits until something listens there, without making traffic."""
    wait_until(lambda: bool(host.run("ss", "-Hltn", f"sport = :{port}")))


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not so after {seconds} s")
        time.sleep(0.02)
