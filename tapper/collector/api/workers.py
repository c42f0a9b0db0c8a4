"""Where calls of a feed run: a few threads, a bounded queue before them, and a time by which there is an answer."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from tapper.collector.api.errors import RequestError
from tapper.store.deadline import deadline

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


class Workers:
    """Threads of one kind.

    Args:
        name: of the threads.
        threads: calls at once.
        waiting: calls that may wait for a thread; more are refused.
        seconds: how long a call may take, and how long with its waiting; then it is broken off. None: as it takes.
    """

    def __init__(self, name: str, threads: int, waiting: int, seconds: float | None) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._seconds = seconds
        self._calls = 0
        """Running or waiting, those whose asker has gone too."""
        self._lock = threading.Lock()

    async def run(self, call: Callable[[], _Result]) -> _Result:
        """The result of a call.

        Raises:
            RequestError: too many calls at once, or it took too long.
        """
        if self._calls >= self._most:
            raise RequestError("busy", "too many requests at once; try again in a moment")
        future = self._pool.submit(self._within_time, call)
        with self._lock:
            self._calls += 1
        future.add_done_callback(self._done)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise RequestError(
                "slow", f"no answer within {self._seconds:g} s; ask for a shorter time or less"
            ) from error

    def _within_time(self, call: Callable[[], _Result]) -> _Result:
        if self._seconds is None:
            return call()
        with deadline(self._seconds):
            return call()

    def _done(self, _: Future[Any]) -> None:
        with self._lock:
            self._calls -= 1

    def close(self) -> None:
        """Begins no further call."""
        self._pool.shutdown(wait=False, cancel_futures=True)
