"""`--web` as a user runs it: the page opens in their browser, once; with --no-browser only its URL is said."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.cli.web import built_page
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = Path(__file__).parents[2] / "tapper" / "demo" / "shop.pcap.zst"
PATIENCE_S = 60

pytestmark = pytest.mark.skipif(built_page() is None, reason="the web view is not built")


@contextmanager
def shown(browser: Path, *arguments: str) -> Iterator[str]:
    """`tapper read --web` on a terminal with a screen, and the URL that it says."""
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "tapper.cli", "read", str(SHOP), "--web", *arguments]
    environment = {**os.environ, "BROWSER": f"{browser} %s", "DISPLAY": ":99", "NO_COLOR": "1"}
    with started(command, stdout=subprocess.DEVNULL, stderr=terminal, env=environment) as process:
        os.close(terminal)
        try:
            said = b""
            while not (found := re.search(rb"(http://127\.0\.0\.1:\d+)/#k=\S+", said)):
                said += os.read(master, 4096)
            yield found[1].decode()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            os.close(master)


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """Where the user's browser notes what it is to open."""
    return tmp_path / "opened"


@pytest.fixture
def browser(tmp_path: Path, opened: Path) -> Path:
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    script.chmod(0o755)
    return script


def test_the_page_opens_in_the_browser_with_a_key_for_once(browser: Path, opened: Path) -> None:
    with shown(browser) as url:
        end = time.monotonic() + PATIENCE_S
        while not opened.exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        asked = opened.read_text().strip()
        assert asked.startswith(f"{url}/#")
        with urllib.request.urlopen(url) as answer:
            page = answer.read().decode()
    assert '<script type="module"' in page


def test_without_a_browser_only_the_url_is_said(browser: Path, opened: Path) -> None:
    with shown(browser, "--no-browser") as url, pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{url}/api/v1/summary")
    assert not opened.exists()
