"""Measures an agent and a collector as they run on a cluster: two processes, TCP between them, nginx and h2load beside.

All of them share the cores of this machine with what drives the load, so that at full load the agent is short of time:
what it leaves out then, or loses, must be counted, and the counts must be true.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.live import LONG_OFFERED, MEASUREMENTS, account
from bench.network import ADDRESS, PORT, Place, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.report import Line

FOLLOWED = 400
"""Requests whose way to `tapper follow` is measured."""
IDLE_S = 10
CONNECTIONS = 10_000
SETTLED_S = 60
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
ASKER = (
    "import http.client, time\n"
    f"c = http.client.HTTPConnection('{ADDRESS}', {PORT})\n"
    f"for n in range({FOLLOWED}):\n"
    " c.request('GET', f'/?n={n}'); c.getresponse().read(); print(n, time.time_ns(), flush=True); time.sleep(0.02)\n"
)

HOLDER = (
    "import socket, sys\nheld = []\n"
    f"for _ in range({CONNECTIONS}):\n s = socket.create_connection(('{ADDRESS}', {PORT})); held.append(s)\n"
    " s.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); s.recv(4096)\nprint('open', flush=True)\nsys.stdin.read()"
)


@dataclass
class Running:
    """A collector and an agent."""

    collector: subprocess.Popen[str]
    agent: subprocess.Popen[str]
    url: str
    token: str
    start_s: float
    """From its start until the agent read packets."""

    def get(self, path: str) -> Any:
        """The answer of the collector's API."""
        asked = urllib.request.Request(f"{self.url}/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    def counters(self) -> dict[str, int]:
        """The newest values, by `stage.name`."""
        rows = self.get("/counters")["rows"]
        return {f"{row['stage']}.{row['name']}": row["value"] for row in rows}

    def settled(self) -> dict[str, Any]:
        """The summary, once nothing is under way any more."""
        before, end = None, time.monotonic() + SETTLED_S
        while time.monotonic() < end:
            now = self.get("/summary")
            spooled = sum(agent["spooled_bytes"] for agent in self.get("/health")["agents"])
            if now == before and not spooled:
                break
            before = now
            time.sleep(1.5)  # longer than counters and the agent's status wait
        return dict(now)


def cpu_s(pid: int) -> float:
    """Processor time that a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mb(pid: int) -> float:
    """Its resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / (1 << 20)


def peak_mb(pid: int) -> float:
    """The most that its resident memory was so far."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


@contextmanager
def running(scratch: Path, names: Sequence[str], *options: str) -> Iterator[Running]:
    """Both, tapping these network namespaces, with a new session."""
    folder = scratch / f"collector-{time.monotonic_ns()}"
    tapper = [sys.executable, "-m", "tapper.cli"]
    listen = ["--plain", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0"]
    kept = ["--credentials", str(folder), "--save", str(folder / "x.tap")]
    with subprocess.Popen([*tapper, "collector", *listen, *kept], stderr=subprocess.PIPE, text=True) as collector:
        assert collector.stderr is not None
        said = collector.stderr.readline() + collector.stderr.readline()
        agents, look = re.search(r"agents: (\S+)", said), re.search(r"look: (http://[^/]+)/#k=(\S+)", said)
        assert agents, said
        assert look, said
        command = [*tapper, "agent", "--collector", agents[1], "--token-file", str(folder / "token")]
        began = time.monotonic()
        taps = [f"--netns=/run/netns/{name}" for name in names]
        with subprocess.Popen([*command, *taps, *options], text=True) as agent:
            made = Running(collector, agent, look[1], look[2], 0.0)
            try:
                while not any(agent["sources"] == len(names) for agent in made.get("/health")["agents"]):
                    time.sleep(0.01)
                made.start_s = time.monotonic() - began
                yield made
            finally:
                agent.terminate()
                agent.wait(30)
                collector.terminate()
                collector.wait(60)


def figures(scratch: Path, line: Line, seconds: int, long: int) -> None:
    """All of them; each load runs for so many seconds, that for memory for so many as `long` says."""
    with place(scratch) as there:
        with running(scratch, [there.client]) as tap:
            line("agent: from its start until it reads", f"{tap.start_s:.2f} s", "< 2 s", tap.start_s < 2)
            idle(tap, line)
            follow(there, tap, line)
        connections(there, line)
        overload(there, line, seconds * 2)
        memory(there, line, long)


def idle(tap: Running, line: Line) -> None:
    """What it costs while nothing passes."""
    before, began = cpu_s(tap.agent.pid), time.monotonic()
    time.sleep(IDLE_S)
    cores = (cpu_s(tap.agent.pid) - before) / (time.monotonic() - began)
    line("    cores while nothing passes", f"{cores:.4f}", "< 0.01", cores < 0.01)
    line("    memory", f"{rss_mb(tap.agent.pid):,.0f} MB")


def connections(there: Place, line: Line) -> None:
    """Many that say nothing any more, for an agent as it is by default."""
    command = there.inside(there.client, sys.executable, "-c", HOLDER)
    with running(there.scratch, [there.client]) as tap:
        before = rss_mb(tap.agent.pid)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            assert client.stdout is not None
            assert client.stdin is not None
            client.stdout.readline()
            summary, drops = tap.settled(), tap.counters()["ring.drops"]
            at, began = cpu_s(tap.agent.pid), time.monotonic()
            time.sleep(IDLE_S)
            cores = (cpu_s(tap.agent.pid) - at) / (time.monotonic() - began)
            most = peak_mb(tap.agent.pid)
            client.stdin.close()
    line(f"agent: {CONNECTIONS:,} open idle connections", f"{before:,.0f} -> {most:,.0f} MB", "< 150 MB", most < 150)
    line("    cores", f"{cores:.3f}")
    recorded = summary["exchanges"]
    told = f"{recorded:,}, {drops:,} packets dropped"
    line("    requests recorded", told, f"{CONNECTIONS:,}", recorded == CONNECTIONS and not drops)


def follow(there: Place, tap: Running, line: Line) -> None:
    """From a response's last byte at the client to its line in `tapper follow`."""
    command = [sys.executable, "-m", "tapper.cli", "follow", "--collector", f"{tap.url}/#k={tap.token}", "-o", "jsonl"]
    seen: dict[int, int] = {}
    waiting = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as shown:

        def read() -> None:
            assert shown.stdout is not None
            for row in shown.stdout:
                now = time.time_ns()
                waiting.set()
                found = re.fullmatch(r"/\?n=(\d+)", json.loads(row)["target"] or "")
                if found:
                    seen.setdefault(int(found[1]), now)

        reader = threading.Thread(target=read)
        reader.start()
        while not waiting.wait(0.2):  # it follows from the moment that it is connected
            subprocess.run(there.inside(there.client, "curl", "-s", "-o", "/dev/null", f"http://{ADDRESS}:{PORT}/"))
        asked = subprocess.run(
            there.inside(there.client, sys.executable, "-c", ASKER), check=True, capture_output=True, text=True
        )
        done = dict(map(int, row.split()) for row in asked.stdout.splitlines())
        end = time.monotonic() + 10
        while len(seen) < len(done) and time.monotonic() < end:
            time.sleep(0.05)
        shown.terminate()
        reader.join()
    delays = sorted((seen[n] - at) / 1e6 for n, at in done.items() if n in seen)
    line("    requests shown by tapper follow", f"{len(delays):,}", f"{len(done):,}", len(delays) == len(done))
    if delays:
        p99 = quantile(delays, 0.99)
        figure = f"p50 {quantile(delays, 0.5):,.0f} ms, p99 {p99:,.0f} ms"
        line("    from the response's last byte to its line", figure, "p99 <= 500 ms", p99 <= 500)


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


def overload(there: Place, line: Line, seconds: int) -> None:
    """As much as goes, for an agent with half a core: do records and counts make up what was asked?"""
    with running(there.scratch, [there.client], "--cpu", "0.5") as tap:
        answered = there.load(seconds, connections=256)
        summary, counters = tap.settled(), tap.counters()
        hints = tap.get("/health")["hints"]
    line("agent: full load, within half a core", f"{answered / seconds:,.0f} req/s offered")
    account(line, answered, summary["exchanges"], counters)
    told = [hint for hint in hints if "leaves out" in hint or "dropped" in hint]
    line("    what it says of that", "; ".join(told) or "nothing")


def memory(there: Place, line: Line, seconds: int) -> None:
    """Whether the agent's or the collector's grows: the most of the first half and of the second."""
    agents, collectors, answered = [], [], 0
    with running(there.scratch, [there.client], "--cpu", "0") as tap:
        for _ in range(MEASUREMENTS):
            answered += there.load(max(1, seconds // MEASUREMENTS), rate=LONG_OFFERED)
            agents.append(rss_mb(tap.agent.pid))
            collectors.append(rss_mb(tap.collector.pid))
        summary, counters = tap.settled(), tap.counters()
    half = MEASUREMENTS // 2
    line(f"agent: {seconds} s of {LONG_OFFERED:,} req/s, nothing left out", f"{answered / seconds:,.0f} answered/s")
    for name, seen in (("agent", agents), ("collector", collectors)):
        early, late = max(seen[:half]), max(seen[half:])
        flat = late <= early * 1.15
        line(f"    memory of the {name}", f"{early:,.0f} -> {late:,.0f} MB", "flat, +-15 %", flat)
    account(line, answered, summary["exchanges"], counters)
