"""What goes wrong around a collector, with real processes: a full disk, a collector that does not keep up, agents of
another version or over their budget, clocks that differ, and a session that forgets while it is read.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING

import pytest

from agent.shipper import RefusedError, Shipper
from agent.spool import Spool
from tapper.cli.tapping.local import environment
from tapper.model import control
from tapper.model.schema import SCHEMA_VERSION
from tests.collector.running import VIP, Running, agent, behind_nat, collector, replay_command, requests
from tests.live.network import needs_root, nginx, pair, wait_until
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.network import Host

URL = "http://10.9.0.2:8080"


def ask(client: Host, path: str, count: int, rate: str = "1G") -> None:
    """Requests over one connection; their targets end with 1 to `count`. `rate`: bytes a second of one."""
    client.run("curl", "-sS", "-o", "/dev/null", "--limit-rate", rate, f"{URL}/{path}?[1-{count}]")


def numbers(there: Running, path: str) -> list[int]:
    """Of the requests for a path that are there."""
    rows = there.get("/exchanges", where=f'target.startsWith("/{path}?")', limit="10000")["rows"]
    return sorted(int(row["target"].partition("?")[2]) for row in rows)


def losses(there: Running) -> dict[str, int]:
    """By `stage.name`."""
    return {f"{loss['stage']}.{loss['name']}": loss["value"] for loss in there.get("/summary")["losses"]}


def not_kept_for_now(there: Running) -> int:
    """Records, as the hint about a disk tells while it is full."""
    found = re.search(
        r"is full since [0-9:]+ [^:]+: ([0-9,]+) records were not kept", " ".join(there.get("/health")["hints"])
    )
    return int(found[1].replace(",", "")) if found else 0


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    """A file system of that size."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tapper-test", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


SMALL_SPOOL = """
import asyncio, sys
from agent import process
from agent.shipper import Collector
from agent.spool import Spool
from tapper.model.control import Target
from tapper.model.wire import Shipment

said = set()

def say(words):
    if words not in said:
        said.add(words)
        print(words, flush=True)

class Telling(Spool):
    def put(self, records, make):
        def seen(seq):
            nonlocal frame
            frame = make(seq)
            return frame

        frame = b""
        super().put(records, seen)
        if self._lost_records:
            say("gives up")
        rows = Shipment.decode(frame).unpacked().exchanges
        if rows is not None and any("/last?" in target for target in rows["target"].to_pylist()):
            say("has the last")

async def life(url, token, ca, netns):
    to = Collector(url, open(token).read().strip(), ca)
    process.Spool = Telling
    agent = process.Agent(process.Options(to, (Target("netns", netns),), name="a", memory=1 << 30, cores=None))
    agent._spool.limit(8 << 20)
    await agent.run()

asyncio.run(life(*sys.argv[1:]))
"""


