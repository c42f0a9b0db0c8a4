"""HTTP/2 frames and gRPC messages of scenarios (RFC 9113), with field blocks by the `hpack` package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpack import Encoder
from hpack.struct import HeaderTuple, NeverIndexedHeaderTuple

if TYPE_CHECKING:
    from collections.abc import Callable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
KINDS = {
    name: number
    for number, name in enumerate(
        ["data", "headers", "priority", "reset", "settings", "push", "ping", "goaway", "window_update", "continuation"]
    )
}
LONG = 1000
"""Characters of each value of `long`: four of them are more than the first table holds."""
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
SETTINGS = {"header_table_size": 1, "enable_push": 2, "max_concurrent_streams": 3, "initial_window_size": 4}
ERRORS = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data in pieces of these sizes and one with the rest."""
    made = []
    for size in sizes:
        made.append(data[:size])
        data = data[size:]
    return [*made, data]


def messages(spec: Any, content: Callable[[Any], bytes], compress: Callable[[bytes], bytes] | None) -> bytes:
    """One or several messages with their prefixes."""
    made = b""
    for one in spec if isinstance(spec, list) else [spec]:
        data = content(one)
        if compress is not None:
            data = compress(data)
        made += bytes([compress is not None]) + len(data).to_bytes(4, "big") + data
    return made


class Sender:
    """One end of a connection: it remembers what its field blocks have put into the table."""

    def __init__(self) -> None:
        self.encoder = Encoder()

    def block(self, spec: dict[str, Any]) -> bytes:
        """A field block."""
        for size in spec.get("table_size", []):
            self.encoder.header_table_size = size
        fields = []
        for line in spec["headers"]:
            # The colon of `:path` is part of the name.
            name, value = line[1:].split(": ", 1)
            name = line[0] + name
            kind = NeverIndexedHeaderTuple if name in spec.get("never_indexed", []) else HeaderTuple
            fields.append(kind(name, value))
        fields += [HeaderTuple(f"x-long-{letter}", letter * LONG) for letter in spec.get("long", "")]
        return bytes(self.encoder.encode(fields, huffman=spec.get("huffman", True)))

    def headers(self, spec: dict[str, Any], stream: int) -> bytes:
        """HEADERS or PUSH_PROMISE, with CONTINUATION where `pieces` says so."""
        first, *rest = pieces(self.block(spec), spec.get("pieces", []))
        kind, flags = KINDS["headers"], END_STREAM if spec.get("end") else 0
        if "push" in spec:
            kind, first = KINDS["push"], spec["push"].to_bytes(4, "big") + first
        if spec.get("priority"):
            flags, first = flags | PRIORITY, b"\x80\0\0\0\x0f" + first
        if "pad" in spec:
            flags, first = flags | PADDED, bytes([spec["pad"]]) + first + bytes(spec["pad"])
        made = frame(kind, flags | (0 if rest else END_HEADERS), stream, first)
        for left, piece in zip(range(len(rest) - 1, -1, -1), rest, strict=True):
            made += frame(KINDS["continuation"], 0 if left else END_HEADERS, stream, piece)
        return made

    def data(self, spec: dict[str, Any], stream: int, data: bytes) -> bytes:
        """DATA, in several frames where `pieces` says so."""
        made = b""
        listed = pieces(data, spec.get("pieces", []))
        for number, piece in enumerate(listed, 1):
            flags, pad = 0, spec.get("pad")
            if pad is not None:
                flags, piece = PADDED, bytes([pad]) + piece + bytes(pad)
            if spec.get("end") and number == len(listed):
                flags |= END_STREAM
            made += frame(KINDS["data"], flags, stream, piece)
        return made

    def frames(
        self, spec: Any, content: Callable[[Any], bytes], encodings: dict[str, Callable[[bytes], bytes]]
    ) -> bytes:
        """What one entry of `http2 = [...]` stands for."""
        if spec == "preface":
            return PREFACE
        stream = spec.get("stream", 0)
        match spec:
            case {"headers": _}:
                return self.headers(spec, stream)
            case {"data": what}:
                return self.data(spec, stream, content(what))
            case {"grpc": what}:
                compress = encodings[spec["compress"]] if "compress" in spec else None
                return self.data(spec, stream, messages(what, content, compress))
            case {"settings": "ack"}:
                return frame(KINDS["settings"], ACK, 0, b"")
            case {"settings": dict(values)}:
                said = ((SETTINGS[name], value) for name, value in values.items())
                payload = b"".join(name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in said)
                return frame(KINDS["settings"], 0, 0, payload)
            case {"ping": what}:
                return frame(KINDS["ping"], ACK if what == "ack" else 0, 0, b"12345678")
            case {"window_update": int(size)}:
                return frame(KINDS["window_update"], 0, stream, size.to_bytes(4, "big"))
            case {"reset": str(error)}:
                return frame(KINDS["reset"], 0, stream, ERRORS.index(error).to_bytes(4, "big"))
            case {"goaway": str(error), "last": int(last)}:
                return frame(KINDS["goaway"], 0, 0, last.to_bytes(4, "big") + ERRORS.index(error).to_bytes(4, "big"))
            case {"kind": int(kind)}:
                return frame(kind, spec.get("flags", 0), stream, content(spec.get("payload", "")))
        raise ValueError(f"http2: no frame can be made from {spec!r}")
