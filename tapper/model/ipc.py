"""What an encapsulated Arrow IPC record batch message claims, read without trusting it and without decompressing.

Arrow allocates what a compressed buffer says it will become; a message from someone else is measured here first. The
layout is that of the Arrow columnar format ("Encapsulated message format", Message.fbs) in FlatBuffers encoding.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

CONTINUATION = b"\xff\xff\xff\xff"
DICTIONARY, RECORD_BATCH = 2, 3
"""Of `MessageHeader`, Message.fbs."""
_STORED = -1  # the length that marks a buffer as left uncompressed


class MessageError(ValueError):
    """It is no record batch message, or not a sound one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a record batch message says of itself."""

    rows: int
    unpacked: int
    """Bytes of all buffers once decompressed."""
    compressed: bool


def measure(message: bytes | memoryview) -> Measure:
    """Reads the head of one message that must end where the data ends.

    Raises:
        MessageError: it is not what it should be.
    """
    try:
        return _measure(memoryview(message).cast("B"))
    except (struct.error, IndexError, OverflowError) as error:
        raise MessageError(f"a cut or forged record batch message: {error}") from error


def message_size(data: memoryview) -> tuple[int, bool]:
    """Bytes of the message that the data begins with (of any kind, padding included), and whether it is compressed.

    Raises:
        MessageError: it is cut or forged.
    """
    try:
        head, size = _head(data)
        root = _Table(head, _offset(head, 0))
        body = root.number("<q", 3)
        batch = root.table(2)
        if root.number("<B", 1) == DICTIONARY and batch is not None:
            batch = batch.table(1)
        elif root.number("<B", 1) != RECORD_BATCH:
            batch = None
    except (struct.error, IndexError, OverflowError) as error:
        raise MessageError(f"a cut or forged message: {error}") from error
    if not 0 <= body <= len(data) - size:
        raise MessageError("a message that is longer than the data")
    return size + body, batch is not None and batch.table(3) is not None


def _head(data: memoryview) -> tuple[memoryview, int]:
    """The head of a message, and how many bytes it takes with what is before it."""
    if data[:4] != CONTINUATION:
        raise MessageError("not an encapsulated Arrow message")
    (size,) = struct.unpack_from("<i", data, 4)
    if not 8 <= size <= len(data) - 8:
        raise MessageError("the message's head is longer than the message")
    return data[8 : 8 + size], 8 + int(size)


def _measure(data: memoryview) -> Measure:
    head, size = _head(data)
    body = data[size:]
    root = _Table(head, _offset(head, 0))
    if root.number("<B", 1) != RECORD_BATCH:
        raise MessageError("not a record batch")
    batch = root.table(2)
    if batch is None or root.number("<q", 3) != len(body):
        raise MessageError("the message's body is not as long as it says")
    rows = batch.number("<q", 0)
    compressed = batch.table(3) is not None
    unpacked = 0
    for offset, length in batch.pairs(2):
        if offset < 0 or length < 0 or offset + length > len(body):
            raise MessageError("a buffer lies outside of the message")
        if compressed and length:
            (claimed,) = struct.unpack_from("<q", body, offset)
            if claimed < _STORED:
                raise MessageError("a buffer of negative length")
            unpacked += length if claimed == _STORED else claimed
        else:
            unpacked += length
    if rows < 0:
        raise MessageError("a negative number of rows")
    return Measure(rows, unpacked, compressed)


def _offset(head: memoryview, at: int) -> int:
    (relative,) = struct.unpack_from("<I", head, at)
    return at + int(relative)


class _Table:
    """A FlatBuffers table; every access is checked by `struct`, positions never are negative."""

    def __init__(self, head: memoryview, at: int) -> None:
        self._head = head
        self._at = at
        (back,) = struct.unpack_from("<i", head, at)
        self._fields = at - back
        if self._fields < 0:
            raise MessageError("a table without a layout")
        (self._count,) = struct.unpack_from("<H", head, self._fields)

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._count:
            return None
        (relative,) = struct.unpack_from("<H", self._head, self._fields + entry)
        return self._at + int(relative) if relative else None

    def number(self, form: str, field: int) -> int:
        place = self._place(field)
        return 0 if place is None else int(struct.unpack_from(form, self._head, place)[0])

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        return None if place is None else _Table(self._head, _offset(self._head, place))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """A vector of structs of two 64-bit numbers."""
        place = self._place(field)
        if place is None:
            return []
        start = _offset(self._head, place)
        (count,) = struct.unpack_from("<I", self._head, start)
        if count * 16 > len(self._head) - start - 4:
            raise MessageError("a list longer than the message")
        return list(struct.iter_unpack("<qq", self._head[start + 4 : start + 4 + 16 * count]))
