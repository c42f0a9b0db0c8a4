"""WebSocket frames of scenarios (RFC 6455), messages compressed as RFC 7692 says."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OPCODES = {"continuation": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
MASK = b"\x37\xfa\x21\x3d"
TAIL = b"\0\0\xff\xff"


class Deflater:
    """One end's compression, which may go on from message to message, also those that were not captured."""

    def __init__(self) -> None:
        self.compress = zlib.compressobj(9, zlib.DEFLATED, -15)

    def message(self, data: bytes, *, takeover: bool) -> bytes:
        """A message without what every one ends with."""
        if not takeover:
            self.compress = zlib.compressobj(9, zlib.DEFLATED, -15)
        made = self.compress.compress(data) + self.compress.flush(zlib.Z_SYNC_FLUSH)
        return made.removesuffix(TAIL)


def frame(opcode: int, payload: bytes, *, fin: bool, compressed: bool, masked: bool) -> bytes:
    """A frame; its length in the fewest bytes."""
    size = len(payload)
    if size < 126:
        short, extended = size, b""
    elif size <= 0xFFFF:
        short, extended = 126, size.to_bytes(2, "big")
    else:
        short, extended = 127, size.to_bytes(8, "big")
    head = bytes([fin << 7 | compressed << 6 | opcode, masked << 7 | short]) + extended
    if masked:
        payload = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))
    return head + (MASK if masked else b"") + payload


def frames(spec: dict[str, Any], side: str, deflater: Deflater, content: Callable[[Any], bytes]) -> bytes:
    """What one entry of `websocket = [...]` stands for."""
    masked = spec.get("masked", side == "client")
    if "close" in spec:
        payload = spec["close"].to_bytes(2, "big") + spec.get("reason", "").encode() if spec["close"] else b""
        return frame(OPCODES["close"], payload, fin=True, compressed=False, masked=masked)
    kind = next(kind for kind in OPCODES if kind in spec)
    payload = content(spec[kind])
    compressed = "deflate" in spec
    if compressed:
        payload = deflater.message(payload, takeover=spec["deflate"] == "takeover")
    pieces = []
    for size in spec.get("pieces", []):
        pieces.append(payload[:size])
        payload = payload[size:]
    pieces.append(payload)
    last = len(pieces) - 1 if spec.get("fin", True) else len(pieces)
    made = b""
    for at, piece in enumerate(pieces):
        opcode, first = OPCODES[kind if at == 0 else "continuation"], at == 0
        made += frame(opcode, piece, fin=at == last, compressed=compressed and first, masked=masked)
        if at < last and "between" in spec:
            made += b"".join(frames(one, side, deflater, content) for one in spec["between"])
    return made
