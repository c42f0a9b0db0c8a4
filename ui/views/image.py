"""Images: what kind, how large; the pixels are not shown."""

from __future__ import annotations

import struct

from tapper.model.text import size
from ui.views.body import Body, Shown, View, shown


def fits(body: Body) -> bool:
    """By its first bytes, whatever its type says."""
    return measure(body.data) is not None


def render(body: Body) -> Shown | None:
    """One line; None if it is no image of a kind known."""
    found = measure(body.data)
    if found is None:
        return None
    kind, across, down = found
    pixels = f"{across} x {down} pixels" if across and down else "size not known"
    kept = f"{size(len(body.data))} captured" if body.cut else size(len(body.data))
    return shown("image", [f"{kind} image, {pixels}, {kept}"])


def measure(data: bytes) -> tuple[str, int, int] | None:
    """Kind, width and height in pixels (0: not known); None: no image of a kind known."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG", *(struct.unpack(">II", data[16:24]) if len(data) >= 24 else (0, 0))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF", *(struct.unpack("<HH", data[6:10]) if len(data) >= 10 else (0, 0))
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG", *_jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP", *_webp(data)
    if data.startswith(b"BM") and len(data) >= 26 and data[14:18] == b"\x28\0\0\0":
        across, down = struct.unpack("<ii", data[18:26])
        return "BMP", abs(across), abs(down)
    if data.startswith(b"\0\0\1\0") and len(data) >= 22:
        return "ICO", data[6] or 256, data[7] or 256
    return None


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walks the segments up to the frame header (ITU T.81, B.2.2)."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            down, across = struct.unpack(">HH", data[position + 5 : position + 9])
            return across, down
        position += 2 + max(length, 2)
    return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    """Of the first chunk (RFC 9649, section 2)."""
    if len(data) < 30:
        return 0, 0
    match data[12:16]:
        case b"VP8 ":
            across, down = struct.unpack("<HH", data[26:30])
            return across & 0x3FFF, down & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return 0, 0


VIEW = View("image", fits, render)
