"""Packets layer by layer, as scapy reads them: the inspector behind one record."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from scapy.packet import Packet

MOST = 1_000
"""Packets dissected; scapy takes a millisecond or so for each."""
LONGEST_VALUE = 2_000
"""Characters of a field's value: a payload is in the hexadecimal digits as well."""
MOST_BYTES = 65_536
"""Of a packet, as hexadecimal digits."""


def dissect(pcapng: bytes) -> tuple[list[dict[str, Any]], int]:
    """Documents of the packets of a capture: `time` (ns, text), `bytes`, `captured_bytes`, `summary`, `layers`, `hex`.

    Returns:
        The first MOST of them, and how many were left out.
    """
    from scapy.layers import dns, http, inet, inet6, l2  # noqa: F401  known layers
    from scapy.utils import PcapNgReader

    made: list[dict[str, Any]] = []
    left_out = 0
    with PcapNgReader(cast("str", io.BytesIO(pcapng))) as reader:
        for packet in reader:
            if len(made) < MOST:
                made.append(_document(packet))
            else:
                left_out += 1
    return made, left_out


def _document(packet: Packet) -> dict[str, Any]:
    raw = bytes(packet.original) or bytes(packet)
    return {
        "time": str(round(packet.time * 1_000_000_000)),
        "bytes": packet.wirelen or len(raw),
        "captured_bytes": len(raw),
        "summary": packet.summary(),
        "layers": [{"name": layer.name, "fields": _fields(layer)} for layer in _layers(packet)],
        "hex": raw[:MOST_BYTES].hex(),
    }


def _layers(packet: Packet) -> list[Packet]:
    found, layer = [], packet
    while layer:
        found.append(layer)
        layer = layer.payload
    return found


def _fields(layer: Packet) -> list[dict[str, str]]:
    made = []
    for field in layer.fields_desc:
        if field.name in layer.fields or field.name in layer.default_fields:
            text = str(field.i2repr(layer, layer.getfieldval(field.name)))
            made.append({"name": field.name, "value": text[:LONGEST_VALUE]})
    return made
