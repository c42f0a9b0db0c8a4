"""Sessions for a look: made in a private directory, gone when the process ends.

Removed at exit, on an exception and on SIGTERM or SIGHUP. What a killed process (SIGKILL) left behind is removed when
the next one starts: the directory's lock tells whether its owner lives.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tapper.store.session import Session, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from tapper.store.meta import Meta

PREFIX = "tapper-session-"
LOCK = "lock"
_DEADLY = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def temporary_session(meta: Meta, parent: Path | None = None) -> Iterator[Session]:
    """A session that is removed in the end; `parent`: where instead of the system's directory for temporary files."""
    parent = parent or Path(tempfile.gettempdir())
    with writing(parent):
        _sweep(parent)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = os.open(directory / "new", os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        (directory / "new").rename(directory / LOCK)  # held from its first moment

    def gone() -> None:
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(gone)  # for whoever ends without leaving the block: sys.exit in a thread's excepthook ...
    try:
        with _exit_on_signal(), Session.create(directory / "session.tap", meta) as session:
            yield session
    finally:
        gone()
        atexit.unregister(gone)
        os.close(lock)


@contextmanager
def _exit_on_signal() -> Iterator[None]:
    """Turns deadly signals into SystemExit, so that blocks are left in order; only where nobody else handles them."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    mine = threading.current_thread() is threading.main_thread()
    handled = [s for s in _DEADLY if mine and signal.getsignal(s) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def _sweep(parent: Path) -> None:
    for directory in parent.glob(f"{PREFIX}*"):
        try:
            if directory.is_symlink() or directory.lstat().st_uid != os.getuid():
                continue
            lock = os.open(directory / LOCK, os.O_WRONLY)
        except OSError:  # not ours to judge, or just being made
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except OSError:  # its owner lives
            continue
        finally:
            os.close(lock)
