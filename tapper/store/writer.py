"""Appends to a session: payloads to segment files at once, narrow rows to DuckDB in large pieces, one transaction each.

A row is committed only after its payload is in the file, so a writer that is killed leaves a session whose rows all
have their payloads; what was pending is lost.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tapper.store import tables
from tapper.store.partitions import ROW_BYTES, Partition, Partitions, Retention
from tapper.store.segments import SegmentWriter, segment_path
from tapper.store.session import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

    from tapper.store.session import Session

    Ends = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]

PIECE_ROWS = 122_880
"""DuckDB's row group: whole ones go straight to the file, partial ones twice (WAL, then a merge)."""
PIECE_BYTES = 48 << 20  # rows with very long targets must not fill the memory while a piece grows


ONLY_JOINED = ("server_latency_ns", "server_wait_ns", "dialled", "dialled_port")
"""Columns of a call that was seen from both ends; null of one view."""


@dataclass(slots=True)
class Rows:
    """What is appended at once: batches of the model's schemas; ends are the endpoint ids of each row's src and dst."""

    exchanges: pa.RecordBatch | None = None
    exchange_ends: Ends | None = None
    payloads: bytes | None = None
    messages: pa.RecordBatch | None = None
    message_payloads: bytes | None = None
    connections: pa.RecordBatch | None = None
    connection_ends: Ends | None = None
    counters: pa.RecordBatch | None = None


