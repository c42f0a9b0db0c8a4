"""Measures a live tap: nginx and wrk in two network namespaces of our own, the agent's source beside them.

The tap is a process that does what an agent does with a source: ring, engine, packing for the wire into its spool.
Sending that to a collector is not in it. All rates of one run were taken on the same cores, which nginx, wrk and the
tap share; so what is offered is printed beside what is asked for.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from bench.process import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Line = Callable[..., None]

ADDRESS, PORT, STATUS_PORT = "10.9.0.2", 8080, 8081
OFFERED = 50_000
CONNECTIONS = 64
IDLE = 10_000
MEASUREMENTS = 8
PACED = 512
"""Connections of the paced load: each asks again some ms after its answer."""
CLIENT = (
    "import socket, sys\nheld = []\n"
    f"for _ in range({IDLE}):\n s = socket.create_connection(('{ADDRESS}', {PORT})); held.append(s)\n"
    " s.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); s.recv(4096)\nprint('open', flush=True)\nsys.stdin.read()"
)


@dataclass
class Tapped:
    """What a tap told."""

    cpu_s: float
    rss_mb: float
    counters: dict[str, int]

    @property
    def records(self) -> int:
        """Exchanges, each once."""
        return self.counters.get("output.exchanges", 0)


class Tap:
    """The tap's process."""

    def __init__(self, netns: str, **options: Any) -> None:
        command = [sys.executable, "-m", "bench.live", netns, json.dumps(options)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def ask(self, what: str = "tell") -> Tapped:
        """How it is now; of `shed N`, after it did."""
        assert self._process.stdin is not None
        print(what, file=self._process.stdin, flush=True)
        return Tapped(**json.loads(self._read()))

    def end(self) -> Tapped:
        """All that it saw."""
        told = self.ask("end")
        self._process.wait(30)
        return told


@dataclass
class Place:
    """Two namespaces with a cable between them, and nginx in the second."""

    client: str
    server: str
    scratch: Path

    def inside(self, name: str, *command: str) -> list[str]:
        """A command in one of them."""
        return ["ip", "netns", "exec", name, *command]

    def wrk(self, seconds: int, script: Path | None = None, connections: int = CONNECTIONS) -> int:
        """Drives load; the requests that nginx answered."""
        before = self.answered()
        how = ["-t1", f"-c{connections}", f"-d{seconds}", *(["-s", str(script)] if script else [])]
        wrk = self.inside(self.client, "wrk", *how, f"http://{ADDRESS}:{PORT}/")
        subprocess.run(wrk, check=True, capture_output=True, timeout=seconds + 60)
        return self.answered() - before

    def answered(self) -> int:
        """Requests that nginx answered on the tapped port so far (its own count; asking is not counted there)."""
        url = f"http://127.0.0.1:{STATUS_PORT}/"
        text = subprocess.run(self.inside(self.server, "curl", "-sS", url), check=True, capture_output=True, text=True)
        asked = int((self.scratch / "asked").read_text() or 0) + 1
        (self.scratch / "asked").write_text(str(asked))
        return int(text.stdout.splitlines()[2].split()[2]) - asked

    def packets(self) -> int:
        """That went through the client's end of the cable."""
        command = self.inside(self.client, "ip", "-j", "-s", "link", "show", "eth0")
        stats = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]["stats64"]
        return int(stats["rx"]["packets"] + stats["tx"]["packets"])


