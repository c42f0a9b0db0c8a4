"""The program as a whole: quick to start, help, completion, version."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tapper.cli.program import COMMANDS, program

if TYPE_CHECKING:
    from conftest import Tapper

HEAVY = (
    "pyarrow",
    "duckdb",
    "numpy",
    "networkx",
    "lark",
    "celpy",
    "yaml",
    "rich",
    "agent",
    "tapper.feed",
    "tapper.filter",
)


@pytest.mark.parametrize("args", [["--help"], ["read", "--help"], ["completion", "bash"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    script = (
        "import sys, tapper.cli\n"
        f"try: tapper.cli.main({args!r})\n"
        f"except SystemExit: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_every_command_has_help() -> None:
    for name in COMMANDS:
        result = CliRunner().invoke(program, [name, "--help"])
        assert result.exit_code == 0
        assert result.output.startswith(f"Usage: tapper {name}") or f" {name} " in result.output.splitlines()[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(tapper: Tapper, shell: str) -> None:
    ran = tapper("completion", shell)
    assert ran.code == 0
    assert "_TAPPER_COMPLETE" in ran.out


def test_completion_completes_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tapper.cli"],
        env={**os.environ, "_TAPPER_COMPLETE": "bash_complete", "COMP_WORDS": "tapper ex", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["plain,export"]


def test_version(tapper: Tapper) -> None:
    assert tapper("version").out.startswith("tapper ")
    assert tapper("--version") == tapper("version")


def test_an_error_of_tapper_itself_asks_for_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tapper.cli.problems import report

    monkeypatch.delenv("TAPPER_DEBUG", raising=False)
    assert report(RuntimeError("x\x1b")) == 1
    assert "an error of tapper itself: RuntimeError: x␛" in capsys.readouterr().err
