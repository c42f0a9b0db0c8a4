"""Captures and a way to run tapper as a user does."""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from click.testing import CliRunner

from tapper.cli import program
from tests.cli import traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


class Tapper(Protocol):
    """Runs a command line in a directory of its own, as the console script does."""

    def __call__(self, *args: str | Path) -> Ran: ...


@pytest.fixture
def tapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tapper:
    monkeypatch.chdir(tmp_path)

    def run(*args: str | Path) -> Ran:
        with CliRunner().isolation() as (out, err, _):
            code = program.run([str(arg) for arg in args])
            sys.stderr.flush()
            told = err.getvalue().decode()
            assert "Traceback" not in told
            assert "an error of tapper itself" not in told
            return Ran(code, out.getvalue().decode(), told)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Tapper:
    """The same in a process of its own."""

    def run(*args: str | Path) -> Ran:
        command = [sys.executable, "-m", "tapper.cli", *map(str, args)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, cwd=tmp_path, timeout=60, check=False
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traffic.shop().write(tmp_path_factory.mktemp("shop") / "shop.pcap")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traffic.hostile().write(tmp_path_factory.mktemp("hostile") / "hostile.pcap")


@pytest.fixture
def saved(tapper: Tapper, shop: Path, tmp_path: Path) -> Path:
    assert tapper("read", shop, "--save", "shop.tap").code == 0
    return tmp_path / "shop.tap"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "tmp"
    path.mkdir()
    return path


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
