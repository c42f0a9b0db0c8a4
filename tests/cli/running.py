"""Commands that run until they are ended, and somebody who asks meanwhile."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 90.0


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


def first_row(run: Run) -> bool:
    assert run.process.stdout is not None
    return bool(run.process.stdout.readline())


MOMENTS = {
    "shop": lambda run: any("tapper.demo.shop" in line for line in run.alive()),
    "session": lambda run: any(run.directory.iterdir()),
    "agent": lambda run: any("agent.child" in line for line in run.alive()),
    "requests": first_row,
}


@contextmanager
def asking(port: int, path: str = "/pyproject.toml") -> Iterator[None]:
    """Somebody asks ten times a second."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.1):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                answer.read()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
