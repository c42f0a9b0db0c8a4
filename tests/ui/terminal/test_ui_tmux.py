"""The way of someone on call in a real terminal, over a live tap: the demo's shop in tmux, driven by keyboard alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tapper.demo.namespace import obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


LONG_S = 300
"""A bound for one condition on a busy machine."""


class Tmux:
    """A terminal of 120 x 36 with one program in it."""

    def __init__(self, directory: Path, command: list[str]) -> None:
        self.socket = str(directory / "tmux")
        environment = {**os.environ, "XDG_STATE_HOME": str(directory / "state"), "TERM": "xterm-256color"}
        for name in ("TMUX", "COLUMNS", "LINES"):
            environment.pop(name, None)
        subprocess.run(
            ["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "36", *command],
            env=environment,
            cwd=directory,
            check=True,
        )

    def _do(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def screen(self) -> str:
        """What is seen."""
        return self._do("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Keys as tmux names them."""
        self._do("send-keys", *keys)

    def type(self, text: str) -> None:
        """Letter by letter, as fast as it goes."""
        self._do("send-keys", "-l", text)

    def until(self, seen: Callable[[str], object]) -> str:
        """Waits until the screen is so."""
        end = time.monotonic() + LONG_S
        while not seen(shown := self.screen()):
            assert time.monotonic() < end, shown
            time.sleep(0.1)
        return shown

    def program(self) -> int:
        """The process that runs in it."""
        return int(self._do("display-message", "-p", "#{pane_pid}"))

    def end(self) -> None:
        """Ends the program with its terminal."""
        self._do("kill-server")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Tmux]:
    if reason := obstacle():
        pytest.skip(reason)
    terminal = Tmux(tmp_path, [sys.executable, "-m", "tapper.cli", "demo"])
    yield terminal
    terminal.end()


def is_under_way(text: str) -> bool:
    """Live, with a hundred requests or more: when it is looked at there may be thousands."""
    return "● live" in text and re.search(r"kept [1-9][\d,]*\d\d\b", text) is not None


def failures_only(text: str) -> bool:
    """What was typed is applied: the rows of before are gone."""
    rows = re.findall(r"^[> ]\d\d:\d\d:\d\d\.\d{3} .*", text, re.MULTILINE)
    return bool(rows) and all(re.search(r" 5\d\d ", row) for row in rows)


def test_from_the_slowest_edge_to_exports_over_a_live_tap(shop: Tmux, tmp_path: Path) -> None:
    shop.until(is_under_way)
    shop.press("2")
    shop.until(lambda text: "shop/payments" in text)
    shop.type("s9")  # by p99: the slowest edge first
    shown = shop.until(lambda text: "▾p99" in text and re.search(r"^>.*http", text, re.MULTILINE))
    callee = re.search(r"^>\S+ +shop/(\S+)", shown, re.MULTILINE)
    assert callee is not None

    shop.press("Enter")  # its requests
    shop.until(lambda text: f'dst.name == "{callee[1]}"' in text and "TIME" in text)
    shop.press("L")
    shop.until(lambda text: "▾LATENCY" in text and re.search(r"^>\d", text, re.MULTILINE))
    shop.press("Enter")
    shop.until(lambda text: "connection" in text and "timing" in text)
    shop.press("Tab")
    shop.until(lambda text: "waited" in text or "worked" in text)
    shop.press("Escape")

    shop.until(lambda text: "▾LATENCY" in text)
    shop.type("/")  # filtered to failures of the whole shop, typed at once behind the key
    shop.press("C-u")
    shop.type("status >= 500")
    shop.press("Enter")
    shop.until(lambda text: "status >= 500" in text and failures_only(text))

    har = tmp_path / "out.har"
    export(shop, "requests", "h", har)
    entries = json.loads(har.read_text())["log"]["entries"]
    assert entries
    assert all(entry["response"]["status"] >= 500 for entry in entries)

    picture = tmp_path / "map.svg"
    shop.press("Escape")
    shop.until(lambda text: "filter: / or click" in text)
    shop.press("2")
    shop.until(lambda text: "OVER TIME" in text)
    export(shop, "the map", "s", picture)
    assert "shop" in picture.read_text()
    shop.press("C-q")


def export(shop: Tmux, what: str, form: str, path: Path) -> None:
    """Writes what is seen into a file, by keys; the form's key, then what it is called as the file's suffix."""
    shop.press("x")
    shop.until(lambda text: f"export {what}" in text)
    shop.type(form)
    shop.until(lambda text: f"write {path.suffix[1:]} to" in text)
    shop.press("C-u")
    shop.type(str(path))
    shop.press("Enter")
    shop.until(lambda _: path.exists() and path.stat().st_size)


def test_it_ends_with_its_terminal(shop: Tmux) -> None:
    shop.until(is_under_way)
    program = shop.program()
    shop.end()
    end = time.monotonic() + LONG_S
    while _runs(program):
        assert time.monotonic() < end, "it runs on without anybody who could see it or end it"
        time.sleep(0.1)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
