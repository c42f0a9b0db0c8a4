"""A time by which the queries of a thread are done, or broken off: a server must not work for who has gone."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from tapper.store.errors import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Iterator

_local = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Queries of this thread in the block raise TooSlowError when the time is over."""
    _local.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _local.until = None


@contextmanager
def observed(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Breaks off what the cursor does in the block at this thread's deadline, if it has one."""
    until: float | None = getattr(_local, "until", None)
    if until is None:
        yield
        return
    left = until - time.monotonic()
    if left <= 0:
        raise TooSlowError("the answer took too long; ask for a shorter time or less")
    watch = threading.Timer(left, cursor.interrupt)
    watch.daemon = True
    watch.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise TooSlowError("the answer took too long; ask for a shorter time or less") from error
    finally:
        watch.cancel()
