"""Standard output in whole lines: whatever ends a command, what reads its pipe gets no part of a record."""

from __future__ import annotations

import io
import os
import select
import signal
import stat
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from _typeshed import ReadableBuffer

AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes all or none of (pipe(7)): a signal that comes meanwhile cuts nothing."""
ELSEWHERE = 65_536
"""Bytes of lines that go at once to a file or a terminal."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNTOUCHED = (None, signal.SIG_IGN)


class WholeLines(io.BytesIO):
    """Gives on what is written in whole lines, at once; what has no end of line yet waits for it, or for `flush`.

    A line that a pipe can't take at once is written to its end before a signal is obeyed; a second one is at once.
    """

    def __init__(self, below: BinaryIO) -> None:
        super().__init__()
        below.flush()
        self._below = getattr(below, "raw", below)
        self._begun = b""
        self._pipe = _is_pipe(below)
        self._at_once = AT_ONCE if self._pipe else ELSEWHERE

    def write(self, data: ReadableBuffer, /) -> int:
        """Takes all of it."""
        text = self._begun + bytes(data)
        start = 0
        while end := self._end(text, start):
            self._piece(text[start:end])
            start = end
        self._begun = text[start:]
        return len(bytes(data))

    def writelines(self, lines: Iterable[ReadableBuffer], /) -> None:
        """Takes all of them; that of BytesIO would keep them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Gives on what is there of a line too."""
        begun, self._begun = self._begun, b""
        if begun:
            self._piece(begun)

    def _end(self, text: bytes, start: int) -> int:
        """Of the lines from `start` on that go at once, or of one that is longer; 0: no line ends."""
        last = start + self._at_once
        return text.rfind(b"\n", start, last) + 1 or text.find(b"\n", last) + 1

    def _piece(self, piece: bytes) -> None:
        if self._pipe and len(piece) <= AT_ONCE:
            self._all(piece)
        else:
            with _held():
                self._all(piece)

    def _all(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            written = self._below.write(rest)
            if written is None:  # whoever shares the pipe made it one that does not wait
                select.select((), (self._below,), ())
            rest = rest[written or 0 :]


def _is_pipe(stream: BinaryIO) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except OSError:  # in memory
        return False


@contextmanager
def _held() -> Iterator[None]:
    """Lets the first signal that would end the process wait until the block is left."""
    if threading.current_thread() is not threading.main_thread():  # signals interrupt another thread
        yield
        return
    arrived: list[int] = []
    before = {number: handler for number in _ENDING if (handler := signal.getsignal(number)) not in _UNTOUCHED}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def hold(number: int, _: FrameType | None) -> None:
        arrived.append(number)
        if len(arrived) > 1:
            restore()
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, hold)
    try:
        yield
    finally:
        restore()
    if arrived:
        signal.raise_signal(arrived[0])
