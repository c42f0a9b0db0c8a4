"""An event loop beside what is synchronous."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    _Result = TypeVar("_Result")


UNDO_SECONDS = 10.0  # that what was interrupted may take


class Loop:
    """An event loop in a thread of its own: what shows the feed is synchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tap", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Runs it and waits; an interruption is passed on to it, and it is waited for until it put away its things."""
        ended: Future[_Result] = Future()  # what run_coroutine_threadsafe gives is over as soon as it is cancelled
        task: asyncio.Task[None] | None = None

        async def running() -> None:
            try:
                ended.set_result(await work)
            except BaseException as error:
                ended.set_exception(error)

        def over(_: asyncio.Task[None]) -> None:
            if not ended.done():  # cancelled before its first step
                work.close()
                ended.cancel()

        def start() -> None:
            nonlocal task
            task = self._loop.create_task(running())
            task.add_done_callback(over)

        def cancel() -> None:
            if task is not None:
                task.cancel()
            else:
                work.close()
                ended.cancel()

        # an interruption may come at any moment from here on; what is called is called in this order
        try:
            self._loop.call_soon_threadsafe(start)
            return ended.result()
        except BaseException:
            if not ended.done():
                self._loop.call_soon_threadsafe(cancel)
                with contextlib.suppress(BaseException):
                    ended.exception(timeout=UNDO_SECONDS)
            raise

    def call(self, function: Callable[[], object]) -> None:
        """Calls it there and waits."""

        async def called() -> None:
            function()

        self.run(called())

    def close(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
