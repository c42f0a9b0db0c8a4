"""What is told while a tap starts: on a terminal a line that fills in, elsewhere only how it ended."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tapper.cli.tapping.lines import Lines
from tapper.kube.starting import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

STARTING = (Progress(False, 0, 5), Progress(True, 3, 5), Progress(True, 5, 5))


@contextmanager
def _terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """While the block runs, standard error is a terminal; gives what says what came there, up to a whole line."""
    master, slave = os.openpty()

    def told() -> str:
        read = b""
        while not read.endswith(b"\n"):
            read += os.read(master, 4096)
        return read.decode()

    with os.fdopen(slave, "w", buffering=1, encoding="utf-8") as ours, monkeypatch.context() as changed:
        changed.setattr(sys, "stderr", ours)
        yield told
    os.close(master)


def test_agents_are_counted_in_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with _terminal(monkeypatch) as told:
        lines = Lines(quiet=False)
        for now in STARTING:
            lines.progress(now)
        lines.ready(1.25)
        assert told().split("\r\x1b[K") == [
            "agent    ready on 0/5 nodes, collector starts",
            "agent    ready on 3/5 nodes, collector ready",
            "agent    ready on 5/5 nodes, collector ready",
            "agent    ready on 5/5 nodes     1.2 s\r\n",
        ]


def test_what_is_waited_for_stays_in_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with _terminal(monkeypatch) as told:
        lines = Lines(quiet=False)
        lines.progress(Progress(True, 3, 5))
        lines.progress(Progress(True, 3, 5, problems=("tapper-agent-x on w4: ErrImagePull: 401",)))
        assert told().endswith("\r\x1b[Kwaiting  tapper-agent-x on w4: ErrImagePull: 401\r\n")


def test_elsewhere_only_the_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(quiet=False)
    for now in STARTING:
        lines.progress(now)
    lines.ready(1.25)
    assert capsys.readouterr().err == "agent    ready on 5/5 nodes     1.2 s\n"
