"""Ways to capture or to send the packets of a scenario that must not change its records.

`python tests/engine/variation.py NAME [VARIATION] > file.pcap` writes a scenario's packets, to look at them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import cycle
from typing import TYPE_CHECKING

from tests.engine.container import Frame, Order, compressed, frames, pcap, pcapng
from tests.engine.scenario import ROOT, Scenario
from tests.engine.scenario import read as read_scenario
from tests.engine.wire import Packet, Split, play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TIMES = frozenset({"time", "last_time", "first_message", "last_message"})
DURATIONS = frozenset({"send_ns", "wait_ns", "receive_ns", "latency_ns", "handshake_ns"})

SINGLE_BYTES = 200
"""Bytes at the start of a segment that are sent one by one; more of the same would test nothing new."""


def bytewise(size: int) -> list[int]:
    """Single bytes, then the rest."""
    return [1] * min(size, SINGLE_BYTES) + ([size - SINGLE_BYTES] if size > SINGLE_BYTES else [])


def uneven(size: int) -> list[int]:
    """Small pieces of changing size."""
    made: list[int] = []
    steps = cycle((3, 1, 7, 2, 13, 5, 29))
    while size > 0:
        made.append(min(size, next(steps)))
        size -= made[-1]
    return made


def twice(packets: list[Packet]) -> list[Packet]:
    """Each packet captured twice."""
    return [packet for packet in packets for _ in range(2)]


def swapped(packets: list[Packet]) -> list[Packet]:
    """Neighbours of the same direction, both with payload, in the other order."""
    made = list(packets)
    at = 0
    while at + 1 < len(made):
        one, two = made[at], made[at + 1]
        if one.loaded and two.loaded and one.flow == two.flow:
            made[at : at + 2] = [replace(two, time=one.time), replace(one, time=two.time)]
            at += 1
        at += 1
    return made


@dataclass(frozen=True)
class Variation:
    """Another way to capture or to send the same."""

    link: str = "ethernet"
    order: Order = "<"
    write: Callable[[list[Frame], str, Order], bytes] = pcap
    resplit: Split | None = None
    rearrange: Callable[[list[Packet]], list[Packet]] = list
    changes: frozenset[str] = frozenset()
    """Columns, and notes, that it may change."""


ORDER_CHANGES = TIMES | DURATIONS | {"id", "connection"}

VARIATIONS = {
    "as-it-is": Variation(),
    "pcap-us-big-sll": Variation("sll", ">", lambda f, link, order: pcap(f, link, order, nanos=False)),
    "pcap-ns-big-loop": Variation("loop", ">"),
    "pcap-us-little-null-gz": Variation(
        "null", "<", lambda f, link, order: compressed(pcap(f, link, order, nanos=False), "gz")
    ),
    "pcapng-little-sll2": Variation("sll2", "<", pcapng),
    "pcapng-big-raw-zst": Variation("raw", ">", lambda f, link, order: compressed(pcapng(f, link, order), "zst")),
    "pcapng-mixed": Variation("ethernet", ">", lambda f, link, order: pcapng(f, link, order, mixed=True)),
    "bytewise": Variation(resplit=bytewise),
    "uneven": Variation(resplit=uneven),
    "twice": Variation(rearrange=twice, changes=frozenset({"notes:retransmitted"})),
    "swapped": Variation(resplit=uneven, rearrange=swapped, changes=ORDER_CHANGES),
}


def applies(case: Scenario, name: str) -> bool:
    """Whether a variation makes sense for a scenario."""
    variation = VARIATIONS[name]
    if name == "as-it-is":
        return True
    if name in case.capture.skip:
        return False
    if case.capture.cut_file or case.capture.garbage:
        return False  # about one file format
    if variation.resplit and (
        case.capture.snaplen or any(how.startswith("fragment") for c in case.connections for how in c.via)
    ):
        return False  # other packets would be cut
    if name == "swapped":
        return not any(event.loses for event in case.events)
    return True


@lru_cache(maxsize=8)
def packets(path: Path, resplit: Split | None) -> list[Packet]:
    """The packets of a scenario file; building them is what takes the time."""
    return play(read_scenario(path), resplit)


def capture(case: Scenario, name: str) -> bytes:
    """The capture file of a scenario in a variation."""
    variation = VARIATIONS[name]
    arranged = variation.rearrange(packets(case.path, variation.resplit))
    made = frames(arranged, variation.link, variation.order, case.capture.snaplen)
    data = variation.write(made, variation.link, variation.order)
    return data[: len(data) - case.capture.cut_file] + case.capture.garbage


if __name__ == "__main__":
    chosen = read_scenario(ROOT / f"{sys.argv[1]}.toml")
    sys.stdout.buffer.write(capture(chosen, sys.argv[2] if len(sys.argv) > 2 else "as-it-is"))
