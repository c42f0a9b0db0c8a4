"""The recorder's thread: takes shipments step by step, joins, names and commits their rows, and tells what it kept.

A step takes what came within STEP. While several sources are read, its rows wait for one more step before they are
committed, so that the other end's view of a call, which comes a little earlier or later, still meets them; what comes
later than that is joined with the rows in the session. A shipment is acknowledged when it is committed, together with
its number, in one transaction: whoever is killed, nothing is kept twice.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tapper.collector.join import SCHEMA, Joined, join, meets, needs_lookup
from tapper.collector.merged import Merged
from tapper.collector.naming import Waiting
from tapper.collector.totals import Totals
from tapper.feed.recorder import Recorder
from tapper.model.wire import WireError
from tapper.store.errors import DiskFullError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tapper.feed.live import Log
    from tapper.identity.index import Identity
    from tapper.identity.names import Claim
    from tapper.model.wire import Shipment
    from tapper.store.partitions import Retention
    from tapper.store.session import Session

STEP = 0.1
"""Seconds; with what an agent waits and what a commit takes, a record is visible well within half a second."""
MAX_QUEUED = 128 << 20
"""Bytes of shipments that wait; beyond, the agents' connections are not read and their spools fill."""
MAX_STEP = 32 << 20
"""Bytes taken in one step, so that memory stays bounded after a pause."""
HORIZON = 60_000_000_000
"""Nanoseconds around a row's time in which its other view is looked for: ways, spools, and clocks that differ."""
RECENT = 10.0
"""Seconds for which a source counts as one whose views may have to be joined."""
RESERVE = 16 << 20
"""Bytes that stay free on the disk: DuckDB does not survive a commit that finds no room."""
COUNTERS_EVERY = 1.0
MAX_MARKS = 4096
"""Starts of agents whose highest number is known; an agent that was away for longer than so many starts is new."""

Key = tuple[str, str]


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
    exchanges: list[pa.Table] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    tables: list[tuple[str, pa.Table]] = field(default_factory=list)
    marks: dict[Key, int] = field(default_factory=dict)
    records: dict[Key, int] = field(default_factory=dict)
    newest_ns: int = 0


