"""`tapper demo` and `tapper tap --local` as a user runs them: what they show, and that nothing is left at any end."""

from __future__ import annotations

import http.server
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.demo.namespace import obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 90.0
needs_namespace = pytest.mark.skipif(bool(obstacle()), reason=f"no network namespace of its own: {obstacle()}")


class Run:
    """A command under way, in a directory for temporary files of its own."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.mark = f"TAPPER_TEST={secrets.token_hex(8)}"
        self.directory = directory
        name, _, value = self.mark.partition("=")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tapper.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env={**os.environ, name: value, "TMPDIR": str(directory)},
        )

    def alive(self) -> list[str]:
        """Command lines of all that it started and that still run."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.process.pid:
                try:
                    if self.mark.encode() in (entry / "environ").read_bytes():
                        found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
                except OSError:
                    continue
        return found

    def reaches(self, moment: Callable[[Run], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not moment(self):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "tmp"
    path.mkdir()
    return path


def first_row(run: Run) -> bool:
    assert run.process.stdout is not None
    return bool(run.process.stdout.readline())


MOMENTS = {
    "shop": lambda run: any("tapper.demo.shop" in line for line in run.alive()),
    "session": lambda run: any(run.directory.iterdir()),
    "agent": lambda run: any("agent.child" in line for line in run.alive()),
    "requests": first_row,
}


@needs_namespace
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_ends_in_order_at_any_moment(directory: Path, moment: str, number: signal.Signals) -> None:
    run = Run(directory, "demo", "-o", "jsonl", "--for", "60s")
    run.reaches(MOMENTS[moment])
    run.process.send_signal(number)
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    assert "Traceback" not in said
    assert run.alive() == []
    assert list(directory.iterdir()) == []


@needs_namespace
@pytest.mark.parametrize("moment", ["agent", "requests"])
def test_what_it_started_ends_when_it_is_killed(directory: Path, moment: str) -> None:
    run = Run(directory, "demo", "-o", "jsonl", "--for", "60s")
    run.reaches(MOMENTS[moment])
    run.process.kill()
    run.process.communicate(timeout=PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    while run.alive():
        assert time.monotonic() < end, run.alive()
        time.sleep(0.05)


@needs_namespace
def test_the_demo_ends_with_the_map_of_what_is_slow_and_what_fails(directory: Path) -> None:
    run = Run(directory, "demo", "-o", "jsonl", "--limit", "400", "--for", "60s")
    out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    shown = [json.loads(line) for line in out.splitlines()]
    assert {"http", "dns"} <= {row["protocol"] for row in shown}
    edges = {tuple(line.split()[:2]): line for line in said.splitlines()}
    assert "refused" in edges["shop/orders", "shop/audit"]
    assert ("shop/orders", "shop/payments") in edges
    assert ("shop/gateway", "shop/news") in edges


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.mark.root
def test_this_machine_says_who_called_whom(directory: Path, port: int) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", "--port", str(port), "-o", "jsonl", "--limit", "1")
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.1):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/pyproject.toml") as answer:
                answer.read()

    asking = threading.Thread(target=ask)
    asking.start()
    out, said = run.process.communicate(timeout=PATIENCE_S)
    ended.set()
    asking.join()
    assert run.process.returncode == 0, said
    row = json.loads(out.splitlines()[0])
    assert (row["protocol"], row["target"], row["status"]) == ("http", "/pyproject.toml", 200)
    assert run.alive() == []
    assert list(directory.iterdir()) == []


@pytest.mark.root
def test_without_the_right_to_capture_it_says_what_helps() -> None:
    done = subprocess.run(
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-m", "tapper.cli", "tap", "--local"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert "CAP_NET_RAW is missing: sudo " in done.stderr
    assert len(done.stderr.splitlines()) == 1
