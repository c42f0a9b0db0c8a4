"""Measures an agent on a node of a cluster with many pods: while they come and go, and while a hundred of them speak.

python -m bench.pods churn [MINUTES]    20 pods a minute come and go; what the agent has open before and after
python -m bench.pods many [SECONDS]     100 pods on one node, 10,000 requests a second in all

On the cluster of KUBECONFIG, in a namespace of its own. The agent's process must be one of this machine, as with
clusters in containers.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.agent import cpu_s, peak_mb, rss_mb
from bench.crowd import ANSWERING, ASKING, MEMORY_MB, PODS, RATE, ROUNDS
from bench.process import FailedError, MissingError
from bench.report import printed
from bench.space import CLIENT, PATIENCE, SERVER, ask, space, until
from tapper.kube import kinds, sessions
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.report import Line
    from bench.space import Space

SECONDS = 20
PER_MINUTE, MINUTES = 20, 10
LIVES = 10
"""Pods that are there at a time."""


@dataclass(frozen=True)
class Open:
    """What a process has."""

    descriptors: int
    namespaces: int
    """Network namespaces that descriptors or threads of it hold."""
    threads: int
    memory_mb: float


@dataclass
class Tap:
    """`tapper tap` of a namespace, and the agent of its node."""

    session: str
    node: str
    process: subprocess.Popen[str]
    url: str
    agent: int
    """Number of its process."""
    rows: Counter[str] = field(default_factory=Counter)
    """Requests by the client's pod."""

    def open(self) -> Open:
        """What the agent has now."""
        at = Path(f"/proc/{self.agent}")
        links = [str(entry.readlink()) for entry in (at / "fd").iterdir() if entry.is_symlink()]
        spaces = {str((task / "ns" / "net").readlink()) for task in (at / "task").iterdir()}
        held = spaces | {link for link in links if link.startswith("net:")}
        return Open(len(links), len(held), len(list((at / "task").iterdir())), rss_mb(self.agent))

    def health(self) -> dict[str, Any]:
        """What the collector says of the agent."""
        from tapper.feed.remote import open_remote

        with open_remote(self.url) as feed:
            agent = next((agent for agent in feed.health().agents if agent.node == self.node), None)
            return {name: getattr(agent, name, None) for name in ("sources", "packets", "dropped", "lost", "shedding")}


