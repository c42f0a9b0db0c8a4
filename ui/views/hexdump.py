"""Bytes in hex and ASCII, sixteen a line: shows everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.views.body import Body, Shown, View, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHAPES = bytes(code if 0x20 <= code < 0x7F else 0x2E for code in range(256))


def render(body: Body) -> Shown:
    """Offset, hex, ASCII with a dot for what has no shape."""
    return shown("hex", lines(body.data))


def lines(data: bytes) -> Iterator[str]:
    """`00000010  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|`."""
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        halves = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
        yield f"{offset:08x}  {halves}  |{row.translate(_SHAPES).decode('ascii')}|"


VIEW = View("hex", lambda body: True, render)