class Recording:
    """The thread. `offer` and `do` may be called from any thread.

    Args:
        session: open for writing; a resumed one brings its marks.
        schema_messages: see store.Writer.
        identity: for this thread alone, from now on.
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
        self._log = log
        self._kept = kept
        self._lock = threading.Condition()
        self._items: deque[Item] = deque()
        self._orders: deque[Callable[[], None]] = deque()
        self._queued = 0
        self._stopping = False
        self._held = self._generation()
        self._merged = Merged()
        self._waiting = Waiting(identity, patience)
        self._source_numbers: dict[tuple[str, str, str], int] = {}
        self._source_seen: dict[int, float] = {}
        self._told = self._last = 0.0
        self.marks: dict[Key, int] = {}
        self._reached: dict[Key, int] = {}
        self._earlier: set[Key] = set()
        self.totals = Totals()
        self.failure: str | None = None
        """Why nothing is kept any more."""
        self.full_since_ns: int | None = None
        self.not_kept = 0
        """Records that found no room on the disk."""
        self.joined = 0
        self.recent: deque[tuple[float, int]] = deque(maxlen=256)
        """(when, records) of the last commits."""
        self._resume()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def _resume(self) -> None:
        rows = self._session.query("SELECT agent, boot, seq FROM shipment").to_pylist()
        if not rows and not self._session.query("SELECT count(*) AS n FROM endpoint")["n"][0].as_py():
            return
        self.marks = {(row["agent"], row["boot"]): row["seq"] for row in rows}
        self._reached = dict(self.marks)
        self._earlier = set(self.marks)
        self._writer.resume()
        from tapper.feed.overview import counters

        self.totals = Totals(
            {
                (c["stage"], c["name"]): c["value"]
                for c in counters(self._session).select(["stage", "name", "value"]).to_pylist()
            }
        )

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
        self.do(lambda: self.totals.tell(agent, boot, "", counters, known=(agent, boot) in self._earlier))

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
        self.do(lambda: self.totals.count("collector", name, more))

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
            self._flush(self._generation())
            with suppress(StoreError):
                self._recorder.finish()
        except Exception as error:
            # the thread's last word: the collector goes on to answer, and says why nothing comes any more
            self.failure = str(error) or type(error).__name__
            raise
        finally:
            self._recorder.abandon()
            self._log.end()

    def _turn(self) -> bool:
        """One step; False: it was told to stop and nothing waits."""
        wait = STEP if self._held.marks or self._waiting else COUNTERS_EVERY
        with self._lock:
            self._lock.wait_for(lambda: self._items or self._orders or self._stopping, wait)
            rest = self._last + STEP - time.monotonic()
            if rest > 0:
                self._lock.wait_for(lambda: self._stopping or self._queued >= MAX_STEP, rest)
            self._last = time.monotonic()
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
        self._step(items)
        return not ending

    def _step(self, items: list[Item]) -> None:
        fresh = self._generation()
        room = self._has_room()
        for item in items:
            self._take(item, fresh, room=room)
        self._flush(fresh)
        if not self._several():
            self._flush(self._generation())
        self._tell_counters()

    def _generation(self) -> _Generation:
        return _Generation(self._identity.oldest)

    def _several(self) -> bool:
        now = time.monotonic()
        return sum(now - seen < RECENT for seen in self._source_seen.values()) > 1

    def _has_room(self) -> bool:
        """Whether the disk has room; else it is said, and what comes is counted, not kept."""
        try:
            found = os.statvfs(self._session.path)
        except OSError:
            return True  # the commit will tell better
        free = found.f_bavail * found.f_frsize
        if free < RESERVE:
            self.full_since_ns = self.full_since_ns or time.time_ns()
            return False
        self.full_since_ns = None
        return True

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
                self.totals.take(*key, shipment.source, counters, known=key in self._earlier)
            tables = {}
            if room:
                tables = self._writer.place(self._recorder.named(rows, shipment.source.partition(":")[2]))
        except (WireError, pa.ArrowException) as error:
            item.refuse(str(error))
            return
        except DiskFullError:
            self.full_since_ns = self.full_since_ns or time.time_ns()
            room, tables = False, {}
        if not room:
            self.not_kept += records
            self.totals.count("store", "not_kept", records)
        self.totals.count("collector", "lost_shipments", shipment.seq - reached - 1 if reached >= 0 else 0)
        self._reached[key] = into.marks[key] = shipment.seq
        into.records[key] = into.records.get(key, 0) + records
        into.newest_ns = max(into.newest_ns, shipment.now_ns)
        if "exchange" in tables:
            number = self._source_number(*key, shipment.source)
            into.exchanges.append(tables["exchange"])
            into.sources += [number] * tables["exchange"].num_rows
        into.tables += [(name, table) for name, table in tables.items() if name != "exchange"]

    def _source_number(self, agent: str, boot: str, source: str) -> int:
        key = (agent, boot, source)
        number = self._source_numbers.setdefault(key, len(self._source_numbers))
        self._source_seen[number] = time.monotonic()
        if len(self._source_numbers) > MAX_MARKS:
            self._source_numbers.clear()
            self._source_seen.clear()
        return number

    def _flush(self, fresh: _Generation) -> None:
        """Commits the rows that waited, joined among themselves and with fresh ones, which wait now."""
        held, self._held = self._held, fresh
        if fresh.oldest != held.oldest:
            self._merged.forget(fresh.oldest)
        self._writer.retire(fresh.oldest)
        if not held.marks:
            if self._waiting:
                self._publish(None)
            return
        tables = [*held.exchanges, *fresh.exchanges]
        rows = None
        try:
            if tables:
                rows = self._join(held, fresh)
            for name, table in held.tables:
                self._put(name, table)
            for key, seq in held.marks.items():
                self._mark(key, seq)
            self._writer.flush()
        except StoreError as error:
            self._writer.discard()
            lost = sum(held.records.values())
            self.not_kept += lost
            self.totals.count("store", "not_kept", lost)
            if isinstance(error, DiskFullError):
                self.full_since_ns = self.full_since_ns or time.time_ns()
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

    def _join(self, held: _Generation, fresh: _Generation) -> pa.Table | None:
        """Rows to commit now; fresh ones that no held one is joined with wait on."""
        count = sum(table.num_rows for table in held.exchanges)
        whole = pa.concat_tables([t.cast(SCHEMA) for t in (*held.exchanges, *fresh.exchanges)])
        source = np.array([*held.sources, *fresh.sources], np.int32)
        whole, source, count = self._ready(whole, source, count, fresh)
        if not whole.num_rows:
            return None
        joined = self._joined(whole, source)
        self.joined += joined.count
        self._merged.learn(joined)
        if len(joined.removed):
            self._writer.remove("exchange", "id", joined.removed)
        if len(joined.streams):
            self._writer.remove("message", "exchange", joined.streams)
        if joined.connections:
            self._writer.remove("connection", "id", pa.array([c[0] for c in joined.connections], pa.uint64()))
        if joined.rows.num_rows:
            self._writer.put("exchange", joined.rows)
        return joined.rows

    def _ready(self, whole: pa.Table, source: Any, count: int, fresh: _Generation) -> tuple[pa.Table, Any, int]:
        """Parts what is to be committed from what waits on: fresh rows wait unless they meet a held one."""
        if count == whole.num_rows:
            return whole, source, count
        now = np.ones(whole.num_rows, bool)
        now[count:] = meets(whole, count, source)
        later = np.flatnonzero(~now)
        rest = whole.take(pa.array(later))
        fresh.exchanges = [rest] if rest.num_rows else []
        fresh.sources = source[later].tolist()
        at = np.flatnonzero(now)
        return whole.take(pa.array(at)), source[at], count

    def _joined(self, whole: pa.Table, source: Any) -> Joined:
        stored = SCHEMA.empty_table()
        if self._several() or bool(np.any(whole["revision"].to_numpy())):
            wanted = np.flatnonzero(needs_lookup(whole))
            if wanted.size:
                stored = self._stored(whole.take(pa.array(wanted)))
        return join(whole, stored, source)

    def _stored(self, rows: pa.Table) -> pa.Table:
        """Committed rows that have the fingerprint or the id of one of these."""
        times = rows["time"].cast(pa.int64()).to_numpy()
        low, high = int(times.min()) - HORIZON, int(times.max()) + HORIZON
        span = f"e.time BETWEEN make_timestamp_ns({low}) AND make_timestamp_ns({high})"
        asked = rows.select(["id", "revision", "protocol", "request_seq", "response_seq", "src_port"])
        with self._session.registered(asked=asked):
            found = self._session.query(
                f"SELECT e.* FROM exchange e WHERE {span} AND (e.request_seq, coalesce(e.response_seq, e.src_port),"
                " e.protocol) IN (SELECT (request_seq, coalesce(response_seq, src_port), protocol) FROM asked"
                " WHERE request_seq IS NOT NULL)"
                " UNION SELECT e.* FROM exchange e WHERE e.id IN (SELECT id FROM asked WHERE revision > 0)"
            )
        return found.cast(SCHEMA)

    def _put(self, name: str, table: pa.Table) -> None:
        if name == "connection":
            table = self._merged.connections(table)
        elif name == "message":
            table = self._merged.messages(table)
        if table.num_rows:
            self._writer.put(name, table)

    def _tell_counters(self) -> None:
        now = time.monotonic()
        if now - self._told < COUNTERS_EVERY:
            return
        self._told = now
        changed = self.totals.changes(time.time_ns())
        if changed is None or not self._has_room():
            return
        try:
            for name, table in self._writer.place(_counters(changed)).items():
                self._writer.put(name, table)
            self._writer.flush()
        except StoreError:
            self._writer.discard()
        self._log.add(None)


def _counters(batch: pa.RecordBatch) -> Any:
    from tapper.store.writer import Rows

    return Rows(counters=batch)
