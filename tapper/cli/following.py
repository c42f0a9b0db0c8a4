"""Follows a feed on standard output: requests as they come, until Ctrl-C, a time, or its end."""

from __future__ import annotations

import signal
import threading
from collections import OrderedDict
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tapper.feed.interface import Query
from tapper.model.words import NOTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from tapper.feed.interface import Feed

AHEAD = 8
"""Tables that are read before they are printed; a slow terminal makes the feed wait."""
REMEMBERED = 65_536
"""Requests that were shown and may come again with more of what they are."""
NEEDED = ("id", "outcome", "notes")
"""Columns that following looks at."""
_NO_MORE = object()


class Until:
    """Ends what waits at Ctrl-C, SIGTERM, after a time, or when it is told. From its first moment no signal is lost.

    The first Ctrl-C asks to end in order, a second one ends at once.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._arrived: SimpleQueue[Any] = SimpleQueue()  # may be put to from within a signal handler
        self._room = threading.Semaphore(AHEAD)
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self._before: dict[int, Any] = {}
        self.over = False
        """Whether it is time to end."""
        self.signal: int | None = None
        """That ended it."""

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if self._timer is not None:
            self._timer.cancel()
        for number, before in self._before.items():
            signal.signal(number, before)

    def _told(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
        self.end()

    def end(self) -> None:
        """It is time."""
        self.over = True
        self._arrived.put(None)

    def begin(self) -> None:
        """The time begins to count."""
        if self._seconds is not None:
            self._timer = threading.Timer(self._seconds, self.end)
            self._timer.daemon = True
            self._timer.start()

    def wait(self) -> None:
        """Until it is time to end."""
        self.begin()
        while not self.over:
            self._arrived.get()

    def each(
        self, source: Callable[[], Iterator[pa.Table]], last: Callable[[], object] | None = None
    ) -> Iterator[pa.Table]:
        """Tables as they come, those without rows too, until it is time to end or no more come.

        Args:
            last: called when it is time; after it the source has to end. What it has until then comes too.

        Raises:
            Exception: what the source raised.
        """
        self.begin()
        threading.Thread(target=self._read, args=(source, last is not None), name="follow", daemon=True).start()
        told = False
        while True:
            if self.over:
                if last is None:
                    return
                if not told:
                    last()
                told = True
            arrived = self._arrived.get()
            if arrived is _NO_MORE:
                return
            if isinstance(arrived, Exception):
                raise arrived
            if arrived is not None:
                self._room.release()
                yield arrived

    def _read(self, source: Callable[[], Iterator[pa.Table]], to_its_end: bool) -> None:
        try:
            for table in source():
                self._room.acquire()
                if self.over and not to_its_end:
                    return
                self._arrived.put(table)
        except Exception as error:
            self._arrived.put(error)
        else:
            self._arrived.put(_NO_MORE)


class Once:
    """Lets each request through once: when it is done, a stream when it is first seen, the others in the end."""

    def __init__(self) -> None:
        self._shown: OrderedDict[bytes, None] = OrderedDict()
        self.under_way: OrderedDict[bytes, None] = OrderedDict()
        """Those that came, and are not done."""

    def rows(self, table: pa.Table) -> pa.Table:
        """Those that were not shown yet, and are done."""
        stream = pc.not_equal(pc.bit_wise_and(table["notes"], NOTES["stream"][0]), 0)
        done = pc.or_(pc.not_equal(table["outcome"], "open"), stream).to_numpy()
        wanted = np.zeros(table.num_rows, bool)
        for number, key in enumerate(_ids(table)):
            if key in self._shown:
                continue
            wanted[number] = done[number]
            if done[number]:
                self.under_way.pop(key, None)
            _remember(key, self._shown if done[number] else self.under_way)
        return table.filter(pa.array(wanted))

    def rest(self, table: pa.Table) -> pa.Table:
        """Those of a table that came and were not done."""
        return table.filter(pa.array([key in self.under_way for key in _ids(table)], pa.bool_()))


def _ids(table: pa.Table) -> list[bytes]:
    return table["id"].combine_chunks().storage.to_pylist()  # type: ignore[no-any-return]


def _remember(key: bytes, keys: OrderedDict[bytes, None]) -> None:
    keys[key] = None
    if len(keys) > REMEMBERED:
        keys.popitem(last=False)


def rows(
    feed: Feed, where: str, columns: tuple[str, ...], until: Until, last: Callable[[], object] | None = None
) -> Iterator[pa.Table]:
    """What is to be shown of a feed, as it comes, in the end what is under way; without rows while nothing does.

    Args:
        last: see `Until.each`. Who can end a feed has had it from its beginning: what it has already comes first.
    """
    asked = tuple(dict.fromkeys((*columns, *NEEDED)))
    once = Once()

    def whole() -> Iterator[pa.Table]:
        coming = feed.follow(where, asked)
        yield from feed.batches(Query(where, limit=0, columns=asked))
        yield from coming

    for table in until.each(whole if last is not None else lambda: feed.follow(where, asked), last):
        yield once.rows(table) if table.num_rows else table
    if once.under_way:
        from tapper.filter import narrowed

        for table in feed.batches(Query(narrowed(where, 'outcome == "open"'), limit=0, columns=asked)):
            yield once.rest(table)
