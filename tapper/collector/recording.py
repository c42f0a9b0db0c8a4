"""The recorder's thread: shipments and orders come from any thread, a step at a time they are kept.

A shipment is acknowledged when it is committed, together with its number, in one transaction: whoever is killed,
nothing is kept twice.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from tapper.collector.keeper import COUNTERS_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tapper.collector.keeper import Item, Keeper
    from tapper.feed.live import Log
    from tapper.identity.index import Identity
    from tapper.identity.names import Claim

STEP = 0.1
"""Seconds; with what an agent waits and what a commit takes, a record is visible well within half a second."""
MAX_WAIT = 0.5
"""Seconds from one step to the next at most, while something waits."""
WORK = 0.25
"""Of its time, that the thread works if it can wait: most of a step costs the same however much it takes."""
MAX_QUEUED = 128 << 20
"""Bytes of shipments that wait; beyond, the agents' connections are not read and their spools fill."""
MAX_STEP = 32 << 20
"""Bytes taken in one step, so that memory stays bounded after a pause."""


class Recording:
    """The thread. `offer` and `do` may be called from any thread.

    Args:
        keeper: for this thread alone, from now on, but for what it counts and says.
        identity: the keeper's; for this thread alone, too.
        log: the keeper's; ended with the thread.
    """

    def __init__(self, keeper: Keeper, identity: Identity, log: Log) -> None:
        self.keeper = keeper
        self._identity = identity
        self._log = log
        self._lock = threading.Condition()
        self._items: deque[Item] = deque()
        self._orders: deque[Callable[[], None]] = deque()
        self._queued = 0
        self._stopping = False
        self._next = 0.0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def room(self) -> bool:
        """Whether more may be offered."""
        return self._queued < MAX_QUEUED

    def offer(self, item: Item) -> None:
        """Takes a shipment."""
        with self._lock:
            self._items.append(item)
            self._queued += item.size
            self._lock.notify()

    def do(self, order: Callable[[], None]) -> None:
        """Does something in the recorder's thread."""
        with self._lock:
            self._orders.append(order)
            self._lock.notify()

    def tell(self, agent: str, boot: str, counters: Mapping[tuple[str, str], int]) -> None:
        """Counters of an agent itself, by (stage, name)."""
        self.do(lambda: self.keeper.totals.tell(agent, boot, "", counters, known=(agent, boot) in self.keeper.earlier))

    def learn(
        self, claims: Iterable[Claim], ended: Iterable[tuple[Claim, Claim]] = (), forgotten: Iterable[Claim] = ()
    ) -> None:
        """Tells names: new claims, (old, new) of those that changed, and those of which no row comes any more."""
        claims, ended, forgotten = tuple(claims), tuple(ended), tuple(forgotten)

        def order() -> None:
            for old, new in ended:
                self._identity.replace(old, new)
            for claim in claims:
                self._identity.add(claim)
            for claim in forgotten:
                self._identity.remove(claim)

        self.do(order)

    def count(self, name: str, more: int) -> None:
        """Counts something that the collector knows of."""
        self.do(lambda: self.keeper.totals.count("collector", name, more))

    def stop(self) -> None:
        """Commits what is there and ends; waits for it."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while self._turn():
                pass
            self.keeper.finish()
        except Exception as error:
            # the thread's last word: the collector goes on to answer, and says why nothing comes any more
            self.keeper.failure = str(error) or type(error).__name__
            raise
        finally:
            self.keeper.abandon()
            self._log.end()

    def _turn(self) -> bool:
        """One step; False: it was told to stop and nothing waits."""
        wait = STEP if self.keeper.pending else COUNTERS_EVERY
        with self._lock:
            self._lock.wait_for(lambda: self._items or self._orders or self._stopping, wait)
            rest = self._next - time.monotonic()
            if rest > 0:
                self._lock.wait_for(lambda: self._stopping or self._queued >= MAX_STEP, rest)
            begun = time.monotonic()
            items: list[Item] = []
            size = 0
            while self._items and size < MAX_STEP:
                items.append(self._items.popleft())
                size += items[-1].size
            self._queued -= size
            orders, self._orders = self._orders, deque()
            ending = self._stopping and not self._items
        for order in orders:
            order()
        self.keeper.step(items)
        took = time.monotonic() - begun
        self._next = begun + min(max(STEP, took / WORK), MAX_WAIT)
        return not ending