@contextmanager
def place(scratch: Path) -> Iterator[Place]:
    """Makes it, and takes it down."""
    needed = [name for name in ("ip", "nginx", "wrk", "tcpdump", "curl") if shutil.which(name) is None]
    if os.geteuid() != 0 or needed:
        raise MissingError("live figures need root" + (f" and {', '.join(needed)}" if needed else ""))
    names = [f"live-bench-{os.getpid()}-{end}" for end in ("client", "server")]
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # for the idle connections, by inheritance
    (scratch / "asked").write_text("0")
    with ExitStack() as stack:
        for name in names:
            _run("ip", "netns", "add", name)
            stack.callback(_run, "ip", "netns", "del", name)
        _run("ip", "-n", names[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for number, name in enumerate(names, 1):
            _run("ip", "-n", name, "addr", "add", f"10.9.0.{number}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _run("ip", "-n", name, "link", "set", link, "up")
        _run(*_inside(names[0], "sysctl", "-qw", "net.ipv4.ip_local_port_range=10000 65000"))
        made = Place(*names, scratch)
        config = scratch / "nginx.conf"
        temporary = "".join(f"{kind}_temp_path {scratch}/{kind};" for kind in NGINX_FOLDERS)
        config.write_text(
            f"daemon off; master_process off; pid {scratch}/nginx.pid; error_log {scratch}/error.log;"
            "events { worker_connections 20000; }"
            f"http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s; {temporary}"
            f"server {{ listen {PORT}; location / {{ return 200 '{'x' * 200}'; }} }}"
            f"server {{ listen 127.0.0.1:{STATUS_PORT}; location / {{ stub_status; }} }} }}"
        )
        nginx = subprocess.Popen(made.inside(names[1], "nginx", "-c", str(config), "-p", str(scratch)))
        stack.callback(nginx.wait, 10)
        stack.callback(nginx.terminate)
        _until(lambda: bool(_run(*made.inside(names[1], "ss", "-Hltn", f"sport = :{PORT}"))))
        yield made


NGINX_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def figures(scratch: Path, line: Line, seconds: int) -> None:
    """All of them; each load runs for so many seconds, the one for memory ten times as long."""
    with place(scratch) as there:
        paced(there, line, seconds)
        cost_for_others(there, line, seconds)
        overload(there, line, seconds)
        idle(there, line)
        memory(there, line, seconds * 10)


def paced(there: Place, line: Line, seconds: int) -> None:
    """At a rate that is asked for: is all seen, and for how much?"""
    script = there.scratch / "pace.lua"
    script.write_text(f"function delay() return {round(PACED * 1000 / OFFERED)} end")
    tap = Tap(there.client)
    before = tap.ask()
    answered = there.wrk(seconds, script, PACED)
    after = tap.end()
    cores = (after.cpu_s - before.cpu_s) / seconds
    rate = answered / seconds
    line(
        f"live: offered {OFFERED:,} req/s, keep-alive",
        f"{rate:,.0f} answered/s",
        f"{OFFERED:,}",
        rate >= OFFERED * 0.95,
    )
    seen(line, after, answered, PACED)
    per_50k = cores / rate * OFFERED
    figure = f"{cores:.2f} at this rate; {per_50k:.2f} for {OFFERED:,}/s"
    line("    cores of the tap", figure, "<= 0.35", per_50k <= 0.35)


def seen(line: Line, told: Tapped, answered: int, in_flight: int) -> None:
    """Whether nothing is missing. What was under way when the load ended, nginx may have answered to nobody."""
    drops = told.counters["ring.drops"]
    line("    ring drops", f"{drops:,}", "0", drops == 0)
    alike = abs(told.records - answered) <= in_flight
    line("    records of requests answered", f"{told.records:,} of {answered:,}", f"equal, +-{in_flight}", alike)


def cost_for_others(there: Place, line: Line, seconds: int) -> None:
    """As much as goes: how much less nginx and wrk do beside a tap; the best of three turns each."""
    rates: dict[str, list[float]] = {"alone": [], "tap": [], "tcpdump": []}
    spent: dict[str, float] = {"tap": 0.0, "tcpdump": 0.0}
    captured = 0
    for _ in range(3):
        rates["alone"].append(there.wrk(seconds) / seconds)
        tap = Tap(there.client)
        rates["tap"].append(there.wrk(seconds) / seconds)
        spent["tap"] += tap.end().cpu_s
        with tcpdump(there) as stop:
            rates["tcpdump"].append(there.wrk(seconds) / seconds)
            used, taken = stop()
            spent["tcpdump"] += used
            captured += taken
    best = {name: max(values) for name, values in rates.items()}  # the least disturbed by others
    spread = 1 - min(rates["alone"]) / best["alone"]
    line("live: nginx and wrk alone, as fast as they go", f"{best['alone']:,.0f} req/s, turns differ by {spread:.0%}")
    for name, goal in (("tap", 0.08), ("tcpdump", None)):
        fall = 1 - best[name] / best["alone"]
        what = "with a tap" if name == "tap" else "with tcpdump -w /dev/null (the floor)"
        cores = spent[name] / (3 * seconds)
        figure = f"{best[name]:,.0f} req/s, {fall:.1%} less, {cores:.2f} cores"
        told = None if goal is None or spread > goal else fall <= goal  # others' load would decide
        figure += f", {captured:,} packets" if name == "tcpdump" else ""
        line(f"    {what}", figure, f"<= {goal:.0%} less" if goal else "", told)


@contextmanager
def tcpdump(there: Place) -> Iterator[Callable[[], tuple[float, int]]]:
    """Runs it; what is given ends it and tells its processor time, and how many packets it took."""
    command = there.inside(there.client, "tcpdump", "-i", "any", "-s", "0", "-B", "8192", "-w", "/dev/null")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    errors = process.stderr
    while "listening" not in process.stderr.readline():
        pass

    def stop() -> tuple[float, int]:
        process.terminate()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        told = next(line for line in errors if "packets captured" in line)
        return usage.ru_utime + usage.ru_stime, int(told.split()[0])

    try:
        yield stop
    finally:
        if process.returncode is None:
            process.terminate()
            process.wait()
        process.stderr.close()


def overload(there: Place, line: Line, seconds: int) -> None:
    """Too much: is what is left out told, and true?"""
    tap = Tap(there.client)
    tap.ask("shed 4")
    answered = there.wrk(seconds, connections=256)
    told = tap.end()
    shed = told.counters["shed.exchanges"]
    wrong = abs(told.records + shed - answered) / answered
    figure = f"{told.records:,} + {shed:,} of {answered:,}: {wrong:.2%} wrong"
    line("live: one connection of 4 kept, records + counted", figure, "<= 1 %", wrong <= 0.01)
    tap = Tap(there.client, ring_bytes=1 << 20, stall=0.05)
    before = there.packets()
    there.wrk(seconds)
    offered = there.packets() - before
    told = tap.end()
    drops, taken = told.counters["ring.drops"], told.counters["source.packets"]
    wrong = abs(taken + drops - offered) / offered
    figure = f"{taken:,} + {drops:,} of {offered:,} packets: {drops / offered:.1%} dropped, {wrong:.2%} wrong"
    line("live: a tap that is too slow, taken + dropped", figure, "<= 1 %", wrong <= 0.01 and drops > 0)


def idle(there: Place, line: Line) -> None:
    """Many connections that say nothing."""
    tap = Tap(there.client)
    before = tap.ask()
    command = there.inside(there.client, sys.executable, "-c", CLIENT)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdin is not None
        client.stdout.readline()
        at, began = tap.ask(), time.monotonic()
        time.sleep(5)
        now = tap.ask()
        cores = (now.cpu_s - at.cpu_s) / (time.monotonic() - began)
        client.stdin.close()
    told = tap.end()
    line(f"live: {IDLE:,} open idle connections", f"{now.rss_mb:,.0f} MB", "< 150 MB", now.rss_mb < 150)
    line("    of it before", f"{before.rss_mb:,.0f} MB")
    line("    cores", f"{cores:.3f}")
    drops = told.counters["ring.drops"]
    line("    records", f"{told.records:,}, {drops:,} packets dropped", f"{IDLE:,}", told.records == IDLE)


def memory(there: Place, line: Line, seconds: int) -> None:
    """Whether it grows under load: the most of the first half and of the second."""
    tap = Tap(there.client)
    seen, answered = [], 0
    for _ in range(MEASUREMENTS):
        answered += there.wrk(max(1, seconds // MEASUREMENTS))
        seen.append(tap.ask().rss_mb)
    told = tap.end()
    early, late = max(seen[: MEASUREMENTS // 2]), max(seen[MEASUREMENTS // 2 :])
    figure = f"{early:,.0f} -> {late:,.0f} MB"
    line(f"live: memory over {seconds} s of full load", figure, "flat, +-15 %", late <= early * 1.15)
    account(line, answered, told.records, told.counters)


def account(line: Line, answered: int, records: int, counters: dict[str, int]) -> None:
    """Records, and what is counted as missing, against what was answered.

    Of packets that the kernel dropped nobody knows which requests they were: they are taken to be as large a share.
    """
    share = counters["ring.drops"] / counters["ring.packets"]
    lost = counters.get("agent.lost_records", 0) + counters.get("store.not_kept", 0)
    shed = counters.get("shed.exchanges", 0)
    offered = (records + lost + shed) / (1 - share)
    wrong = abs(offered - answered) / answered
    parts = f"{records:,} + {lost:,} lost + {shed:,} left out, {share:.2%} of packets dropped"
    line(
        "    records + counted", f"{parts}: {offered:,.0f} of {answered:,}, {wrong:.2%} wrong", "<= 1 %", wrong <= 0.01
    )


def _inside(name: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", name, *command]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)


def tap_process(netns: str, *, ring_bytes: int = 8 << 20, stall: float = 0.0) -> None:
    """The tap: obeys lines on standard input, answers each with a line of JSON."""
    from agent._engine import LiveReader
    from agent.budget import resident_bytes
    from agent.sources import Source
    from agent.spool import Spool

    class Reader:
        """A live reader whose counters can be asked for."""

        def __init__(self) -> None:
            self.live = LiveReader(netns=f"/run/netns/{netns}", ring_bytes=ring_bytes)
            self.shed, self.close = self.live.shed, self.live.close
            self.counters: dict[str, int] = {}

        def __iter__(self) -> Iterator[Any]:
            import pyarrow as pa

            for batch in self.live:
                if batch.counters is not None:
                    rows = pa.record_batch(batch.counters).select(["stage", "name", "value"]).to_pylist()
                    self.counters = {f"{row['stage']}.{row['name']}": row["value"] for row in rows}
                yield batch
                time.sleep(stall)

    reader, numbers_of_shipments = Reader(), count()
    spool = Spool(64 << 20, 0, None)
    spool.on_put(lambda: spool.ack(next(numbers_of_shipments)))  # a collector that is never behind
    source = Source("bench", lambda: reader, spool)
    source.start()
    print("ready", flush=True)
    for order in sys.stdin:
        word, *numbers = order.split()
        if word == "shed":
            reader.shed(bodies=True, keep_one_in=int(numbers[0]))
        if word == "end":
            source.close()
            source.join(30)
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {
            "cpu_s": used.ru_utime + used.ru_stime,
            "rss_mb": resident_bytes() / (1 << 20),
            "counters": reader.counters,
        }
        print(json.dumps(told), flush=True)
        if word == "end":
            return


if __name__ == "__main__":
    tap_process(sys.argv[1], **json.loads(sys.argv[2]))
