"""Shipments: engine batches on their way from an agent to the collector. Pure; `control` has all else that they say.

An agent that has restarted has another `boot`; within one boot sequence numbers only grow, and what is not acknowledged
is sent again after a reconnect, so (agent, boot, seq) is a shipment's identity. Gaps in `seq` are shipments that the
agent gave up.

Narrow rows are Arrow IPC streams in a zstd frame; payloads are the engine's IPC messages as they are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from tapper.model import ipc, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SHIPMENT = 64 << 20  # an engine batch has some 8 MiB of payload, one body up to 16 MiB
MAX_UNPACKED = 256 << 20  # of one part: what a hostile agent could make the collector allocate
MAX_SOURCE = 255

PARTS = ("exchanges", "payloads", "messages", "message_payloads", "connections", "counters")
NARROW = {"exchanges": "exchange", "messages": "message", "connections": "connection", "counters": "counter"}
"""Parts of narrow rows -> their schema."""
_PAYLOAD_OF = {"payloads": "exchanges", "message_payloads": "messages"}

_MAGIC = b"tap\x01"
_HEAD = struct.Struct("<4sQqqQB6I")


class WireError(ValueError):
    """The other side sent something that is not as agreed; the message says what."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """One engine batch on its way. `parts`: bytes by the names of PARTS; absent ones are empty."""

    seq: int
    source: str
    """Name of the agent's source that made it."""
    clock_ns: int
    """The agent's clock when it was made."""
    now_ns: int
    """Time of its source's newest packet; 0: none yet."""
    packets: int
    """Its source's packets so far."""
    parts: Mapping[str, bytes | memoryview]

    def encode(self) -> bytes:
        """The frame."""
        name = self.source.encode()[:MAX_SOURCE]
        parts = [self.parts.get(part, b"") for part in PARTS]
        head = _HEAD.pack(
            _MAGIC, self.seq, self.clock_ns, self.now_ns, self.packets, len(name), *(len(part) for part in parts)
        )
        return b"".join((head, name, *parts))

    @classmethod
    def decode(cls, frame: bytes | memoryview) -> Shipment:
        """The shipment of a frame; parts stay views of it.

        Raises:
            WireError: it is none.
        """
        data = memoryview(frame)
        if not _HEAD.size <= len(data) <= MAX_SHIPMENT:
            raise WireError(f"a shipment has {_HEAD.size} to {MAX_SHIPMENT} bytes, not {len(data)}")
        magic, seq, clock, now, packets, named, *sizes = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise WireError("not a shipment")
        if _HEAD.size + named + sum(sizes) != len(data):
            raise WireError("a shipment whose parts are not as long as it says")
        at = _HEAD.size + named
        try:
            source = str(data[_HEAD.size : at], "utf-8", "strict")
        except UnicodeDecodeError as error:
            raise WireError("a source whose name is not UTF-8") from error
        parts: dict[str, bytes | memoryview] = {}
        for part, size in zip(PARTS, sizes, strict=True):
            if size:
                parts[part] = data[at : at + size]
                at += size
        return cls(seq, source, clock, now, packets, parts)

    def unpacked(self) -> Rows:
        """Its rows, checked in full: nothing in them can make Arrow or the store stumble.

        Raises:
            WireError: they are not rows of the schemas, or the payloads don't belong to them.
        """
        rows = Rows()
        for part, kind in NARROW.items():
            if part in self.parts:
                setattr(rows, part, unpack(self.parts[part], schema.SCHEMAS[kind]))
        for part, of in _PAYLOAD_OF.items():
            if part in self.parts:
                narrow = getattr(rows, of)
                _check_payload(part, self.parts[part], 0 if narrow is None else narrow.num_rows)
                setattr(rows, part, bytes(self.parts[part]))
        return rows


@dataclass(slots=True)
class Rows:
    """The parts of a shipment as the engine gave them: what `tapper.feed.recorder` takes."""

    exchanges: pa.RecordBatch | None = None
    payloads: bytes | None = None
    messages: pa.RecordBatch | None = None
    message_payloads: bytes | None = None
    connections: pa.RecordBatch | None = None
    counters: pa.RecordBatch | None = None


def pack(batch: pa.RecordBatch) -> bytes:
    """Narrow rows as a part: size once decompressed (u32), then one zstd frame."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    plain = sink.getvalue()
    # One frame over all buffers: for few rows half of what Arrow's own compression, buffer by buffer, makes of them.
    return struct.pack("<I", plain.size) + bytes(pa.compress(plain, codec="zstd", asbytes=True))


def unpack(part: bytes | memoryview, fields_: pa.Schema) -> pa.RecordBatch:
    """The rows of a part.

    Raises:
        WireError: they are not of that schema, or not sound.
    """
    if len(part) < 4:
        raise WireError("a part that is cut")
    (size,) = struct.unpack_from("<I", part)
    if size > MAX_UNPACKED:
        raise WireError(f"a part of {size} bytes; at most {MAX_UNPACKED} are taken")
    try:
        plain = pa.decompress(pa.py_buffer(part[4:]), decompressed_size=size, codec="zstd")
        _refuse_compressed(memoryview(plain).cast("B"))
        with pa.ipc.open_stream(plain) as stream:
            if stream.schema != fields_:
                raise WireError("rows of another schema; agent and collector must be of the same version")
            batch = stream.read_next_batch()
        batch.validate(full=True)
    except (pa.ArrowException, OSError, StopIteration, MemoryError) as error:
        raise WireError(f"rows that can't be read: {str(error)[:200]}") from error
    for field, column in zip(fields_, batch.columns, strict=True):
        if not field.nullable and (column.null_count or (pa.types.is_dictionary(field.type) and _null_word(column))):
            raise WireError(f"rows without a {field.name}")
    return batch


def _null_word(column: pa.DictionaryArray) -> bool:
    return bool(column.dictionary.null_count)


def _refuse_compressed(stream: memoryview) -> None:
    """The frame around has bounded their size; buffers compressed once more would escape that."""
    at = 0
    while at + 8 <= len(stream):
        size = int.from_bytes(stream[at + 4 : at + 8], "little")
        if size == 0:
            return
        try:
            body, compressed = ipc.message_size(stream[at:])
        except ipc.MessageError as error:
            raise WireError(str(error)) from error
        if compressed:
            raise WireError("rows compressed twice")
        at += body


def _check_payload(part: str, message: bytes | memoryview, rows: int) -> None:
    try:
        found = ipc.measure(message)
    except ipc.MessageError as error:
        raise WireError(f"{part}: {error}") from error
    if found.rows != rows:
        raise WireError(f"{part} of {found.rows} rows beside {rows}")
    if found.unpacked > MAX_UNPACKED:
        raise WireError(f"{part} of {found.unpacked} bytes; at most {MAX_UNPACKED} are taken")
