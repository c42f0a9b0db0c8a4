"""`tapper tap` as a process, other commands, and what they leave in the cluster."""

from __future__ import annotations

import json
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from tapper.feed.remote import open_remote
from tapper.kube import sessions
from tests.e2e.world import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tapper.feed.interface import Feed


def session(namespace: str) -> str:
    """The session that taps a namespace: it has a role there."""
    return next(one.session for one in ask(sessions.find) if one.namespace == namespace)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of tapper's to its end."""
    command = [sys.executable, "-m", "tapper.cli", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)


def tapper(*arguments: str) -> str:
    """The same for one that works; what it prints."""
    ended = run(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def left(name: str) -> list[str]:
    """What a session has in the cluster."""
    return [str(one) for one in ask(lambda cluster: sessions.find(cluster, name))]


def edges(feed: Feed, caller: str, called: str, level: str = "service") -> list[dict[str, Any]]:
    """Those of the map from one name to another, one for each protocol."""
    found = feed.edges(level)
    names = dict(zip(found.nodes["node"].to_pylist(), found.nodes["name"].to_pylist(), strict=True))
    rows = found.edges.drop_columns(["first", "last"]).to_pylist()
    return [edge for edge in rows if (names[edge["src"]], names[edge["dst"]]) == (caller, called)]


class Tap:
    """`tapper tap` as a process, its lines of JSON, and its feed over the URL that it prints."""

    def __init__(self, *arguments: str, command: str = "tap") -> None:
        whole = [sys.executable, "-m", "tapper.cli", command, "-o", "jsonl", "--web", "--no-browser", *arguments]
        self.process = subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.begun = time.monotonic()
        self.told: list[str] = []
        self.url = ""
        self._rows: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._url: queue.SimpleQueue[str] = queue.SimpleQueue()
        for read in (self._read_rows, self._read_told):
            threading.Thread(target=read, daemon=True).start()

    def _read_rows(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._rows.put(json.loads(line))

    def _read_told(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(line.rstrip())
            if found := re.search(r"http://127\.0\.0\.1:\d+/#k=\S+", line):
                self._url.put(found[0])

    def row(self, wanted: Callable[[dict[str, Any]], bool], what: str, seconds: float = 120) -> dict[str, Any]:
        """The next request that is so."""
        end = time.monotonic() + seconds
        while True:
            try:
                row = self._rows.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not within {seconds:g} s: {what}\n" + "\n".join(self.told)) from None
            if wanted(row):
                return row

    def feed(self) -> Feed:
        """What the tap has."""
        self.url = self._url.get(timeout=120)
        return open_remote(self.url)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Sends a signal; the exit code once it ended."""
        self.process.send_signal(number)
        return self.process.wait(120)


@contextmanager
def tap(*arguments: str) -> Iterator[Tap]:
    """Taps while the block runs."""
    running = Tap(*arguments)
    with ExitStack() as stack:
        stack.callback(lambda: running.process.poll() is None and running.end())
        yield running
