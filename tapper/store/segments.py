"""Segment files: payload batches as the engine compressed them, appended one after another as an Arrow IPC stream.

A segment `payload/000001.seg` begins with the IPC schema message, so that any Arrow library reads it as a stream. A row
of the narrow tables knows its segment, the file offset of its batch and its row within; a batch is read alone, and only
the columns asked for are decompressed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
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
MAX_OPEN = 64  # files kept open for reading; a session of a terabyte has thousands of segments
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


def _picked(batch: pa.RecordBatch, numbers: npt.NDArray[np.int32]) -> pa.RecordBatch:
    first, count = int(numbers[0]), len(numbers)
    if first + count <= batch.num_rows and np.array_equal(numbers, np.arange(first, first + count)):
        return batch.slice(first, count)  # bodies need not be copied
    return batch.take(pa.array(numbers))


@dataclass(frozen=True, slots=True)
class _OpenSegment:
    descriptor: int
    schema_message: bytes
    schema: pa.Schema


class SegmentReader:
    """Reads batches of the segments of one kind."""

    def __init__(self, directory: Path, kind: str) -> None:
        self._directory = directory
        self._kind = kind
        self._open: dict[int, _OpenSegment] = {}

    def batch(self, segment: int, offset: int, columns: Sequence[str]) -> pa.RecordBatch:
        """The columns of the batch at that place; the others are not decompressed.

        Raises:
            DamagedError: there is no such batch, or not such columns in it.
        """
        try:
            opened = self._opened(segment)
            end = os.fstat(opened.descriptor).st_size

            def read_at(count: int, place: int) -> bytes:
                # a damaged length must not become an allocation of that size
                room = max(0, end - offset - place)
                return os.pread(opened.descriptor, min(count, room), offset + place)

            return read_columns(opened.schema_message, read_at, columns, opened.schema)
        except (OSError, OverflowError, MemoryError, KeyError, StopIteration, pa.ArrowException) as error:
            path = segment_path(self._directory, self._kind, segment)
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
            batch = self.batch(place >> OFFSET_BITS, place & (1 << OFFSET_BITS) - 1, columns)
            try:
                yield kept[at], pa.Table.from_batches([_picked(batch, numbers[at])])
            except pa.ArrowIndexError as error:
                raise DamagedError(
                    f"{segment_path(self._directory, self._kind, place >> OFFSET_BITS)}: {error}"
                ) from error

    def _opened(self, segment: int) -> _OpenSegment:
        found = self._open.pop(segment, None)
        if found is None:
            if len(self._open) >= MAX_OPEN:
                self._forget(next(iter(self._open)))
            descriptor = os.open(segment_path(self._directory, self._kind, segment), os.O_RDONLY)
            try:
                found = _open_segment(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        self._open[segment] = found  # behind all others: the first is the one not used for longest
        return found

    def _forget(self, segment: int) -> None:
        os.close(self._open.pop(segment).descriptor)

    def close(self) -> None:
        """Closes all files."""
        for segment in list(self._open):
            self._forget(segment)


def _open_segment(descriptor: int) -> _OpenSegment:
    head = os.pread(descriptor, 8, 0)
    if len(head) < 8 or head[:4] != b"\xff\xff\xff\xff":
        raise pa.ArrowInvalid("it does not begin with a schema message")
    length = min(int.from_bytes(head[4:], "little"), 1 << 20)  # ours has about 1 KB
    schema_message = os.pread(descriptor, 8 + length, 0)
    return _OpenSegment(descriptor, schema_message, pa.ipc.read_schema(pa.py_buffer(schema_message)))
