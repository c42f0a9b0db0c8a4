"""Joins the views of a step's calls among themselves, with those that wait, and with those in the session."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tapper.collector.fingerprint import SCHEMA, meets, needs_lookup
from tapper.collector.join import Joined, join
from tapper.collector.merged import Merged

if TYPE_CHECKING:
    from tapper.store.session import Session
    from tapper.store.writer import Writer

HORIZON = 60_000_000_000
"""Nanoseconds around a row's time in which its other view is looked for: ways, spools, and clocks that differ."""
RECENT = 10.0
"""Seconds for which a source counts as one whose views may have to be joined."""
MAX_SOURCES = 4096
"""Sources that are told apart; beyond, all are numbered anew."""


@dataclass(slots=True)
class Views:
    """Exchanges of one step, as tables of the session, and for each row the number of its source."""

    tables: list[pa.Table] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)

    def add(self, table: pa.Table, source: int) -> None:
        """Takes rows of one source."""
        self.tables.append(table)
        self.sources += [source] * table.num_rows


class Joiner:
    """For the recorder's thread; puts what is to be committed into `writer`."""

    def __init__(self, session: Session, writer: Writer) -> None:
        self._session = session
        self._writer = writer
        self._merged = Merged()
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._seen: dict[int, float] = {}

    def source(self, agent: str, boot: str, source: str) -> int:
        """The number of a source, of which something came just now."""
        number = self._numbers.setdefault((agent, boot, source), len(self._numbers))
        self._seen[number] = time.monotonic()
        if len(self._numbers) > MAX_SOURCES:
            self._numbers.clear()
            self._seen.clear()
        return number

    def several(self) -> bool:
        """Whether several sources are read, so that a call may be seen twice."""
        now = time.monotonic()
        return sum(now - seen < RECENT for seen in self._seen.values()) > 1

    def forget(self, below: int) -> None:
        """Forgets what it knows of endpoints with ids below this one."""
        self._merged.forget(below)

    def put(self, name: str, table: pa.Table) -> None:
        """Puts rows of another table than exchanges; those of connections and streams that were seen twice, once."""
        if name == "connection":
            table = self._merged.connections(table)
        elif name == "message":
            table = self._merged.messages(table)
        if table.num_rows:
            self._writer.put(name, table)

    def join(self, held: Views, fresh: Views) -> pa.Table | None:
        """Puts held rows, and gives them; fresh ones that no held one is joined with stay in `fresh`."""
        if not held.tables and not fresh.tables:
            return None
        count = sum(table.num_rows for table in held.tables)
        whole = pa.concat_tables([*held.tables, *fresh.tables], promote_options="permissive").cast(SCHEMA)
        source = np.array([*held.sources, *fresh.sources], np.int32)
        whole, source = _ready(whole, source, count, fresh)
        if not whole.num_rows:
            return None
        joined = self._joined(whole, source)
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

    def _joined(self, whole: pa.Table, source: Any) -> Joined:
        stored = SCHEMA.empty_table()
        if self.several() or bool(np.any(whole["revision"].to_numpy())):
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


def _ready(whole: pa.Table, source: Any, count: int, fresh: Views) -> tuple[pa.Table, Any]:
    """Parts what is to be committed from what waits on: rows from `count` on wait unless they meet one before it."""
    if count == whole.num_rows:
        return whole, source
    now = np.ones(whole.num_rows, bool)
    now[count:] = meets(whole, count, source)
    later = np.flatnonzero(~now)
    rest = whole.take(pa.array(later))
    fresh.tables = [rest] if rest.num_rows else []
    fresh.sources = source[later].tolist()
    at = np.flatnonzero(now)
    return whole.take(pa.array(at)), source[at]
