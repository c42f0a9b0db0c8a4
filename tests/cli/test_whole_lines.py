"""What a slow reader of a pipe gets of a command that is ended: whole lines."""

from __future__ import annotations

import fcntl
import json
import select
import signal
import subprocess
import sys
import termios
from array import array
from typing import TYPE_CHECKING

import pytest

from tests.cli.traffic import Traffic
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PAGE = 4_096
"""Bytes that the smallest pipe holds."""


@pytest.fixture(scope="module", params=[100, 20_000], ids=["short-lines", "long-lines"])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred requests: more than a pipe holds."""
    traffic = Traffic()
    body = b"x" * request.param
    for number in range(100):
        response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        traffic.call(b"GET /%d HTTP/1.1\r\nHost: orders\r\n\r\n" % number, response + body)
    return traffic.write(tmp_path_factory.mktemp("large") / "large.pcap")


@pytest.fixture(scope="module")
def session(large: Path) -> Path:
    saved = large.with_suffix(".tap")
    subprocess.run([sys.executable, "-m", "tapper.cli", "read", large, "--save", saved, "-q"], check=True)
    return saved


def ended(arguments: Sequence[str | Path], number: signal.Signals) -> tuple[bytes, int]:
    """What a command writes that is ended while its pipe is full, and read only then; its exit code."""
    with started([sys.executable, "-m", "tapper.cli", *arguments], stdout=subprocess.PIPE) as child:
        assert child.stdout
        fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, PAGE)
        waiting = array("i", [0])
        while not waiting[0]:
            assert child.poll() is None
            select.select([child.stdout], [], [], 60)
            fcntl.ioctl(child.stdout, termios.FIONREAD, waiting)
        child.send_signal(number)
        written = child.stdout.read()
        child.wait(60)
    return written, child.returncode


@pytest.mark.parametrize(
    ("command", "form", "number"),
    [
        ("read", "jsonl", signal.SIGTERM),
        ("read", "jsonl", signal.SIGINT),
        ("list", "jsonl", signal.SIGTERM),
        ("list", "csv", signal.SIGTERM),
        ("list", "wide", signal.SIGTERM),
    ],
)
def test_a_command_that_is_ended_leaves_whole_lines(
    large: Path, session: Path, command: str, form: str, number: signal.Signals
) -> None:
    written, code = ended([command, large if command == "read" else session, "-q", "-o", form], number)
    assert code != 0
    assert written.endswith(b"\n")
    lines = written.decode().splitlines()
    if form == "jsonl":
        assert all(json.loads(line)["target"] == f"/{number}" for number, line in enumerate(lines))
    else:
        assert len({line.count(",") for line in lines}) == 1
