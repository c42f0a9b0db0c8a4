"""Packets layer by layer, with the names that fields and their values usually have."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from tapper.export.packets import dissect
from tapper.model.text import clean, count
from ui.formatting import time_of_day
from ui.lines import DIM, NAME, TITLE, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ui.lines import Line

MOST = 200
"""Packets shown; scapy takes a millisecond for each."""
LONGEST = 4_000
"""Characters of a layer."""


def layers(pcapng: bytes) -> Iterator[Line]:
    """A heading line for each packet, its layers' fields below."""
    logging.getLogger("scapy").setLevel(logging.ERROR)
    packets = dissect(pcapng)
    packet = None
    for packet in islice(packets, MOST):
        yield line((f"#{packet.number}  {time_of_day(packet.time_ns)}  ", DIM), (clean(packet.summary), TITLE))
        for layer in packet.layers:
            fields = ", ".join(f"{name}={value}" for name, value in layer.fields)
            yield line((f"  {clean(layer.name)} ", NAME), clean(fields[:LONGEST]))
    if next(packets, None) is not None:
        yield line((f"… only the first {count(MOST)} packets are shown", DIM))
    if packet is None:
        yield line(("No packet of it was kept.", DIM))
