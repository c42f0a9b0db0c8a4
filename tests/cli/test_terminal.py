"""What reaches a terminal, and how it fits."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from scapy.utils import PcapWriter

from tapper.cli.terminal import Visible
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SGR = re.compile("\x1b\\[[0-9;]*m")


def everything(end: int) -> str:
    """What is written to the other end until that is closed."""
    written = b""
    try:
        while data := os.read(end, 65536):
            written += data
    except OSError:  # Linux says so of a terminal whose other end is closed
        pass
    os.close(end)
    return written.decode()


def on_terminal(args: list[str], columns: int, **env: str) -> str:
    """What a command writes to a terminal of that width."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "TZ": "UTC", **env}
    command = [sys.executable, "-m", "tapper.cli", *args]
    child = subprocess.Popen(command, stdout=slave, stderr=subprocess.DEVNULL, env=environment)
    os.close(slave)
    written = everything(master)
    assert child.wait(60) == 0
    return written.replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_tables_fit_the_terminal(shop: Path, columns: int) -> None:
    for args in (["read", str(shop), "-q"], ["read", str(shop), "--map", "-q"], ["open", str(shop)]):
        lines = SGR.sub("", on_terminal(args, columns)).splitlines()
        assert lines
        assert max(map(len, lines)) <= columns


def test_colours_are_for_terminals_and_can_be_refused(shop: Path) -> None:
    args = ["read", str(shop), "-q"]
    assert "\x1b[31m" in on_terminal(args, 120)
    assert "\x1b" not in on_terminal(args, 120, NO_COLOR="1")
    assert "\x1b" not in on_terminal(args, 120, TERM="dumb")


def test_csv_on_a_terminal_hides_nothing(hostile: Path) -> None:
    shown = on_terminal(["read", str(hostile), "-q", "-o", "csv"], 120)
    assert "\u202e" not in shown
    assert "\\u202ereversed" in shown


def test_binary_formats_are_not_for_terminals(shop: Path) -> None:
    with pytest.raises(AssertionError):
        on_terminal(["read", str(shop), "-o", "parquet"], 80)


def test_text_cut_within_a_character_is_put_together_again() -> None:
    below = io.BytesIO()
    sink = Visible(below)
    for byte in "é\x1b[31m\tü\n".encode():
        sink.write(bytes([byte]))
    assert below.getvalue().decode() == "é␛[31m\tü\n"


def test_no_ui_opens_where_it_would_be_drawn_elsewhere(shop: Path) -> None:
    """Textual draws on stderr: with that in a file a blank terminal would wait for keys."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "tapper.cli", "read", str(shop), "--from", "nobody"]
    environment = {**os.environ, "TERM": "xterm"}
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, env=environment)
    try:
        assert child.wait(60) == 0
    finally:
        child.kill()
        os.close(slave)
        os.close(master)


@contextmanager
def reading(folder: Path, stderr: int, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that reads a capture whose end does not come before this is left."""
    folder.mkdir()
    os.mkfifo(folder / "capture.pcap")
    command = [sys.executable, "-m", "tapper.cli", "read", "capture.pcap", "-o", "csv", "-w", "out.csv", *flags]
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    with started(command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment, cwd=folder) as child:
        os.close(stderr)
        with (folder / "capture.pcap").open("wb") as file:
            PcapWriter(file, linktype=1, nano=True).write_header(None)
            file.flush()
            yield child
        assert child.wait(60) == 0


def test_a_bar_is_for_terminals_and_leaves_nothing(tmp_path: Path) -> None:
    (quiet, quiet_end), (pipe, pipe_end), (screen, screen_end) = pty.openpty(), os.pipe(), pty.openpty()
    with (
        reading(tmp_path / "quiet", quiet_end, "-q"),
        reading(tmp_path / "pipe", pipe_end),
        reading(tmp_path / "screen", screen_end),
    ):
        shown = b""
        while b" packets" not in shown:
            shown += os.read(screen, 65536)
    shown += everything(screen).encode()
    assert b"reading" in shown
    erased = shown.rindex(b"\x1b[2K")
    assert b"reading" not in shown[erased:]
    assert b"No packets in capture.pcap" in shown[erased:]
    assert everything(quiet) == ""
    assert everything(pipe).startswith("No packets in capture.pcap")
