"""What reaches the terminal: nothing of what was captured acts there, on any screen."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

from tapper.identity.names import Claim, Names
from tests.feed.shop import recorded
from tests.ui.terminal.hostile import EVIL, batch

if TYPE_CHECKING:
    from pathlib import Path

OURS = re.compile(
    rb"\x1b\[[0-9;:]*m"  # colours
    rb"|\x1b\[[0-9;]*[HABCDGJK]"  # where to write, what to erase
    rb"|\x1b\[\?(?:25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]|\x1b\[\?(?:2026|2048)\$p|\x1b\[\?u|\x1b\[[<>=][0-9;]*u"
    rb"|\x1b\[\?7[hl]|\x1b\]22;default\x07"
    rb"|\x1b\[18t|\x1b\[6n|\x1b\[c|\x1b\[>c|\x1b\[\?12[hl]|\x1b\[1 q"
)
"""Sequences that the toolkit itself writes."""


class Screen:
    """A program in a terminal of 100 x 30."""

    def __init__(self, command: list[str], state: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(state), "TZ": "UTC"}
        self.child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        self.written = b""

    def until(self, words: bytes, *, after: int = 0) -> None:
        """Reads until that was written."""
        while words not in self.written[after:]:
            assert select.select([self.master], [], [], 60)[0], f"no {words!r} in {self.written[-2000:]!r}"
            try:
                self.written += os.read(self.master, 65536)
            except OSError:  # the other end is closed
                assert words in self.written[after:]
                return

    def press(self, keys: bytes, words: bytes) -> None:
        """Presses keys and waits for what they lead to."""
        before = len(self.written)
        os.write(self.master, keys)
        self.until(words, after=before)

    def leave(self) -> None:
        """Reads the rest."""
        os.write(self.master, b"\x11")
        try:
            while data := os.read(self.master, 65536):
                self.written += data
        except OSError:  # the other end is closed
            os.close(self.master)
        assert self.child.wait(60) == 0


def test_no_control_sequence_of_a_capture_reaches_the_terminal(tmp_path: Path) -> None:
    names = Names(None, EVIL, EVIL, EVIL, EVIL, pod=EVIL)
    claims = [Claim(ipaddress.ip_network("10.0.0.1"), names, "file")]
    with recorded(tmp_path / "x.tap", [batch()], claims):
        pass
    screen = Screen([sys.executable, "-m", "tapper.cli", "open", str(tmp_path / "x.tap")], tmp_path / "state")
    try:
        visit(screen)
    finally:
        screen.child.kill()
        screen.child.wait()
    rest = OURS.sub(b"", screen.written).replace(b"\r\n", b"")
    assert re.findall(rb"[\x00-\x1f\x7f].{0,20}", rest) == []
    text = screen.written.decode()
    assert re.findall("[\x80-\x9f\u202a-\u202e\u2066-\u2069\u200b]", text) == []
    assert "PWNED" in text


def visit(screen: Screen) -> None:
    """Every screen, every part of a request, completion of values."""
    screen.until(b"PWNED")
    for keys, words in (
        (b"\r", b"Content-Type"),
        (b"\t", b"latency"),
        (b"\t", b"Messages"),
        (b"\t", b"Connection"),
        (b"\x1b", b"LATENCY"),
        (b"\x17", b"01977420-"),
        (b"2", b"TIME"),
        (b"\t", b"CALLEE"),
        (b"3", b"closed"),
        (b"4", b"Stages"),
        (b"1", b"01977420-"),
        (b"/", b"leave"),
        (b'target == "', b"PWNED"),
    ):
        screen.press(keys, words)
    screen.leave()
