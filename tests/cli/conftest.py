"""Captures and a way to run tapper as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
import traffic

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


class Tapper(Protocol):
    """Runs a command line in a process of its own, in a directory of its own."""

    def __call__(self, *args: str | Path, stdin: bytes | None = None, **env: str) -> Ran: ...


@pytest.fixture
def tapper(tmp_path: Path) -> Tapper:
    def run(*args: str | Path, stdin: bytes | None = None, **env: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "tapper.cli", *map(str, args)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "TZ": "UTC", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **env},
            timeout=60,
            check=False,
        )
        out, err = done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")
        assert "Traceback" not in err, err
        return Ran(done.returncode, out, err)

    return run


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
