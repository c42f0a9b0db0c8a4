"""Network namespaces on one bridge: a host for each part of the shop, seen by one capture."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

SUBNET = "10.77.0"
DNS = f"{SUBNET}.2"
LAN = "lan"
"""The namespace that holds the bridge; packets are captured here, each once."""
SEARCH = "shop.svc.cluster.local svc.cluster.local cluster.local"


def ip(*args: str) -> None:
    """Runs iproute2's `ip`."""
    subprocess.run(["ip", *args], check=True)


class Network(AbstractContextManager["Network"]):
    """Hosts by name; everything is gone when it is left."""

    def __init__(self, prefix: str = "tapper-shop") -> None:
        self.prefix = prefix
        self.hosts: dict[str, str] = {}
        self.processes: list[subprocess.Popen[bytes]] = []

    def namespace(self, host: str) -> str:
        """Name of the host's network namespace."""
        return f"{self.prefix}-{host}"

    def __enter__(self) -> Self:
        lan = self.namespace(LAN)
        ip("netns", "add", lan)
        ip("-n", lan, "link", "set", "lo", "up")
        ip("-n", lan, "link", "add", "br0", "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
        ip("-n", lan, "addr", "add", f"{SUBNET}.1/24", "dev", "br0")
        ip("-n", lan, "link", "set", "br0", "up")
        return self

    def host(self, name: str, number: int, *, silent: bool = False) -> None:
        """Adds a host.

        Args:
            name: of the host and its service.
            number: last part of its address.
            silent: it has no way back to anybody, so that what is sent to it stays unanswered.
        """
        inside, lan, port = self.namespace(name), self.namespace(LAN), f"p{number}"
        address = f"{SUBNET}.{number}"
        resolv = Path("/etc/netns") / inside / "resolv.conf"
        resolv.parent.mkdir(parents=True, exist_ok=True)
        resolv.write_text(f"nameserver {DNS}\nsearch {SEARCH}\noptions ndots:5 timeout:1\n")
        ip("netns", "add", inside)
        ip("link", "add", port, "netns", lan, "type", "veth", "peer", "name", "eth0", "netns", inside)
        ip("-n", lan, "link", "set", port, "master", "br0", "up")
        ip("-n", inside, "addr", "add", f"{address}/{32 if silent else 24}", "dev", "eth0")
        ip("-n", inside, "link", "set", "lo", "up")
        ip("-n", inside, "link", "set", "eth0", "up")
        self.hosts[name] = address

    def command(self, host: str, *command: str) -> list[str]:
        """The command as it runs on that host."""
        return ["ip", "netns", "exec", self.namespace(host), *command]

    def start(self, host: str, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Starts a process on a host; it ends with the network."""
        out = log.open("wb") if log else subprocess.DEVNULL
        process = subprocess.Popen(self.command(host, *command), stdout=out, stderr=out, start_new_session=True)
        self.processes.append(process)
        return process

    def wait_port(self, host: str, port: int, seconds: float = 20) -> None:
        """Waits until something listens there, without making traffic."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            listening = subprocess.run(
                self.command(host, "ss", "-Hltn", f"sport = :{port}"), capture_output=True, check=True
            ).stdout
            if listening:
                return
            time.sleep(0.05)
        raise TimeoutError(f"{host}: nothing listens on port {port} after {seconds} s")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends a process and what it started."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            self.stop(process)
        for name in [*self.hosts, LAN]:
            subprocess.run(["ip", "netns", "del", self.namespace(name)], check=False, capture_output=True)
            shutil.rmtree(Path("/etc/netns") / self.namespace(name), ignore_errors=True)