def _process(session: str, node: str) -> int | None:
    """The agent's."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if f"--node={node}" in words and any(f"tapper-{session}." in word for word in words):
                return int(entry.name)
    return None


@contextmanager
def tapped(there: Space, *options: str) -> Iterator[Tap]:
    """While the block runs, the namespace is tapped."""
    command = [sys.executable, "-m", "tapper.cli", "tap", "-n", there.name, "-o", "jsonl", "--web", "--no-browser"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told: list[str] = []
        rows: Counter[str] = Counter()

        def read_told() -> None:
            assert process.stderr is not None
            told.extend(process.stderr)

        def read_rows() -> None:
            assert process.stdout is not None
            for text in process.stdout:
                if text.endswith("\n"):  # not the last one, where the tap was ended while it wrote
                    rows[str((json.loads(text)["src"] or {}).get("pod"))] += 1

        for read in (read_told, read_rows):
            threading.Thread(target=read, daemon=True).start()
        try:
            until(lambda: "#k=" in "".join(told) or process.poll() is not None, "the tap is there")
            found = re.search(r"http://127\.0\.0\.1:\d+/#k=\S+", "".join(told))
            if found is None:
                raise FailedError("".join(told))
            mine = next(one.session for one in ask(sessions.find) if one.namespace == there.name)
            agent = _process(mine, there.node)
            if agent is None:
                raise MissingError("the processes of the cluster's nodes can't be seen from here")
            yield Tap(mine, there.node, process, found[0], agent, rows)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def churn(line: Line, minutes: float = MINUTES) -> None:
    """Pods come and go: what does the agent hold of those that went?"""
    with space("churn") as there:
        there.service("simple-app")
        there.pod("simple-app", "python3", "-c", SERVER)
        there.pod("visitor", "python3", "-c", CLIENT)
        until(lambda: there.ready() == 2, "the first pods are ready")
        with tapped(there) as tap:
            until(lambda: tap.health()["sources"] == 2, "both pods are tapped")
            time.sleep(5)  # what it has at rest, with all that it needs only now and then
            before = tap.open()
            born = 0
            ran: set[str] = set()
            begun = time.monotonic()
            while time.monotonic() - begun < minutes * 60:
                there.pod(f"passing-{born}", "python3", "-c", CLIENT)
                if born >= LIVES:
                    there.delete(f"passing-{born - LIVES}")
                born += 1
                ran |= {pod.name for pod in there.pods().values() if pod.ready}
                time.sleep(max(0.0, begun + born * 60 / PER_MINUTE - time.monotonic()))
            until(lambda: there.ready() == len(there.pods()), "the last of them are ready")
            ran |= set(there.pods())
            until(lambda: tap.health()["sources"] == len(there.pods()), "they are tapped")
            most = tap.open()
            for number in range(max(0, born - LIVES), born):
                there.delete(f"passing-{number}")
            until(lambda: len(there.pods()) == 2, "all pods but the first are gone")
            until(lambda: tap.health()["sources"] == 2, "none of them is tapped any more")
            time.sleep(5)
            after, told = tap.open(), tap.health()
            ran -= {"simple-app", "visitor"}
            heard = sum(tap.rows[name] > 0 for name in ran)
    line(
        f"churn: {born} pods came and went in {minutes:g} min",
        f"{len(ran)} got ready, {heard} were heard",
        "all",
        heard == len(ran),
    )
    for what in ("namespaces", "descriptors", "threads"):
        a, b, c = (getattr(seen, what) for seen in (before, most, after))
        line(f"    the agent's {what}: before, with {LIVES} more pods, after", f"{a}, {b}, {c}", "as before", c <= a)
    line("    its memory", f"{before.memory_mb:.0f} MB -> {after.memory_mb:.0f} MB")
    line(
        "    packets dropped, records lost",
        f"{told['dropped']}, {told['lost']}",
        "0",
        told["dropped"] == told["lost"] == 0,
    )


def many(line: Line, seconds: float = SECONDS) -> None:
    """A hundred pods on a node, each asked a hundred times a second by pods that are not tapped."""
    with space("many") as there, space("asking") as outside:
        for number in range(PODS):
            there.pod(f"server-{number}", "python3", "-c", ANSWERING)
        until(lambda: there.ready() == PODS, "the servers are ready", PATIENCE * 3)
        ips = [pod.ips[0] for pod in there.pods().values()]
        with tapped(there) as tap:
            until(lambda: tap.health()["sources"] == PODS, "all are tapped")
            rest = tap.open()
            outside.node = there.node
            rounds = str(int(seconds * ROUNDS))
            for number in range(2):
                outside.pod(f"client-{number}", "python3", "-c", ASKING, rounds, *ips[number::2])
            used = cpu_s(tap.agent)
            told: dict[str, tuple[int, float]] = {}
            begun = time.monotonic()
            while len(told) < 2:
                told = {name: found for name in outside.pods() if (found := _answered(outside, name))}
                if time.monotonic() - begun > PATIENCE + seconds * 3:
                    raise FailedError("the clients do not end")
                time.sleep(0.2)
            used = cpu_s(tap.agent) - used
            answered, took = sum(a for a, _ in told.values()), max(t for _, t in told.values())
            counted, shed = _settled(tap, answered)
            most, state = peak_mb(tap.agent), tap.health()
    line(
        f"{PODS} tapped pods on a node",
        f"{answered / took:,.0f} req/s in all",
        f">= {RATE:,}",
        answered / took >= RATE * 0.95,
    )
    line("    requests answered, recorded", f"{answered:,}, {counted:,}", "the same", counted == answered)
    lost = f"{state['dropped']} packets, {state['lost']} records, {shed:,} requests left out"
    line("    lost", lost, "nothing", not (state["dropped"] or state["lost"] or shed))
    line("    the agent's memory, at most", f"{most:.0f} MB", f"< {MEMORY_MB} MB", most < MEMORY_MB)
    line("    of it before", f"{rest.memory_mb:.0f} MB, {rest.descriptors} descriptors, {rest.threads} threads")
    line("    its processor time", f"{used / took:.2f} cores")


def _answered(outside: Space, name: str) -> tuple[int, float] | None:
    """What a client said in the end: requests and seconds."""
    path = f"{kinds.POD.path(outside.name, name)}/log"
    try:
        told = ask(lambda cluster: cluster.request("GET", path))
    except (KubeError, ValueError):  # it does not run yet; it said nothing yet
        return None
    return told["answered"], told["seconds"]


def _settled(tap: Tap, wanted: int) -> tuple[int, int]:
    """Requests that are recorded, and that the agent left out, once all are or no more come."""
    from tapper.feed.remote import open_remote

    with open_remote(tap.url) as feed:
        seen, since = -1, time.monotonic()
        while seen != wanted and time.monotonic() - since < 10:
            now = feed.count('protocol == "http"')
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.5)
        counters = feed.counters().select(["stage", "name", "value"]).to_pylist()
        return seen, sum(c["value"] for c in counters if (c["stage"], c["name"]) == ("shed", "exchanges"))


def main() -> None:
    """Only one of them."""
    part = {"churn": churn, "many": many}[sys.argv[1]]
    part(printed, *(float(value) for value in sys.argv[2:3]))


if __name__ == "__main__":
    main()
