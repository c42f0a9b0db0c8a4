"""A progress bar on stderr, for files that take long; nothing where nobody watches."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tapper.feed.reading import Step

PATIENCE_S = 0.5
"""Shorter reading shows no bar."""


@contextmanager
def progress(paths: Sequence[str], *, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """Gives what to call with each step."""
    if quiet or not sys.stderr.isatty() or "-" in paths:
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TextColumn("{task.fields[packets]:,} packets"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    begun = time.monotonic()
    task = bar.add_task("reading", total=None, packets=0)
    started = False

    def moved(step: Step) -> None:
        nonlocal started
        if not started and time.monotonic() - begun > PATIENCE_S:
            bar.start()
            started = True
        bar.update(task, completed=step.position, total=step.total, packets=step.packets)

    try:
        yield moved
    finally:
        if started:
            bar.stop()
