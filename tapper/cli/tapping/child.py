"""Child processes that live as long as their standard input is open."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections import deque
from typing import IO

from tapper.model.text import clean

LINES, LINE = 10, 1000
"""Lines that are kept of what a child says, and bytes of each."""
AFTER_S = 5.0


class LastWords:
    """The last lines that a child says, read as they come: it never waits for a reader."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: deque[bytes] = deque(maxlen=LINES)
        self._reading = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reading.start()

    def _read(self, stream: IO[bytes]) -> None:
        while line := stream.readline(LINE):
            self._lines.append(line)

    def text(self) -> str:
        """Them, when it has ended."""
        self._reading.join(AFTER_S)
        said = (clean(line.decode(errors="replace").rstrip()) for line in tuple(self._lines))
        return "\n".join(said).strip()


def end(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Ends it in order by closing its standard input; if it does not end within this time, kills it."""
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for said in (child.stdout, child.stderr):
        if said is not None:
            said.close()
