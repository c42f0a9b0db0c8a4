"""Measures an agent that taps a hundred network namespaces of one machine, as it does on a node with as many pods.

The namespaces are on one bridge; a small server in each is asked a hundred times a second from the bridge. Agent and
collector are two processes, the agent with the limits that its DaemonSet gives it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bench.agent import cpu_s, peak_mb, rss_mb, running
from bench.process import FailedError, MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.report import Line

PODS, ROUNDS = 100, 100
RATE = PODS * ROUNDS
CLIENTS = 2
MEMORY_MB = 200
LIMITS = ("--cpu=0.5", "--memory=214748364")
"""As manifests/kustomize/agent.yaml has them."""
ANSWERING = """
import socket, threading
def serve(s):
    while s.recv(4096):
        s.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 5\\r\\n\\r\\nhello")
listening = socket.create_server(("", 80))
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
"""
ASKING = f"""
import json, socket, sys, time
ends = [socket.create_connection((ip, 80)) for ip in sys.argv[2:]]
rounds, begun = int(sys.argv[1]), time.monotonic()
for number in range(rounds):
    for end in ends:
        end.sendall(b"GET /orders/17 HTTP/1.1\\r\\nHost: orders\\r\\nAccept: */*\\r\\n\\r\\n")
    for end in ends:
        end.recv(4096)
    time.sleep(max(0.0, begun + (number + 1) / {ROUNDS} - time.monotonic()))
print(json.dumps(dict(answered=rounds * len(ends), seconds=time.monotonic() - begun)), flush=True)
time.sleep(3600)
"""
"""So many rounds, `ROUNDS` each second, of a request to every server."""


@contextmanager
def crowd() -> Iterator[tuple[str, list[str], list[str]]]:
    """Namespaces with a server each, all on the bridge of another; gives the bridge's, theirs, and their addresses."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise MissingError("a crowd of network namespaces needs root and ip")
    bridge = f"crowd-bench-{os.getpid()}"
    names = [f"{bridge}-{number}" for number in range(1, PODS + 1)]
    with ExitStack() as stack:
        for name in (bridge, *names):
            _run("ip", "netns", "add", name)
            stack.callback(_run, "ip", "netns", "del", name)
        _run("ip", "-n", bridge, "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", bridge, "addr", "add", "10.9.1.254/24", "dev", "br0")
        _run("ip", "-n", bridge, "link", "set", "br0", "up")
        for number, name in enumerate(names, 1):
            peer = ["peer", "name", f"port{number}", "netns", bridge]
            _run("ip", "-n", name, "link", "add", "eth0", "type", "veth", *peer)
            _run("ip", "-n", bridge, "link", "set", f"port{number}", "master", "br0", "up")
            _run("ip", "-n", name, "addr", "add", f"10.9.1.{number}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
            server = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", ANSWERING])
            stack.callback(server.wait, 10)
            stack.callback(server.kill)
        for name in names:
            while not _run("ip", "netns", "exec", name, "ss", "-Hltn", "sport = :80"):
                time.sleep(0.02)
        yield bridge, names, [f"10.9.1.{number}" for number in range(1, PODS + 1)]


def figures(scratch: Path, line: Line, seconds: int) -> None:
    """All of them, of a load of so many seconds."""
    with crowd() as (bridge, names, addresses), running(scratch, names, *LIMITS) as tap:
        pid = tap.agent.pid
        processes = pid, tap.collector.pid
        rest, before = rss_mb(pid), [cpu_s(process) for process in processes]
        told: list[dict[str, float]] = []
        asking = ["ip", "netns", "exec", bridge, sys.executable, "-c", ASKING, str(seconds * ROUNDS)]
        with ExitStack() as stack:
            clients = []
            for number in range(CLIENTS):
                command = [*asking, *addresses[number::CLIENTS]]
                client = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
                stack.callback(client.kill)
                clients.append(client)
            for client in clients:
                assert client.stdout is not None
                said = client.stdout.readline()
                if not said:
                    raise FailedError("a client of the crowd ended before its load")
                told.append(json.loads(said))
        answered, took = sum(int(one["answered"]) for one in told), max(one["seconds"] for one in told)
        used = [cpu_s(process) - so_far for process, so_far in zip(processes, before, strict=True)]
        summary, counters = tap.settled(), tap.counters()
        most = peak_mb(pid)
    offered = answered / took
    line(f"agent: {PODS} tapped namespaces", f"{offered:,.0f} req/s in all", f"{RATE:,}", offered >= RATE * 0.95)
    recorded = summary["exchanges"]
    line("    requests answered, recorded", f"{answered:,}, {recorded:,}", "the same", answered == recorded)
    drops, shed = counters.get("ring.drops", 0), counters.get("shed.exchanges", 0)
    line("    packets dropped, requests left out", f"{drops:,}, {shed:,}", "0", drops == shed == 0)
    line("    memory of the agent", f"{rest:.0f} -> {most:.0f} MB", f"< {MEMORY_MB} MB", most < MEMORY_MB)
    line("    cores of the agent, of the collector", f"{used[0] / took:.2f}, {used[1] / took:.2f}")


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
