"""`tapper tap --local` of what is there, and of what is not: which targets are tapped, and what is said of others."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tapper.cli.tapping.local import READY_S
from tests.cli.running import MOMENTS, PATIENCE_S, Run, asking

if TYPE_CHECKING:
    from pathlib import Path

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
