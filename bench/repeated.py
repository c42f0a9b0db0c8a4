"""The demo's traffic over and over: sessions of any number of exchanges, and a recorder that more keep coming to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tapper.feed.recorder import Recorder
from tapper.identity.index import Identity
from tapper.identity.names_file import read
from tapper.store.meta import Meta
from tapper.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = Path(__file__).parents[1] / "tapper" / "demo"
TIMES = ("time", "last_time", "first_message", "last_message")


@dataclass(frozen=True, slots=True)
class Piece:
    """What `feed.recorder.Batch` asks for."""

    exchanges: pa.RecordBatch | None
    payloads: bytes | None
    messages: pa.RecordBatch | None = None
    message_payloads: bytes | None = None
    connections: pa.RecordBatch | None = None
    counters: pa.RecordBatch | None = None

    def shifted(self, rounds: int, by_ns: int) -> Piece:
        """The same records as others, so many rounds later."""
        return replace(
            self,
            exchanges=_shifted(self.exchanges, rounds, by_ns),
            messages=_shifted(self.messages, rounds, by_ns),
            connections=_shifted(self.connections, rounds, by_ns),
            counters=None,
        )


def _shifted(batch: pa.RecordBatch | None, rounds: int, by_ns: int) -> pa.RecordBatch | None:
    if batch is None:
        return None
    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if field.name in TIMES:
            made = pa.compute.add(column.cast(pa.int64()), by_ns).cast(field.type)
        elif field.type == pa.uuid():
            digits = np.frombuffer(column.storage.buffers()[1], np.uint8)[column.offset * 16 :][: len(column) * 16]
            digits = digits.reshape(-1, 16).copy()
            digits[:, 9:12] = list(rounds.to_bytes(3))
            stored = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(16), len(column), [None, pa.py_buffer(digits.tobytes())]
            )
            made = pa.ExtensionArray.from_storage(field.type, stored)
        elif field.name == "connection" or (field.name == "id" and pa.types.is_uint64(field.type)):
            made = pa.compute.add(column, pa.scalar(rounds << 40, pa.uint64()))
        else:
            made = column
        columns.append(made)
    return pa.record_batch(columns, schema=batch.schema)


def pieces(rows: int) -> list[Piece]:
    """The demo's capture as the engine gives it, in batches of about so many rows."""
    from agent import _engine

    found = []
    for batch in _engine.FileReader([str(DEMO / "shop.pcap.zst")], batch_rows=rows):
        known = {name: getattr(batch, name) for name in ("exchanges", "messages", "connections", "counters")}
        arrow: dict[str, Any] = {name: value and pa.record_batch(value) for name, value in known.items()}
        found.append(Piece(payloads=batch.payloads, message_payloads=batch.message_payloads, **arrow))
    return found


def recorder(session: Session, names: Path = DEMO / "names.yaml") -> Recorder:
    """One for a new session, with the demo's names or others."""
    from agent import _engine

    messages = {
        "payload": _engine.payload_schema_message("payload"),
        "message": _engine.payload_schema_message("message_payload"),
    }
    return Recorder(session, messages, Identity(tuple(read(names))))


def endless(rows: int) -> Iterator[Piece]:
    """Round after round, each later than the one before."""
    known = pieces(rows)
    times = [p.exchanges["time"].cast(pa.int64()) for p in known if p.exchanges is not None]
    ends = [(pa.compute.min(t).as_py(), pa.compute.max(t).as_py()) for t in times]
    span = max(high for _, high in ends) - min(low for low, _ in ends) + 1_000_000
    rounds = 0
    while True:
        for piece in known:
            yield piece.shifted(rounds, rounds * span) if rounds else piece
        rounds += 1


def save(path: Path, exchanges: int) -> None:
    """A finished session of at least so many exchanges."""
    meta = Meta("bench", "2026-01-01T00:00:00Z", ({"name": "shop.pcap", "bytes": None, "problem": None},))
    with Session.create(path, meta, replace=path.exists()) as session:
        into, count = recorder(session), 0
        for piece in endless(16_384):
            into.add(piece)
            count += piece.exchanges.num_rows if piece.exchanges is not None else 0
            if count >= exchanges:
                break
        into.finish(packets=exchanges * 10)
