"""`tapper tap --local` of what is there, and of what is not: which targets are tapped, and what is said of others."""

from __future__ import annotations

import json
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tapper.cli.tapping.local import READY_S
from tests.cli.running import MOMENTS, PATIENCE_S, Run, asking
from tests.live.network import nginx, pair, process

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Tapper

pytestmark = pytest.mark.root

GONE = 2**22 + 1  # no process has so high a number


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (("-i", "nosuch0"), "nosuch0 can't be tapped: there is no interface nosuch0; there are lo"),
        (("-i", "o"), "o can't be tapped: there is no interface o; there are lo"),
        (("--pid", str(GONE)), f"process {GONE} can't be tapped: it does not run"),
    ],
    ids=["interface", "half a name", "process"],
)
def test_what_is_not_there_is_told_at_once(directory: Path, wanted: tuple[str, ...], words: str) -> None:
    begun = time.monotonic()
    run = Run(directory, "tap", "--local", *wanted, "-o", "jsonl", "--for", "60s")
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 1
    assert words in said
    assert time.monotonic() - begun < READY_S / 2


def test_of_several_it_is_told_at_the_start_and_in_the_end_what_is_not_there(directory: Path, port: int) -> None:
    wanted = ["-i", "lo", "-i", "nosuch0", "--pid", str(GONE), "--port", str(port)]
    run = Run(directory, "tap", "--local", *wanted, "-o", "jsonl", "--limit", "1")
    assert run.process.stderr is not None
    begins = [run.process.stderr.readline() for _ in range(2)]
    with asking(port):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0
    assert len(out.splitlines()) == 1
    for lines in ("".join(begins), said):
        assert "nosuch0 is not tapped: there is no interface nosuch0" in lines
        assert f"process {GONE} is not tapped: it does not run" in lines
    assert "(waited for)\n" in begins[0]
    assert "waited for" not in said


def test_ended_before_it_taps_it_says_just_that(directory: Path) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", "-o", "jsonl")
    run.reaches(MOMENTS["agent"])
    run.process.send_signal(signal.SIGINT)
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert (run.process.returncode, said) == (0, "stopped before anything was tapped\n")


def test_the_network_of_a_process(directory: Path, tmp_path: Path) -> None:
    ask = "while true; do curl -sS http://10.9.0.2:8080/plain; sleep 0.1; done"
    with pair() as (client, server), nginx(server, tmp_path), process(server, "sleep", "600") as inside:
        run = Run(directory, "tap", "--local", "--pid", str(inside.pid), "-o", "jsonl", "--limit", "2")
        with process(client, "sh", "-c", ask):
            out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["target"], row["dst"]["ip"]) for row in rows] == [("/plain", "10.9.0.2")] * 2


def test_the_session_is_kept(directory: Path, port: int, tmp_path: Path, tapper: Tapper) -> None:
    kept = tmp_path / "kept.tap"
    local = ["tap", "--local", "-i", "lo", "--port", str(port), "--save", str(kept)]
    run = Run(directory, *local, "-o", "jsonl", "--limit", "5")
    with asking(port):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    assert kept.stat().st_mode & 0o777 == 0o700
    shown = {json.loads(line)["id"] for line in out.splitlines()}
    again = tapper("list", kept, "-o", "jsonl", "--limit", "0")
    assert len(shown) == 5
    assert {json.loads(line)["id"] for line in again.out.splitlines()} >= shown


def test_a_table_of_what_the_filter_lets_through(directory: Path, port: int) -> None:
    local = ["tap", "--local", "-i", "lo", "--port", str(port), "-o", "table", "--limit", "4"]
    run = Run(directory, *local, "--filter", 'target.endsWith("?wanted")')
    with asking(port, "/pyproject.toml?other"), asking(port, "/pyproject.toml?wanted"):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    heading, *rows = out.splitlines()
    assert heading.split()[:5] == ["TIME", "PROTO", "FROM", "TO", "REQUEST"]
    assert len(rows) == 4
    assert all("/pyproject.toml?wanted" in row for row in rows)
    assert re.search(r"^4 of \d+ requests match", said, re.MULTILINE), said
