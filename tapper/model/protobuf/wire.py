"""Fields of a message by the encoding alone: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, I64, LEN, GROUP, END, I32 = range(6)
"""Wire types."""

MAX_NUMBER = (1 << 29) - 1


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it was sent."""

    number: int
    kind: int
    """Its wire type."""
    value: int | bytes
    """A varint's number; the bytes of anything else (little endian, of numbers; of a group, what is in it)."""
    whole: bool = True
    """Its end is there."""


class WireError(ValueError):
    """Bytes that are no message."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends.

    Raises:
        WireError: it is longer, or cut.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise WireError("a number is cut")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise WireError("a number is too long")


def fields(data: bytes, *, cut: bool = False) -> Iterator[Field]:
    """The fields of a message in their order.

    Args:
        data: the message.
        cut: its end may be missing: the last field is given as far as it goes.

    Raises:
        WireError: it is no message, from here on.
    """
    at = 0
    while at < len(data):
        try:
            tag, behind = varint(data, at)
            number, kind = tag >> 3, tag & 7
            if not 1 <= number <= MAX_NUMBER:
                raise WireError(f"{number} is the number of no field")
            found, at = _field(data, number, kind, behind, cut)
        except WireError:
            if cut and len(data) - at < 20:
                return
            raise
        yield found


def _field(data: bytes, number: int, kind: int, at: int, cut: bool) -> tuple[Field, int]:
    if kind == VARINT:
        value, at = varint(data, at)
        return Field(number, kind, value), at
    if kind == GROUP:
        end, behind = _group(data, number, at)
        return Field(number, kind, data[at:end]), behind
    if kind == LEN:
        size, at = varint(data, at)
    elif kind in (I64, I32):
        size = 8 if kind == I64 else 4
    else:
        raise WireError(f"{kind} is no wire type")
    end = at + size
    if end > len(data):
        if not cut or kind != LEN:
            raise WireError("a field is longer than its message")
        return Field(number, kind, data[at:], whole=False), len(data)
    return Field(number, kind, data[at:end]), end


def _group(data: bytes, number: int, at: int) -> tuple[int, int]:
    """Where a group ends, and what is behind its end."""
    open_groups = [number]
    while at < len(data):
        begin = at
        tag, at = varint(data, at)
        inner, kind = tag >> 3, tag & 7
        if kind == GROUP:
            open_groups.append(inner)
        elif kind == END:
            if open_groups.pop() != inner:
                raise WireError("groups are not nested")
            if not open_groups:
                return begin, at
        else:
            _, at = _field(data, inner, kind, at, cut=False)
    raise WireError("a group has no end")
