"""Link layers and capture files: packets become a file of any kind that the engine must read."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.engine.wire import Packet

MACS = bytes.fromhex("020000000002020000000001")
MIN_FRAME = 60
"""Ethernet pads short frames: what is behind the IP packet is not payload."""

Order = Literal["<", ">"]


def types(packet: Packet) -> bytes:
    """VLAN tags and type as they stand in front of the packet."""
    return b"".join(struct.pack(">HH", *tag) for tag in packet.tags) + struct.pack(">H", packet.ethertype)


def ethernet(packet: Packet, order: Order) -> bytes:
    return MACS + types(packet)


def sll(packet: Packet, order: Order) -> bytes:
    return struct.pack(">HHH8s", 0, 1, 6, MACS[:6]) + types(packet)


def sll2(packet: Packet, order: Order) -> bytes:
    first, rest = types(packet)[:2], types(packet)[2:]
    return first + struct.pack(">HIHBB8s", 0, 2, 1, 0, 6, MACS[:6]) + rest


def raw(packet: Packet, order: Order) -> bytes:
    return b""


def null(packet: Packet, order: Order) -> bytes:
    return struct.pack(order + "I", 30 if packet.ethertype == 0x86DD else 2)


def loop(packet: Packet, order: Order) -> bytes:
    return null(packet, ">")


LINKS: dict[str, tuple[int, Callable[[Packet, Order], bytes]]] = {
    "ethernet": (1, ethernet),
    "sll": (113, sll),
    "sll2": (276, sll2),
    "raw": (101, raw),
    "null": (0, null),
    "loop": (108, loop),
}
"""Name -> LINKTYPE number and header."""


@dataclass(frozen=True)
class Frame:
    """What is written for one packet."""

    time: int
    data: bytes
    wire_len: int


def frames(packets: Iterable[Packet], link: str, order: Order, snaplen: int) -> list[Frame]:
    """Packets with their link header, cut at `snaplen` bytes behind it (0: whole)."""
    made = []
    for packet in packets:
        header = LINKS[link][1](packet, order)
        whole = header + packet.data
        if link == "ethernet":
            whole = whole.ljust(MIN_FRAME, b"\0")
        made.append(Frame(packet.time, whole[: len(header) + snaplen] if snaplen else whole, len(whole)))
    return made


def pcap(packets: Iterable[Frame], link: str, order: Order = "<", nanos: bool = True) -> bytes:
    """A pcap file (draft-ietf-opsawg-pcap)."""
    out = bytearray(
        struct.pack(order + "IHHIIII", 0xA1B23C4D if nanos else 0xA1B2C3D4, 2, 4, 0, 0, 262144, LINKS[link][0])
    )
    for frame in packets:
        seconds, rest = divmod(frame.time, 1_000_000_000)
        rest = rest if nanos else rest // 1000
        out += struct.pack(order + "IIII", seconds, rest, len(frame.data), frame.wire_len) + frame.data
    return bytes(out)


def pcapng(packets: Iterable[Frame], link: str, order: Order = "<", mixed: bool = False) -> bytes:
    """A pcapng file (draft-ietf-opsawg-pcapng) with comments and a block that nobody knows.

    Args:
        packets: what to write.
        link: name of the link type.
        order: byte order of the section.
        mixed: three interfaces that take turns, of microseconds, nanoseconds, and nanoseconds since a minute later
    """

    def block(kind: int, body: bytes) -> bytes:
        length = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + length + body + length

    def option(code: int, value: bytes) -> bytes:
        return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    end = struct.pack(order + "HH", 0, 0)
    section = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, b"made by a scenario") + end
    out = bytearray(block(0x0A0D0D0A, section))
    interfaces = [(6, 0), (9, 0), (9, 60)] if mixed else [(6, 0)]
    for resolution, offset in interfaces:
        options = option(9, bytes([resolution])) if resolution != 6 else option(2, b"eth0")
        if offset:
            options += option(14, struct.pack(order + "q", offset))
        out += block(1, struct.pack(order + "HHI", LINKS[link][0], 0, 262144) + options + end)
    out += block(0x0BAD, b"unknown!")
    for number, frame in enumerate(packets):
        interface = number % len(interfaces)
        resolution, offset = interfaces[interface]
        ticks = (frame.time - offset * 1_000_000_000) // 10 ** (9 - resolution)
        head = struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.wire_len)
        padding = b"\0" * (-len(frame.data) % 4)
        comment = option(1, b"look at this one") + end if number % 3 == 0 else b""
        out += block(6, head + frame.data + padding + comment)
    return bytes(out)


def compressed(data: bytes, how: str) -> bytes:
    """The file as gzip or zstd, in two members or frames, as `cat` of two files makes it."""
    pack = {"gz": gzip.compress, "zst": zstandard.compress}[how]
    middle = len(data) // 2
    return pack(data[:middle]) + pack(data[middle:])
