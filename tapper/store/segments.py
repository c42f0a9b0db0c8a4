"""Segment files: payload batches as the engine compressed them, appended one after another as an Arrow IPC stream.

A segment `payload/000001.seg` begins with the IPC schema message, so that any Arrow library reads it as a stream. A row
of the narrow tables knows its segment, the file offset of its batch and its row within; a batch is read alone, and only
the columns asked for are decompressed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tapper.model import schema
from tapper.store.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

KINDS = ("payload", "message")
"""Folders of a session: heads and bodies of exchanges, bodies of stream messages."""

SCHEMAS = dict(zip(KINDS, (schema.PAYLOAD, schema.MESSAGE_PAYLOAD), strict=True))

PLACE = ("segment", "offset", "row")
"""Columns of a narrow row that tell where its payload is."""

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
MAX_SCHEMA = 1 << 20  # bytes of a schema message; ours has about 1 KB
OFFSET_BITS = 40  # to tell places apart by one number; no segment has a terabyte


def segment_path(directory: Path, kind: str, segment: int) -> Path:
    """Where a segment is."""
    return directory / kind / f"{segment:06}.seg"


class SegmentWriter:
    """Appends batches to one segment file; the file is made when the first comes."""

    def __init__(self, path: Path, schema_message: bytes) -> None:
        self._path = path
        self._schema_message = schema_message
        self._descriptor: int | None = None
        self.bytes = 0

    def append(self, message: bytes) -> int:
        """Appends an encapsulated IPC record batch message and gives its offset.

        Raises:
            OSError: it could not be written whole; the file is as before.
        """
        if self._descriptor is None:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if not self.bytes:
            self._put(self._descriptor, self._schema_message)
        offset = self.bytes
        self._put(self._descriptor, message)
        return offset

    def _put(self, descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        at = self.bytes
        try:
            while rest:
                written = os.pwrite(descriptor, rest, at)
                at += written
                rest = rest[written:]
        except OSError:
            os.ftruncate(descriptor, self.bytes)
            raise
        self.bytes = at

    def close(self) -> None:
        """Ends the stream and the file."""
        if self._descriptor is not None:
            try:
                self._put(self._descriptor, END_OF_STREAM)
            finally:
                os.close(self._descriptor)
                self._descriptor = None


class _Spliced:
    """A readable file for Arrow: an IPC schema message, then what `read_at` (count, place) gives."""

    closed = False

    def __init__(self, schema_message: bytes, read_at: Callable[[int, int], bytes | memoryview]) -> None:
        self._head = schema_message
        self._read_at = read_at
        self._at = 0

    def read(self, count: int) -> bytes | memoryview:
        at, head = self._at, self._head
        data: bytes | memoryview = head[at : at + count] if at < len(head) else self._read_at(count, at - len(head))
        self._at += len(data)
        return data


def read_columns(
    schema_message: bytes, read_at: Callable[[int, int], bytes | memoryview], columns: Sequence[str], every: pa.Schema
) -> pa.RecordBatch:
    """The columns of the first batch behind a schema message; the others of `every` are not decompressed."""
    options = pa.ipc.IpcReadOptions(included_fields=[every.get_field_index(c) for c in columns])
    with pa.ipc.open_stream(pa.PythonFile(_Spliced(schema_message, read_at), mode="r"), options=options) as stream:
        batch = stream.read_next_batch().select(list(columns))
    batch.validate(full=True)  # a session may come from someone else; Arrow trusts offsets
    return batch


class SegmentReader:
    """Reads batches of the segments of one kind; from any thread."""

    def __init__(self, directory: Path, kind: str) -> None:
        self._directory = directory
        self._kind = kind

    def batch(self, segment: int, offset: int, columns: Sequence[str]) -> pa.RecordBatch:
        """The columns of the batch at that place; the others are not decompressed.

        Raises:
            DamagedError: there is no such batch, or not such columns in it.
        """
        path = segment_path(self._directory, self._kind, segment)
        try:
            with path.open("rb", buffering=0) as file:
                descriptor, end = file.fileno(), os.fstat(file.fileno()).st_size

                def read_at(count: int, place: int) -> bytes:
                    # a damaged length must not become an allocation of that size
                    room = max(0, end - offset - place)
                    return os.pread(descriptor, min(count, room), offset + place)

                schema_message = _schema_message(descriptor)
                every = pa.ipc.read_schema(pa.py_buffer(schema_message))
                return read_columns(schema_message, read_at, columns, every)
        except (OSError, OverflowError, MemoryError, KeyError, StopIteration, pa.ArrowException) as error:
            raise DamagedError(f"{path}: can't read the batch at byte {offset}: {error}") from error

    def rows(self, table: pa.Table, columns: Sequence[str]) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
        """Payloads of the rows of a table that has columns segment, offset, row: numbers of rows, and a row for each.

        One batch of a segment at a time, in the order of the file; rows whose payload was not kept come with nulls.
        """
        segment, offset, row = (table[c].combine_chunks() for c in PLACE)
        lost = np.flatnonzero(offset.is_null().to_numpy(zero_copy_only=False))
        if lost.size:
            fields = [SCHEMAS[self._kind].field(c) for c in columns]
            yield lost, pa.table([pa.nulls(lost.size, f.type) for f in fields], list(columns))
        kept = np.flatnonzero(offset.is_valid().to_numpy(zero_copy_only=False))
        segments, offsets, numbers = (a.take(pa.array(kept)).to_numpy() for a in (segment, offset, row))
        places = segments.astype(np.int64) << OFFSET_BITS | offsets
        for place in np.unique(places).tolist():
            at = np.flatnonzero(places == place)
            number = place >> OFFSET_BITS
            batch = self.batch(number, place & (1 << OFFSET_BITS) - 1, columns)
            try:
                yield kept[at], pa.Table.from_batches([_picked(batch, numbers[at])])
            except pa.ArrowIndexError as error:
                raise DamagedError(f"{segment_path(self._directory, self._kind, number)}: {error}") from error


def _schema_message(descriptor: int) -> bytes:
    head = os.pread(descriptor, 8, 0)
    if len(head) < 8 or head[:4] != b"\xff\xff\xff\xff":
        raise pa.ArrowInvalid("the file does not begin with a schema message")
    return os.pread(descriptor, 8 + min(int.from_bytes(head[4:], "little"), MAX_SCHEMA), 0)


def _picked(batch: pa.RecordBatch, numbers: npt.NDArray[np.int32]) -> pa.RecordBatch:
    first, count = int(numbers[0]), len(numbers)
    if 0 <= first <= batch.num_rows - count and np.array_equal(numbers, np.arange(first, first + count)):
        return batch.slice(first, count)  # bodies need not be copied
    return batch.take(pa.array(numbers))
