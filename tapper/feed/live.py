"""The feed of a session that is being written: the same queries, and rows as they come."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import pyarrow as pa

from tapper.feed import overview
from tapper.feed.fresh import Matcher
from tapper.feed.session import SessionFeed
from tapper.store.tables import EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tapper.feed.interface import Health, Summary
    from tapper.store.session import Session

KEPT_ROWS = 262_144
"""Of the newest rows, for those who follow: who falls behind by more misses the oldest (they are in the session)."""
AT_ONCE = 2
"""Followers whose rows are looked for at a time: their queries share the store's memory, and new rows wake them all."""
BEAT = 1.0
"""Seconds after which a follower gets an empty table if nothing comes."""


class Log:
    """The newest committed rows, numbered by piece. One thread adds, any number read."""

    def __init__(self, kept_rows: int = KEPT_ROWS) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[pa.Table] = deque()
        self._rows = 0
        self._kept = kept_rows
        self._first = 1
        self._ended = False
        self.revision = 1
        self.missed = 0
        """Rows that followers missed."""

    @property
    def newest(self) -> int:
        """Number of the newest piece; 0: there is none."""
        return self._first + len(self._pieces) - 1

    def add(self, piece: pa.Table | None) -> None:
        """Something was committed: these rows, or (None) what nobody follows."""
        with self._changed:
            self.revision += 1
            if piece is not None and piece.num_rows:
                self._pieces.append(piece)
                self._rows += piece.num_rows
                while self._rows > self._kept and len(self._pieces) > 1:
                    self._rows -= self._pieces.popleft().num_rows
                    self._first += 1
                self._changed.notify_all()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def after(self, number: int, timeout: float) -> tuple[int, list[pa.Table]] | None:
        """Pieces behind that number and the number of the last; waits for the first. None: nothing more can come."""
        with self._changed:
            self._changed.wait_for(lambda: self.newest > number or self._ended, timeout)
            if self.newest <= number:
                return None if self._ended else (number, [])
            if number + 1 < self._first:
                self.missed += self._first - number - 1
            at = max(0, number + 1 - self._first)
            return self.newest, [self._pieces[i] for i in range(at, len(self._pieces))]


class LiveFeed(SessionFeed):
    """`Feed` over the session that a recorder writes in another thread.

    Args:
        session: open for writing.
        log: where the recorder tells what it committed.
        health: how the way to here is.
        packets: counts those that all sources gave.
    """

    def __init__(
        self, session: Session, log: Log, health: Callable[[], Health], packets: Callable[[], int] = lambda: 0
    ) -> None:
        super().__init__(session)
        self._log = log
        self._health = health
        self._packets = packets
        self._turns = threading.Semaphore(AT_ONCE)

    def summary(self) -> Summary:
        """See Feed."""
        self.session.meta = self.session.meta.with_changes(packets=self._packets())
        return overview.summary(self.session)

    def health(self) -> Health:
        """See Feed."""
        return self._health()

    def revision(self) -> int:
        """See Feed."""
        return self._log.revision

    def follow(self, where: str = "", columns: tuple[str, ...] = ()) -> Iterator[pa.Table]:
        """See Feed: rows recorded from this call on."""
        return self._follow(Matcher(self.session, where, columns), self._log.newest)

    def _follow(self, matcher: Matcher, number: int) -> Iterator[pa.Table]:
        with self._turns:
            nothing = matcher.rows(EXCHANGE.empty_table())
        while (found := self._log.after(number, BEAT)) is not None:
            number, pieces = found
            if not pieces:
                yield nothing
                continue
            with self._turns:
                rows = matcher.rows(pa.concat_tables(pieces).unify_dictionaries())
            yield rows

    def close(self) -> None:
        """See Feed: the session belongs to the recorder, which closes it."""
