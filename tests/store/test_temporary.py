"""Sessions for a look leave nothing behind, however the process ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapper.store.temporary import temporary_session
from tests.store.writing import META, exchange_rows, opened

if TYPE_CHECKING:
    from pathlib import Path

LOOKING = """
import os, signal, sys, time
from pathlib import Path
from tapper.store.temporary import temporary_session
from tests.store.writing import META, exchange_rows, opened
with temporary_session(META, Path(sys.argv[1])) as session:
    writer = opened(session)
    writer.append(exchange_rows([{}]))
    writer.flush()
    {act}
"""


def look(parent: Path, act: str) -> int:
    code = LOOKING.replace("{act}", act)
    return subprocess.run([sys.executable, "-c", code, str(parent)], check=False).returncode


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("raise KeyError('x')", 1),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 128 + signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(9)", 128 + signal.SIGHUP),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", -signal.SIGINT),
    ],
)
def test_nothing_is_left(tmp_path: Path, act: str, code: int) -> None:
    assert look(tmp_path, act) == code
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    assert look(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    with temporary_session(META, tmp_path) as session:
        assert list(tmp_path.iterdir()) == [session.path.parent]
    assert list(tmp_path.iterdir()) == []


def test_a_living_one_is_left_alone(tmp_path: Path) -> None:
    with temporary_session(META, tmp_path) as one, temporary_session(META, tmp_path) as other:
        writer = opened(one)
        writer.append(exchange_rows([{}]))
        writer.close()
        assert one.query("SELECT count(*) AS n FROM exchange")["n"].to_pylist() == [1]
        assert one.path.parent != other.path.parent


def test_it_is_private(tmp_path: Path) -> None:
    with temporary_session(META, tmp_path) as session:
        assert session.path.parent.stat().st_mode & 0o077 == 0


def test_signal_handlers_are_as_before(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with temporary_session(META, tmp_path):
        pass
    assert signal.getsignal(signal.SIGTERM) is before


def test_foreign_things_of_that_name_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tapper-session-file").write_text("x")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").write_text("")
    (tmp_path / "tapper-session-link").symlink_to(elsewhere)
    with temporary_session(META, tmp_path):
        pass
    assert (elsewhere / "lock").exists()
    assert (tmp_path / "tapper-session-file").exists()
