"""The terminal UI for commands: of a feed that is open, or of captures while they are read."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tapper.cli.source import Source
    from tapper.cli.values import Listing, Reading
    from tapper.feed.reading import ReadOptions, Step
    from tapper.store.session import Session

FIRST_S, LONGEST_S = 0.1, 3.0
"""After so long what was read is shown, then after twice as long each time: many small pieces would slow reading."""


def wanted(listing: Listing | None = None) -> bool:
    """Whether someone sits at a terminal and no other output was asked for."""
    asked = listing is not None and (listing.format or listing.output or listing.limit is not None)
    streams = (sys.stdin, sys.stdout, sys.stderr)  # the UI is drawn on the last
    return not asked and all(stream.isatty() for stream in streams) and os.environ.get("TERM") != "dumb"


def prepare() -> None:
    """Begins to load the UI, beside what is to be done before it is shown."""
    from ui import terminal

    terminal.prepare()


def browse(source: Source, where: str, title: str = "") -> int:
    """Shows a feed until the user leaves; the exit code."""
    from ui.terminal import run

    run(source.feed, where=where, title=title)
    return source.code


def read(paths: Sequence[str], reading: Reading, where: str) -> int:
    """Shows captures at once, and more of them while they are read; the exit code."""
    prepare()
    from tapper.cli.source import Source, check, options_of, recorded
    from tapper.feed.session import SessionFeed
    from ui.terminal import run

    check(paths)
    options = options_of(reading)
    with recorded(paths, options) as session:
        source = Source(SessionFeed(session), where)
        reader = Reader(paths, session, options, source)
        reader.start()
        try:
            run(source.feed, where=where, title=", ".join(Path(p).name for p in paths), progress=reader.progress)
        finally:
            reader.stop()
        return source.finish()


class Reader(threading.Thread):
    """Reads captures into a session that is looked at meanwhile."""

    def __init__(self, paths: Sequence[str], session: Session, options: ReadOptions, source: Source) -> None:
        super().__init__(name="reader", daemon=True)
        self._paths, self._session, self._options, self._source = paths, session, options, source
        self._step: Step | None = None
        self._ended = threading.Event()
        self._patience = FIRST_S
        self._next = time.monotonic() + FIRST_S

    def run(self) -> None:
        """Reads on until the end, or until it is told to stop."""
        from contextlib import closing

        from tapper.cli.problems import describe
        from tapper.feed.reading import read_files

        try:
            with closing(read_files(self._paths, self._session, self._options, commit_when=self._due)) as reading:
                for step in reading:
                    self._step = step
                    self._source.packets = step.packets
                    if step.problem:
                        self._source.problems.append(step.problem)
                    if self._ended.is_set():
                        self._source.interrupted = True
                        return
        except Exception as error:
            self._source.problems.append(describe(error)[0] or f"{type(error).__name__}: {error}")

    def _due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._patience = min(2 * self._patience, LONGEST_S)
        self._next = now + self._patience
        return True

    def progress(self) -> str | None:
        """How far it is, in words; None: done."""
        from tapper.model.text import share, size

        if not self.is_alive():
            return None
        done, total = (self._step.position, self._step.total) if self._step else (0, 1)
        return share(min(done, total), total) if total else size(done)

    def stop(self) -> None:
        """Ends reading; what was read is kept."""
        self._ended.set()
        self.join()
