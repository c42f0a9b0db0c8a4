"""Measures Redis: pipelines of redis-benchmark over loopback, recorded by tcpdump, read by the engine alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench import engine
from bench.process import MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.report import Line

PORT = 6399
COMMANDS = 400_000
PIPELINE = 16
NEEDED = ("redis-server", "redis-benchmark", "tcpdump")


@contextmanager
def _running(*command: str, ready: bytes, stream: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ready once it has said so."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            said = getattr(process, stream)
            while (line := said.readline()) and ready not in line:
                pass
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def record(file: Path) -> None:
    """Writes the capture: GET and SET of small values, as many under way on each of 20 connections.

    Raises:
        MissingError: a program or the right to capture is missing.
    """
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        raise MissingError(f"{', '.join(missing)}: not installed")
    if os.geteuid() != 0:
        raise MissingError("capturing needs root")
    server = ("redis-server", "--port", str(PORT), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    dump = ("tcpdump", "-n", "-i", "lo", "-s0", "-B", "131072", "-w", str(file), f"tcp port {PORT}")
    with (
        _running(*server, ready=b"Ready to accept", stream="stdout"),
        _running(*dump, ready=b"listening on", stream="stderr"),
    ):
        load = ("redis-benchmark", "-p", str(PORT), "-c", "20", "-P", str(PIPELINE), "-n", str(COMMANDS // 2))
        rest = ("-t", "set,get", "-r", "10000", "-d", "32", "-q")
        subprocess.run([*load, *rest], check=True, stdout=subprocess.DEVNULL)


def figures(scratch: Path, line: Line, *, rounds: int = 3) -> None:
    """Commands per core-second, with and without bodies; the best of some rounds.

    Raises:
        MissingError: as `record`.
    """
    file = scratch / "redis.pcap"
    record(file)
    for options in ([], ["--no-bodies"]):
        best = max(engine.rate(file, *options)[0] for _ in range(rounds))
        what = f"Redis, pipelines of {PIPELINE}{' without bodies' if options else ''}: engine alone"
        line(what, f"{best / 1e6:.2f} M commands per core-second", ">= 1 M", best >= 1e6)


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    def show(*said: object) -> None:
        """A line of the results."""
        print(*said, sep="  ")

    with tempfile.TemporaryDirectory() as folder:
        figures(Path(folder), show)