@contextmanager
def small_spool(there: Running, client: Host) -> Iterator[IO[str]]:
    """An agent with memory enough, but 8 MB of it for what waits; gives what it says once it gives up records,
    and once it has those of a path that ends with `last`.
    """
    files = [str(there.credentials / name) for name in ("token", "ca.pem")]
    command = [sys.executable, "-c", SMALL_SPOOL, there.agents, *files, client.path]
    with started(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout


class TestNetwork:
    pytestmark = needs_root

    def test_a_full_disk_is_told_and_counted_and_recording_goes_on_when_there_is_room(self, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        with (
            small_disk(disk, "64m"),
            pair() as (client, server),
            nginx(server, tmp_path),
            collector(disk) as there,
            agent(there, "a", "--netns", client.path),
        ):
            there.wait_for_ready("a")
            ask(client, "plain", 20)
            wait_until(lambda: len(numbers(there, "plain")) == 20)
            ballast = disk / "ballast"
            free = os.statvfs(disk)
            ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - (8 << 20)))
            ask(client, "full", 30)
            wait_until(lambda: not_kept_for_now(there) >= 30)  # the last of them has come, before there is room again
            assert numbers(there, "full") == []
            ballast.unlink()
            ask(client, "again", 20)
            wait_until(lambda: len(numbers(there, "again")) == 20)
            assert len(numbers(there, "plain")) == 20
            wait_until(lambda: losses(there).get("store.not_kept", 0) >= 30)
            assert not_kept_for_now(there) == 0
            assert any("records were not kept" in hint for hint in there.get("/health")["hints"])
            assert there.states()[0]["lost"] == 0

    def test_what_a_slow_collector_makes_an_agent_give_up_is_the_oldest_and_counted(self, tmp_path: Path) -> None:
        count = 500
        with (
            pair() as (client, server),
            nginx(server, tmp_path, files={f"each/{n}": os.urandom(1 << 16) for n in range(1, count + 1)}),
            collector(tmp_path) as there,
            small_spool(there, client) as said,
        ):
            there.wait_for_ready("a")
            ask(client, "plain", 1)
            wait_until(lambda: numbers(there, "plain") == [1])
            there.process.send_signal(signal.SIGSTOP)
            try:
                ask(client, "each", count, "12M")  # 32 MB that no packing makes smaller; the spool takes 8
                assert select.select([said], [], [], 60)[0], "it gives up none"
                assert said.readline() == "gives up\n"
                ask(client, "plain/last", 1)
                # else it goes on giving up while the collector catches up: more than one hole
                assert select.select([said], [], [], 60)[0], "it has not all"
                assert said.readline() == "has the last\n"
            finally:
                there.process.send_signal(signal.SIGCONT)
            wait_until(lambda: bool(numbers(there, "plain/last")))

            def connections() -> int:
                """Given up besides: records of the connections, one a second of each."""
                return len(numbers(there, "each")) + losses(there).get("agent.lost_records", 0) - count

            # what was sent before it was given up may be acknowledged yet
            wait_until(lambda: 0 <= connections() <= 20)
            kept, (state,) = numbers(there, "each"), there.states()
            lost = losses(there)
        assert len(kept) < count
        assert state["lost"] == lost["agent.lost_records"]
        assert lost["collector.lost_shipments"] > 0
        missing = sorted(set(range(1, count + 1)) - set(kept))
        assert missing == list(range(missing[0], missing[-1] + 1)), "one hole"
        assert missing[-1] < count - 50, "the newest are there, and what was under way already"

    @pytest.mark.parametrize("limits", [("--memory", "60M"), ("--cpu", "0.001")], ids=["memory", "cpu"])
    def test_over_its_budget_an_agent_leaves_out_bodies_then_connections_and_says_how_much(
        self, tmp_path: Path, limits: tuple[str, str]
    ) -> None:
        with (
            pair() as (client, server),
            nginx(server, tmp_path),
            collector(tmp_path) as there,
            agent(there, "a", "--netns", client.path, *limits),
        ):
            there.wait_for_ready("a")
            said: list[str] = []

            def level(words: str) -> bool:
                said.extend(state["shedding"] or "nothing" for state in there.states())
                return words in said[-1]

            wait_until(lambda: level("63 of 64 connections"))
            order = list(dict.fromkeys(said))
            assert order.index("bodies") < order.index("bodies, and 1 of 2 connections")
            assert any("at the limit of its budget" in hint for hint in there.get("/health")["hints"])
            for _ in range(40):  # connections are left out whole
                ask(client, "plain", 25)

            def told() -> int:
                return len(numbers(there, "plain")) + losses(there).get("shed.exchanges", 0)

            wait_until(lambda: told() >= 990)
            assert told() <= 1010
            assert losses(there)["shed.exchanges"] > 500

    @pytest.mark.parametrize(
        "limits",
        [("--retain-rows", "160"), ("--retain-bytes", "96K"), ("--retain-age", "2s")],
        ids=["rows", "bytes", "age"],
    )
    def test_a_session_forgets_the_oldest_while_it_is_read(self, tmp_path: Path, limits: tuple[str, str]) -> None:
        with (
            pair() as (client, server),
            nginx(server, tmp_path),
            collector(tmp_path, *limits) as there,
            agent(there, "a", "--netns", client.path),
        ):
            there.wait_for_ready("a")
            turns, seen = 0, 0

            def newest() -> list[int]:
                return numbers(there, f"plain/{turns}")

            while not there.get("/summary")["forgotten"] or turns < 5:
                turns += 1
                ask(client, f"plain/{turns}", 40)
                wait_until(lambda: bool(newest()))
                # as a page does: a list, one in full, the map; each has what was there when it was asked for
                rows = there.exchanges()
                seen = max(seen, len(rows))
                assert there.get(f"/exchanges/{rows[-1]['id']}")["target"] == rows[-1]["target"]
                assert there.get("/map")["edges"]
                assert turns < 200
            wait_until(lambda: newest() == list(range(1, 41)))
            summary = there.get("/summary")
        assert summary["exchanges"] + summary["forgotten"] == 40 * turns
        assert summary["exchanges"] < 40 * turns
        assert seen <= 40 * turns

    def test_a_clock_that_is_wrong_is_measured_and_told_and_calls_are_joined_all_the_same(self, tmp_path: Path) -> None:
        ahead = 7
        with (
            behind_nat(tmp_path) as (client, server),
            recorded(client, tmp_path / "client.pcap", 20),
            recorded(server, tmp_path / "server.pcap", 20),
        ):
            subprocess.run(requests(client, "n", 20), check=True)
        shifted = tmp_path / "shifted.pcap"
        subprocess.run(["editcap", "-t", str(ahead), str(tmp_path / "server.pcap"), str(shifted)], check=True)
        (tmp_path / "sitecustomize.py").write_text(
            f"import time\nright = time.time_ns\ntime.time_ns = lambda: right() + {ahead} * 10**9\n"
        )
        wrong = {**environment(), "PYTHONPATH": f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"}
        with collector(tmp_path) as there:
            for file, environ, skew in ((tmp_path / "client.pcap", None, 0), (shifted, wrong, ahead)):
                subprocess.run(replay_command(there, file), check=True, env=environ, timeout=120)
                (state,) = there.states()
                assert state["skew_ns"] / 1e9 == pytest.approx(skew, abs=0.5)
            wait_until(lambda: sum(row["view"] == "both" for row in there.exchanges()) == 20)
            rows, hints = there.exchanges(), there.get("/health")["hints"]
        assert Counter(row["dialled_ip"] for row in rows) == {VIP: 20}
        for row in rows:
            assert 0 < row["server_latency_ns"] <= row["latency_ns"] < 10**9
        assert any(" s ahead; its requests are" in hint and "latencies are right" in hint for hint in hints)


@contextmanager
def recorded(host: Host, file: Path, answers: int) -> Iterator[None]:
    """Its packets up to so many answers, by tcpdump, which knows of each whether it came or went."""
    # its ring has room for few packets of any size, and for many short ones; each is in the file at once (-U), for it
    # is killed: asked to end, it may wait for one more packet
    how = ["-i", "any", "-s", "2048", "--immediate-mode", "-U", "-Z", "root"]
    command = host.command("tcpdump", *how, "-w", str(file), "tcp")
    with started(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "listening" not in process.stderr.readline():
            pass
        yield
        wait_until(lambda: file.read_bytes().count(b"HTTP/1.1 200") == answers)


@pytest.mark.parametrize(
    "changes", [{"schema_version": SCHEMA_VERSION + 1}, {"schema_version": 0}, {"version": control.VERSION + 1}]
)
def test_an_agent_of_another_version_is_refused_and_told_what_to_do(tmp_path: Path, changes: dict[str, int]) -> None:
    hello = replace(control.Hello("old", "boot", SCHEMA_VERSION, made_by="9.9"), **changes)

    async def connect(there: Running) -> None:
        await Shipper(there.place(), hello, Spool(1 << 20), lambda _: None, control.Status).run()

    with collector(tmp_path) as there:
        with pytest.raises(RefusedError, match=r"9\.9.*use the same version of tapper for both"):
            asyncio.run(connect(there))
        assert there.states() == []
