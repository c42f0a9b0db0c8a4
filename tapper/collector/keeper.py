"""Keeps shipments, step by step: each once, its calls joined, all in one transaction with its number.

A step's rows wait, while several sources are read, for one more step before they are committed, so that the other end's
view of a call, which comes a little earlier or later, still meets them; what comes later than that is joined with the
rows in the session.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from tapper.collector.joining import Joiner, Views
from tapper.collector.naming import Waiting
from tapper.collector.totals import Totals
from tapper.feed.recorder import Recorder
from tapper.model.wire import WireError
from tapper.store.errors import DiskFullError, StoreError
from tapper.store.writer import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tapper.feed.live import Log
    from tapper.identity.index import Identity
    from tapper.model.wire import Shipment
    from tapper.store.partitions import Retention
    from tapper.store.session import Session

RESERVE = 16 << 20
"""Bytes that stay free on the disk: DuckDB does not survive a commit that finds no room."""
COUNTERS_EVERY = 1.0
"""Seconds."""
MAX_MARKS = 4096
"""Starts of agents whose highest number is known; an agent that was away for longer than so many starts is new."""

Key = tuple[str, str]
"""An agent and one start of it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A shipment as it came. `refuse` is called if it is not as agreed."""

    agent: str
    boot: str
    shipment: Shipment
    size: int
    refuse: Callable[[str], None]


@dataclass(slots=True)
class _Generation:
    """What one step took.

    `oldest`: no row of it has an endpoint with a lower id, but for those that its joins take from the session.
    """

    oldest: int
    exchanges: Views = field(default_factory=Views)
    tables: list[tuple[str, pa.Table]] = field(default_factory=list)
    marks: dict[Key, int] = field(default_factory=dict)
    records: dict[Key, int] = field(default_factory=dict)


class Keeper:
    """For one thread.

    Args:
        session: open for writing; a resumed one brings its marks.
        schema_messages: see store.Writer.
        identity: names the rows; for this thread alone.
        retention: how much to keep.
        log: where committed rows are told.
        kept: called with (agent, boot) -> (highest number kept, records) after each commit.
        patience: seconds that rows wait for names before followers get them.
    """

    def __init__(
        self,
        session: Session,
        schema_messages: dict[str, bytes],
        identity: Identity,
        retention: Retention,
        log: Log,
        kept: Callable[[dict[Key, tuple[int, int]]], None],
        patience: float = 0.0,
    ) -> None:
        self._session = session
        self._identity = identity
        self._recorder = Recorder(session, schema_messages, identity, retention)
        self._writer = self._recorder.writer
        self._joiner = Joiner(session, self._writer)
        self._log = log
        self._kept = kept
        self._held = self._generation()
        self._waiting = Waiting(identity, patience)
        self._told = 0.0
        self._reached: dict[Key, int] = {}
        self.marks: dict[Key, int] = {}
        """Highest numbers kept."""
        self.earlier: set[Key] = set()
        """Agents that an earlier keeper of the session knew."""
        self.totals = Totals()
        self.failure: str | None = None
        """Why nothing is kept any more."""
        self.full_since_ns: int | None = None
        self.not_kept = 0
        """Records that found no room on the disk."""
        self.recent: deque[tuple[float, int]] = deque(maxlen=256)
        """(when, records) of the last commits."""
        self._resume()

    def _resume(self) -> None:
        rows = self._session.query("SELECT agent, boot, seq FROM shipment").to_pylist()
        if not rows and not self._session.query("SELECT count(*) AS n FROM endpoint")["n"][0].as_py():
            return
        self.marks = {(row["agent"], row["boot"]): row["seq"] for row in rows}
        self._reached = dict(self.marks)
        self.earlier = set(self.marks)
        self._writer.resume()
        from tapper.feed.overview import counters

        self.totals = Totals(
            {
                (c["stage"], c["name"]): c["value"]
                for c in counters(self._session).select(["stage", "name", "value"]).to_pylist()
            }
        )

    @property
    def pending(self) -> bool:
        """Whether anything waits for the next step."""
        return bool(self._held.marks) or bool(self._waiting)

    def step(self, items: Iterable[Item]) -> None:
        """Takes what came, and commits what waited."""
        fresh = self._generation()
        room = self._has_room()
        for item in items:
            self._take(item, fresh, room=room)
        self._flush(fresh)
        if not self._joiner.several():
            self._flush(self._generation())
        self._tell_counters()

    def finish(self) -> None:
        """Commits what waits and marks the session complete."""
        self._waiting.patience = 0.0  # no name comes any more
        self._flush(self._generation())
        self._told = 0.0
        self._tell_counters()
        with suppress(StoreError):
            self._recorder.finish()

    def abandon(self) -> None:
        """Lets go of the session, after an error too."""
        self._recorder.abandon()

    def _generation(self) -> _Generation:
        return _Generation(self._identity.oldest)

    def _has_room(self) -> bool:
        """Whether the disk has room; else it is said, and what comes is counted, not kept."""
        try:
            found = os.statvfs(self._session.path)
        except OSError:
            return True  # the commit will tell better
        if found.f_bavail * found.f_frsize < RESERVE:
            self._say_full()
            return False
        self.full_since_ns = None
        return True

    def _say_full(self) -> None:
        self.full_since_ns = self.full_since_ns or time.time_ns()

    def _leave_out(self, records: int) -> None:
        self.not_kept += records
        self.totals.count("store", "not_kept", records)

    def _take(self, item: Item, into: _Generation, *, room: bool) -> None:
        key, shipment = (item.agent, item.boot), item.shipment
        reached = self._reached.get(key, -1)
        if shipment.seq <= reached:
            into.marks.setdefault(key, self.marks.get(key, -1))  # came again: only acknowledged again
            return
        try:
            rows = shipment.unpacked()
            records = sum(b.num_rows for b in (rows.exchanges, rows.messages, rows.connections) if b is not None)
            if rows.counters is not None:
                counters, rows.counters = rows.counters, None
                self.totals.take(*key, shipment.source, counters, known=key in self.earlier)
            tables = {}
            if room:
                tables = self._writer.place(self._recorder.named(rows, shipment.source.partition(":")[2]))
        except (WireError, pa.ArrowException) as error:
            item.refuse(str(error))
            return
        except DiskFullError:
            self._say_full()
            room, tables = False, {}
        if not room:
            self._leave_out(records)
        self.totals.count("collector", "lost_shipments", shipment.seq - reached - 1 if reached >= 0 else 0)
        self._reached[key] = into.marks[key] = shipment.seq
        into.records[key] = into.records.get(key, 0) + records
        if "exchange" in tables:
            into.exchanges.add(tables["exchange"], self._joiner.source(*key, shipment.source))
        into.tables += [(name, table) for name, table in tables.items() if name != "exchange"]

    def _flush(self, fresh: _Generation) -> None:
        """Commits the rows that waited, joined among themselves and with fresh ones, which wait now."""
        held, self._held = self._held, fresh
        if fresh.oldest != held.oldest:
            self._joiner.forget(fresh.oldest)
        self._writer.retire(fresh.oldest)
        if not held.marks:
            if self._waiting:
                self._publish(None)
            return
        rows = None
        try:
            rows = self._joiner.join(held.exchanges, fresh.exchanges)
            for name, table in held.tables:
                self._joiner.put(name, table)
            for key, seq in held.marks.items():
                self._mark(key, seq)
            self._writer.flush()
        except StoreError as error:
            self._writer.discard()
            self._leave_out(sum(held.records.values()))
            if isinstance(error, DiskFullError):
                self._say_full()
            else:
                self.failure = str(error)
            rows = None
        self.recent.append((time.monotonic(), 0 if rows is None else rows.num_rows))
        self._publish(rows)
        self._kept({key: (seq, held.records.get(key, 0)) for key, seq in held.marks.items()})

    def _publish(self, rows: pa.Table | None) -> None:
        """Tells followers of rows that were committed, and of those that waited for names long enough."""
        ripe, waited = self._waiting.ripe(rows)
        if waited and self._has_room():
            with suppress(StoreError):
                self._recorder.commit_names()
        if rows is not None or ripe is not None:
            self._log.add(ripe)

    def _mark(self, key: Key, seq: int) -> None:
        if seq < 0:
            return
        seq = max(seq, self.marks.pop(key, -1))
        self.marks[key] = seq  # the one that was heard of last is last
        self._writer.mark(*key, seq)
        if len(self.marks) > MAX_MARKS:
            del self.marks[next(iter(self.marks))]

    def _tell_counters(self) -> None:
        now = time.monotonic()
        if now - self._told < COUNTERS_EVERY:
            return
        self._told = now
        changed = self.totals.changes(time.time_ns())
        if changed is None or not self._has_room():
            return
        try:
            for name, table in self._writer.place(Rows(counters=changed)).items():
                self._writer.put(name, table)
            self._writer.flush()
        except StoreError:
            self._writer.discard()
        else:
            self.totals.kept()
        self._log.add(None)
