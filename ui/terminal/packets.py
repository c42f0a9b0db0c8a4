"""Packets layer by layer, as scapy reads them."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from tapper.model.text import clean, count
from ui.formatting import time_of_day
from ui.lines import DIM, NAME, TITLE, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ui.lines import Line

MOST = 200
"""Packets shown; scapy takes a millisecond for each."""


def layers(pcapng: bytes) -> Iterator[Line]:
    """A heading line for each packet, its layers' fields below."""
    logging.getLogger("scapy").setLevel(logging.ERROR)
    import scapy.layers.all  # noqa: F401  # link types are known only then
    from scapy.utils import PcapNgReader

    number = 0
    with PcapNgReader(io.BytesIO(pcapng)) as reader:  # type: ignore[arg-type]  # it takes files too
        for number, packet in enumerate(reader, 1):
            if number > MOST:
                yield line((f"… only the first {count(MOST)} packets are shown", DIM))
                return
            yield line(
                (f"#{number}  {time_of_day(int(packet.time * 1_000_000_000))}  ", DIM), (clean(packet.summary()), TITLE)
            )
            for layer in packet.iterpayloads():
                fields = ", ".join(f"{name}={value!r}" for name, value in layer.fields.items() if name != "load")
                yield line((f"  {clean(layer.name or '?')} ", NAME), clean(fields[:4000]))
    if not number:
        yield line(("No packet of it was kept.", DIM))
