"""Packets layer by layer, dissected by scapy: for a person who wants to see what is behind one record.

What the packets carry is as it was sent, secrets and all; so payloads are shown only if asked for, else their length.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

MAX_PACKETS = 2_000
"""Dissected at most: scapy takes some 0.3 ms for each, a person far longer."""
MAX_VALUE = 256
"""Characters of a field's value."""
MAX_FIELDS = 64
"""Of a layer: a TCP header has 11."""
MAX_HEX = 65_536
"""Bytes of a packet."""
KNOWN = ("BOOTP", "DHCP options", "DNS", "VXLAN")
"""Layers over UDP that hold no secrets of applications."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One protocol of a packet. Texts are foreign: clean them for a terminal."""

    name: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dissected:
    """One packet."""

    number: int
    """From 1."""
    time_ns: int
    interface: str | None
    direction: str | None
    """"in" or "out" of the machine that captured it."""
    length: int
    """Bytes as captured."""
    wire_length: int
    summary: str
    layers: tuple[Layer, ...]
    hex: str
    """The packet; without what the transport layer carries where that is not shown."""


def dissect(pcapng: bytes, *, payload: bool = False) -> Iterator[Dissected]:
    """The packets of a pcapng, at most MAX_PACKETS.

    Args:
        pcapng: as `Feed.packets` gives it.
        payload: whether to show what the transport layer carries.
    """
    from scapy.layers import dhcp, dns, inet, inet6, l2, vxlan  # noqa: F401  so that scapy knows them
    from scapy.utils import PcapNgReader

    with PcapNgReader(cast("str", io.BytesIO(pcapng))) as reader:  # it takes files too
        for number, packet in enumerate(reader, 1):
            if number > MAX_PACKETS:
                return
            yield _dissected(number, packet, payload)


def count(pcapng: bytes) -> int:
    """How many packets a pcapng has."""
    from scapy.utils import RawPcapNgReader

    with RawPcapNgReader(cast("str", io.BytesIO(pcapng))) as reader:
        return sum(1 for _ in reader)


def _dissected(number: int, packet: Packet, payload: bool) -> Dissected:
    interface, raw = packet.sniffed_on, bytes(packet.original)
    headers, carried = _split(packet)
    behind = len(packet["Padding"].load) if "Padding" in packet else 0
    shown = raw if payload else raw[: max(0, len(raw) - behind - len(carried))]
    return Dissected(
        number,
        round(packet.time * 1_000_000_000),
        None if interface is None else str(interface),
        {1: "in", 2: "out"}.get(packet.direction or 0),
        len(raw),
        packet.wirelen or len(raw),
        _summary(packet),
        (*map(_layer, headers), *_payload(carried, payload)),
        shown[:MAX_HEX].hex(),
    )


def _split(packet: Packet) -> tuple[list[Packet], bytes]:
    """The headers, and what they carry: for scapy may know protocols of applications, whose fields hold secrets."""
    headers: list[Packet] = []
    for layer in packet.iterpayloads():
        below = headers[-1].name if headers else None
        foreign = below == "TCP" or (below == "UDP" and layer.name not in KNOWN)
        if layer.name == "Padding":
            break
        if foreign or layer.name == "Raw":
            return headers, bytes(layer.original or layer.build())
        headers.append(layer)
    return headers, b""


def _layer(layer: Packet) -> Layer:
    fields = [(field.name, _value(layer, field.name)) for field in layer.fields_desc[:MAX_FIELDS]]
    return Layer(layer.name or "?", tuple((name, value) for name, value in fields if value is not None))


def _payload(carried: bytes, shown: bool) -> Iterator[Layer]:
    if carried:
        lines = carried[:MAX_VALUE].split(b"\r\n") if shown else []
        texts = [(str(number), line.decode("utf-8", "backslashreplace")) for number, line in enumerate(lines, 1)]
        yield Layer("Payload", (("length", f"{len(carried)} bytes"), *texts))


def _value(layer: Packet, name: str) -> str | None:
    value: Any = layer.getfieldval(name)
    if value is None or value == b"" or value == []:
        return None
    text = str(layer.get_field(name).i2repr(layer, value))
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def _summary(packet: Packet) -> str:
    """Who to whom, and what of TCP."""
    from scapy.layers.inet import TCP, UDP

    ip = next((layer for layer in packet.iterpayloads() if layer.name in ("IP", "IPv6")), None)
    ends = f"{ip.src} > {ip.dst}" if ip is not None else packet.name
    if TCP in packet:
        tcp = packet[TCP]
        return f"{ends} TCP {tcp.sport} > {tcp.dport} [{tcp.flags}] seq {tcp.seq} ack {tcp.ack} len {len(tcp.payload)}"
    if UDP in packet:
        udp = packet[UDP]
        return f"{ends} UDP {udp.sport} > {udp.dport} len {len(udp.payload)}"
    return f"{ends} {packet.lastlayer().name}"