class Writer:
    """The one writer of a session.

    Args:
        session: opened by `Session.create`.
        schema_messages: for "payload" and "message", the IPC schema message of their batches.
        endpoints: gives the rows (tables.ENDPOINT) of all endpoints that are new or changed since it was last called.
        retention: how much to keep.
    """

    def __init__(
        self,
        session: Session,
        schema_messages: Mapping[str, bytes],
        endpoints: Callable[[], pa.Table],
        retention: Retention | None = None,
    ) -> None:
        self._session = session
        self._schema_messages = schema_messages
        self._endpoints = endpoints
        self._partitions = Partitions(retention or Retention())
        self._segments: dict[str, SegmentWriter] = {}
        self._pending: dict[str, list[pa.Table]] = {}
        self._pending_rows = 0
        self._pending_bytes = 0
        self._revised: set[str] = set()
        self._removed: list[tuple[str, str, pa.Array]] = []
        self._marks: dict[tuple[str, str], int] = {}
        self._forgotten = 0
        self._retired = 0
        self._connection = session.connection()

    def append(self, rows: Rows) -> pa.Table | None:
        """Takes rows and gives the exchanges as they will be in the table, but with words still as dictionaries.

        Raises:
            DiskFullError: there is no room; the session holds what was committed before.
        """
        tables_ = self.place(rows)
        for name, table in tables_.items():
            self.put(name, table)
        if self._pending_rows >= PIECE_ROWS or self._pending_bytes >= PIECE_BYTES:
            self._commit(whole_groups=True)
        return tables_.get("exchange")

    def place(self, rows: Rows) -> dict[str, pa.Table]:
        """Keeps the payloads of rows, and gives the rows as tables of the session that know their place.

        Raises:
            DiskFullError: there is no room for the payloads.
        """
        if self._partitions.is_full():
            self._roll()
        made = {}
        with writing(self._session.path):
            if rows.exchanges is not None:
                place = self._keep("payload", rows.payloads, rows.exchanges.num_rows)
                made["exchange"] = self._placed("exchange", rows.exchanges, rows.exchange_ends, place)
            if rows.messages is not None:
                place = self._keep("message", rows.message_payloads, rows.messages.num_rows)
                made["message"] = self._placed("message", rows.messages, None, place)
        if rows.connections is not None:
            made["connection"] = self._placed("connection", rows.connections, rows.connection_ends)
        if rows.counters is not None:
            made["counter"] = self._placed("counter", rows.counters)
        return made

    def _keep(self, kind: str, payload: bytes | None, count: int) -> list[pa.Array]:
        if payload is None:
            return [pa.nulls(count, pa.int64()), pa.nulls(count, pa.int32())]
        segment = self._segments.get(kind)
        if segment is None:
            path = segment_path(self._session.path, kind, self._partitions.current.number)
            segment = self._segments[kind] = SegmentWriter(path, self._schema_messages[kind])
        before = segment.bytes
        offset = segment.append(payload)
        self._partitions.current.bytes += segment.bytes - before
        return [pa.array(np.full(count, offset, np.int64)), pa.array(np.arange(count, dtype=np.int32))]

    def _placed(
        self, name: str, batch: pa.RecordBatch, ends: Ends | None = None, place: list[pa.Array] | None = None
    ) -> pa.Table:
        columns = batch.columns
        if ends is not None:
            for end, ids in zip(("src_ip", "dst_ip"), ends, strict=True):
                columns[batch.schema.get_field_index(end)] = pa.array(ids)
        columns += [pa.nulls(batch.num_rows, f.type) for f in tables.TABLES[name] if f.name in ONLY_JOINED]
        columns.append(pa.array(np.full(batch.num_rows, self._partitions.current.number, np.int32)))
        return pa.table(columns + (place or []), names=tables.TABLES[name].names)

    def put(self, name: str, table: pa.Table) -> None:
        """Takes rows that `place` made, for the next commit."""
        self._pending.setdefault(name, []).append(table)
        self._pending_rows += table.num_rows
        self._pending_bytes += table.nbytes
        self._partitions.add(name, table)
        if "revision" in table.column_names and table.num_rows and pc.max(table["revision"]).as_py():
            self._revised.add(name)

    def remove(self, name: str, column: str, values: pa.Array) -> None:
        """Deletes the rows with these values, if there are any, with the next commit and before its own rows."""
        self._removed.append((name, column, values))

    def mark(self, agent: str, boot: str, seq: int) -> None:
        """Notes, with the next commit, that an agent's shipments up to this number are in the session."""
        self._marks[agent, boot] = seq

    def retire(self, below: int) -> None:
        """Says that no row to come has an endpoint with an id below this: they go with the last row that has them."""
        self._retired = below

    def resume(self) -> None:
        """Goes on in a session that an earlier writer has left; what that one did not commit is removed."""
        query = (
            "SELECT segment, count(*) AS n, epoch_ns(min(time)) AS first, epoch_ns(max(time)) AS last FROM exchange"
            " GROUP BY segment"
        )
        parts = {
            row["segment"]: Partition(row["segment"], row["n"], row["n"] * ROW_BYTES, row["first"], row["last"])
            for row in self._session.query(query).to_pylist()
        }
        for kind in self._schema_messages:
            for path in (self._session.path / kind).glob("*.seg"):
                if path.stem.isdigit():
                    part = parts.setdefault(int(path.stem), Partition(int(path.stem)))
                    part.bytes += path.stat().st_size
        self._partitions.resume(parts.values())
        newest = self._session.query("SELECT max(value) AS n FROM counter WHERE stage = 'store' AND name = 'forgotten'")
        self._forgotten = newest["n"][0].as_py() or 0

    def flush(self) -> None:
        """Commits all that was appended."""
        self._commit(whole_groups=False)

    def flush_endpoints(self) -> None:
        """Commits endpoints alone, ahead of the rows that have them."""
        with writing(self._session.path), _transaction(self._connection):
            self._insert_endpoints()

    def _commit(self, *, whole_groups: bool) -> None:
        pending, self._pending = self._pending, {}
        revised, self._revised = self._revised, set()
        removed, self._removed = self._removed, []
        marks, self._marks = self._marks, {}
        rest: dict[str, pa.Table] = {}
        with writing(self._session.path), _transaction(self._connection):
            for name, column, values in removed:
                with self._registered("gone", pa.table({"value": values})):
                    self._connection.execute(f"DELETE FROM {name} WHERE {column} IN (SELECT value FROM gone)")
            for key, seq in marks.items():
                self._connection.execute("DELETE FROM shipment WHERE agent = ? AND boot = ?", key)
                self._connection.execute("INSERT INTO shipment VALUES (?, ?, ?)", [*key, seq])
            for name, parts in pending.items():
                table = pa.concat_tables(parts)
                if whole_groups and name not in revised and table.num_rows > PIECE_ROWS:
                    count = table.num_rows // PIECE_ROWS * PIECE_ROWS
                    rest[name] = table.slice(count)
                    table = table.slice(0, count)
                self._insert(name, table, revised=name in revised)
            self._insert_endpoints()
        self._session.commits += 1
        for name, table in rest.items():
            self._pending[name] = [table]
        self._pending_rows = sum(t.num_rows for t in rest.values())
        self._pending_bytes = sum(t.nbytes for t in rest.values())
        self._forget()

    def _insert(self, name: str, table: pa.Table, *, revised: bool) -> None:
        with self._registered("piece", table):
            if not revised:
                self._connection.execute(f"INSERT INTO {name} FROM piece")
                return
            # Only ids with a revision above 0 can have an older row, here or in the table.
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE newest AS SELECT id, max(revision) AS revision FROM piece"
                f" WHERE id IN (SELECT id FROM piece WHERE revision > 0) GROUP BY id;"
                f"DELETE FROM newest USING {name} t WHERE t.id = newest.id AND t.revision >= newest.revision;"
                f"DELETE FROM {name} t USING newest n WHERE t.id = n.id;"
                f"INSERT INTO {name} SELECT p.* FROM piece p ANTI JOIN"
                f" (SELECT id FROM piece WHERE revision > 0) r ON p.id = r.id;"
                f"INSERT INTO {name} SELECT p.* FROM piece p SEMI JOIN newest n"
                f" ON p.id = n.id AND p.revision = n.revision"
            )

    def _insert_endpoints(self) -> None:
        changed = self._endpoints()
        if changed.num_rows:
            with self._registered("piece", changed):
                self._connection.execute(
                    "DELETE FROM endpoint WHERE id IN (SELECT id FROM piece); INSERT INTO endpoint FROM piece"
                )

    @contextmanager
    def _registered(self, name: str, table: pa.Table) -> Iterator[None]:
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    def _roll(self) -> None:
        with writing(self._session.path):
            for segment in self._segments.values():
                segment.close()
        self._segments = {}
        self._partitions.roll()

    def _forget(self) -> None:
        """Drops the oldest partitions beyond the retention: their rows by ranges, their files whole."""
        old = self._partitions.take_old()
        if not old:
            return
        with writing(self._session.path), _transaction(self._connection):
            for name in ("exchange", "message", "connection", "counter"):
                self._connection.execute(f"DELETE FROM {name} WHERE segment <= {old[-1].number}")
                if name == "exchange":
                    row = self._connection.fetchone()
                    self._forgotten += row[0] if row else 0
            self._forget_endpoints()
            self._connection.execute(
                "INSERT INTO counter VALUES (make_timestamp_ns(?), 'store', 'forgotten', ?, ?)",
                [self._partitions.newest_ns, self._forgotten, self._partitions.current.number],
            )
        for partition in old:
            for kind in self._schema_messages:
                segment_path(self._session.path, kind, partition.number).unlink(missing_ok=True)

    def _forget_endpoints(self) -> None:
        found = self._connection.execute("SELECT 1 FROM endpoint WHERE id < ? LIMIT 1", [self._retired]).fetchone()
        if found is not None:
            self._connection.execute(
                "DELETE FROM endpoint WHERE id < ? AND id NOT IN (SELECT src FROM exchange"
                " UNION SELECT dst FROM exchange"
                " UNION SELECT dialled FROM exchange WHERE dialled IS NOT NULL"
                " UNION SELECT src FROM connection UNION SELECT dst FROM connection)",
                [self._retired],
            )

    def close(self, **meta: Any) -> None:
        """Commits what is left and marks the session as complete; `meta`: further changes to its Meta."""
        self.flush()
        self._roll()
        with writing(self._session.path):
            self._connection.execute("CHECKPOINT")
            self._session.meta = self._session.meta.with_changes(complete=True, **meta)
            self._session.meta.write(self._session.path)

    def abandon(self) -> None:
        """Lets go of the files after an error; what was committed stays."""
        for segment in self._segments.values():
            try:
                segment.close()
            except OSError:
                continue
        self._segments = {}
        self.discard()

    def discard(self) -> None:
        """Forgets what was appended since the last commit."""
        self._pending = {}
        self._pending_rows = self._pending_bytes = 0
        self._revised.clear()
        self._removed.clear()
        self._marks.clear()


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # a failed commit has already rolled back
            connection.rollback()
        raise
