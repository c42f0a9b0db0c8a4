"""Measures how long a tap of a cluster takes to begin and to go, the image being on its nodes, and where the time goes.

python -m bench.cluster [TIMES]    on the cluster of KUBECONFIG, in a namespace of its own
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.process import FailedError
from bench.report import printed
from bench.space import CLIENT, PATIENCE, SERVER, space, until
from tapper.kube import kinds, objects
from tapper.kube.connect import Access, connect

if TYPE_CHECKING:
    from bench.report import Line

FIRST_RECORD, CLEAN_UP = 5.0, 10.0
TIMES = 3


@dataclass
class Timeline:
    """Seconds since the start of the command at which things were first so."""

    begun: float = field(default_factory=time.monotonic)
    at: dict[str, float] = field(default_factory=dict)

    def mark(self, what: str) -> None:
        """It is so now."""
        self.at.setdefault(what, time.monotonic() - self.begun)


async def watch(line: Timeline, stop: threading.Event) -> None:
    """Marks how far the pods of a tap are, as the API server tells it."""
    async with connect(Access()) as cluster:
        version = (await cluster.request("GET", kinds.POD.path(None)))["metadata"]["resourceVersion"]
        async with cluster.watch(kinds.POD, None, version, int(PATIENCE)) as events:
            async for event in events:
                labels = event["object"]["metadata"].get("labels") or {}
                if labels.get("app.kubernetes.io/managed-by") == "tapper":
                    seen = objects.pod(event["object"])
                    part = labels.get("app.kubernetes.io/component")
                    for what, so in (("made", True), ("on a node", seen.node), ("ready", seen.ready)):
                        if so:
                            line.mark(f"{part} {what}")
                if stop.is_set():
                    return


def once(namespace: str) -> tuple[Timeline, float]:
    """One tap; how it began, and how many seconds it took to go."""
    command = [sys.executable, "-m", "tapper.cli", "tap", "-n", namespace, "-o", "jsonl"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    stop = threading.Event()
    line = Timeline()
    watching = threading.Thread(target=lambda: asyncio.run(watch(line, stop)), daemon=True)
    watching.start()
    time.sleep(1.0)  # until it watches
    line.begun = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        told: list[str] = []

        def read() -> None:
            assert running.stderr is not None
            for text in running.stderr:
                told.append(text.rstrip())
                if found := re.match(r"tapping|agent    ready", text):
                    line.mark(f"says: {found[0]}")

        threading.Thread(target=read, daemon=True).start()
        if not running.stdout.readline():
            raise FailedError("\n".join(told))
        line.mark("first record")
        stop.set()
        ending = time.monotonic()
        running.send_signal(signal.SIGINT)
        running.stdout.read()
        running.wait(PATIENCE)
    return line, time.monotonic() - ending


def figures(line: Line, times: int = TIMES) -> None:
    """The median of some taps, after one that is not counted."""
    with space("begin") as there:
        there.service("simple-app")
        for name, script in (("simple-app", SERVER), ("visitor", CLIENT)):
            there.pod(name, "python3", "-c", script)
        until(lambda: there.ready() == 2, "the pods are ready")
        once(there.name)
        seen = [once(there.name) for _ in range(times)]
    first = statistics.median(one.at["first record"] for one, _ in seen)
    gone = statistics.median(seconds for _, seconds in seen)
    line("cluster: tapper tap to the first record", f"{first:.1f} s", f"<= {FIRST_RECORD:g} s", first <= FIRST_RECORD)
    steps = {what: [one.at[what] for one, _ in seen if what in one.at] for one, _ in seen for what in one.at}
    for what, at in sorted(((what, statistics.median(at)) for what, at in steps.items()), key=lambda step: step[1]):
        line(f"    {what}", f"{at:.2f} s")
    line("    clean-up", f"{gone:.1f} s", f"<= {CLEAN_UP:g} s", gone <= CLEAN_UP)


def main() -> None:
    """Only these figures."""
    figures(printed, int(sys.argv[1]) if len(sys.argv) > 1 else TIMES)


if __name__ == "__main__":
    main()
