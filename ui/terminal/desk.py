"""Asks the feed off the UI's thread. Of one topic one question runs at a time, and of those that wait only the newest
is asked: the screen never shows an answer to a question older than one it has shown.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.feed.interface import Feed

T = TypeVar("T")

THREADS = 4
"""Questions at once: a slow one (a filter on bodies) must not keep the list waiting."""


@dataclass(slots=True)
class _Question:
    ask: Callable[[Feed], Any]
    answer: Callable[[Any], None]
    failed: Callable[[Exception], None] | None


class Desk:
    """Where screens ask. Answers and failures come back on the UI's thread."""

    def __init__(self, feed: Feed, failed: Callable[[Exception], None]) -> None:
        self.feed = feed
        self._failed = failed
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ask")
        self._running: dict[str, float] = {}
        self._waiting: dict[str, _Question] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def ask(
        self,
        topic: str,
        question: Callable[[Feed], T],
        answer: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Asks; a question of the same topic that still waits is forgotten."""
        if self._closed:
            return
        asked = _Question(question, answer, failed)
        if topic in self._running:
            self._waiting[topic] = asked
        else:
            self._start(topic, asked)

    def _start(self, topic: str, question: _Question) -> None:
        self._running[topic] = time.monotonic()
        task = asyncio.get_running_loop().create_task(self._run(topic, question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, topic: str, question: _Question) -> None:
        error: Exception | None = None
        found: Any = None
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, question.ask, self.feed)
        except Exception as problem:
            error = problem
        finally:
            del self._running[topic]
        if self._closed:
            return
        later = self._waiting.pop(topic, None)
        if later is not None:
            self._start(topic, later)
        if error is None:
            question.answer(found)
        elif later is None:
            (question.failed or self._failed)(error)

    @property
    def busy_s(self) -> float:
        """For how long the oldest question runs; 0: none does."""
        return time.monotonic() - min(self._running.values()) if self._running else 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        return not self._running and not self._waiting

    def close(self) -> None:
        """Waits for what runs, so that the feed may be closed; nothing is answered any more."""
        self._closed = True
        self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)
