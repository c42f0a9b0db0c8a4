"""Real agents and collectors as processes, and a service behind a router that translates addresses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.shipper import Collector
from tests.live.network import Host, host, ip, nginx, wait_until
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT, VIP, SERVER = "10.7.1.1", "10.7.96.1", "10.7.2.1"


@contextmanager
def behind_nat(folder: Path) -> Iterator[tuple[Host, Host]]:
    """A client and a server with nginx on port 8080, which the client knows as port 80 of VIP only."""
    with host() as client, host() as router, host() as server, ExitStack() as stack:
        for number, (end, port) in enumerate(((client, "inner"), (server, "outer")), 1):
            ip("-n", end.name, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", router.name)
            end.ip("addr", "add", f"10.7.{number}.1/24", "dev", "eth0")
            end.ip("link", "set", "eth0", "up")
            router.ip("addr", "add", f"10.7.{number}.254/24", "dev", port)
            router.ip("link", "set", port, "up")
            end.ip("route", "add", "default", "via", f"10.7.{number}.254")
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        rule = ["-d", VIP, "-p", "tcp", "--dport", "80", "-j", "DNAT", "--to-destination", f"{SERVER}:8080"]
        router.run("iptables", "-t", "nat", "-A", "PREROUTING", *rule)
        stack.enter_context(nginx(server, folder))
        yield client, server


def requests(client: Host, name: str, count: int) -> list[str]:
    """The command for requests with one keep-alive connection; their targets end with `name` and 1 to `count`."""
    url = f"http://{VIP}/plain?{name}=[1-{count}]"
    return client.command("curl", "-sS", "-o", "/dev/null", "--max-time", "60", url)


@dataclass
class Running:
    """A collector's process."""

    process: subprocess.Popen[str]
    credentials: Path
    agents: str
    api: str

    def get(self, path: str, **query: str) -> Any:
        """The answer of its API."""
        token = (self.credentials / "api-token").read_text().strip()
        asked = urllib.request.Request(
            f"{self.api}/api/v1{path}?{urllib.parse.urlencode(query)}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    def place(self) -> Collector:
        """Where an agent finds it, and how that is let in."""
        return Collector(
            self.agents, (self.credentials / "token").read_text().strip(), str(self.credentials / "ca.pem")
        )

    def exchanges(self) -> list[dict[str, Any]]:
        """All, but at most 10,000."""
        rows: list[dict[str, Any]] = self.get("/exchanges", where="protocol == 'http'", limit="10000")["rows"]
        return rows

    def states(self) -> list[dict[str, Any]]:
        """Of its agents."""
        states: list[dict[str, Any]] = self.get("/health")["agents"]
        return states

    def wait_for_ready(self, name: str) -> None:
        """Until that agent reads something."""
        wait_until(lambda: any(a["name"] == name and a["state"] == "ready" and a["sources"] for a in self.states()))


@contextmanager
def collector(folder: Path, *options: str, listen: str = "127.0.0.1:0", api: str = "127.0.0.1:0") -> Iterator[Running]:
    """One whose session and credentials are in that directory: started anew, it goes on with them."""
    command = [sys.executable, "-m", "tapper.cli", "collector", "--listen", listen, "--api-listen", api]
    command += ["--credentials", str(folder / "credentials"), "--save", str(folder / "x.tap"), *options]
    with started(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = "".join(process.stderr.readline() for _ in range(2))
            agents, front = re.search(r"agents: (\S+)", said), re.search(r"look: (http://[^/]+)", said)
            assert agents, said
            assert front, said
            yield Running(process, folder / "credentials", agents[1], front[1])
        finally:
            process.terminate()
            process.wait(60)


def agent_command(to: Running, name: str, *options: str, **changed: Path) -> list[str]:
    """`tapper agent`; `token`, `ca`: other files than the collector's."""
    token, ca = changed.get("token", to.credentials / "token"), changed.get("ca", to.credentials / "ca.pem")
    command = [sys.executable, "-m", "tapper.cli", "agent", "--collector", to.agents, "--name", name]
    return [*command, "--token-file", str(token), "--ca", str(ca), *options]


@contextmanager
def agent(to: Running, name: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """One that is ended in order, if it still is there."""
    with started(agent_command(to, name, *options), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def replay_command(to: Running, file: Path, speed: str = "max") -> list[str]:
    """`tapper replay`, as fast as it goes unless said."""
    command = [sys.executable, "-m", "tapper.cli", "replay", str(file), "--speed", speed, "--collector", to.agents]
    return [*command, "--token-file", str(to.credentials / "token"), "--ca", str(to.credentials / "ca.pem")]
