"""The packets of one request: painted layer by layer, as JSON, or as a pcapng file."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tapper.cli.output import output_of, target, write_lines
from tapper.cli.problems import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.source import Source
    from tapper.cli.terminal import Terminal
    from tapper.cli.values import Listing
    from tapper.export.packets import Dissected

RAW = "packets are as they were sent: secrets in them are not replaced"


def show(source: Source, wanted: str, listing: Listing) -> None:
    """Writes them; a file that is named gets pcapng unless JSON is asked for."""
    pcapng = source.feed.packets(wanted)
    payload = not source.feed.summary().redacted
    if listing.format in ("json", "jsonl"):
        _json(pcapng, listing, payload)
    elif listing.format not in (None, "table", "wide"):
        raise click.UsageError(f"packets can be shown as text, as json, or written as pcapng, not as {listing.format}")
    elif listing.output not in (None, "-"):
        with target(listing.output, binary=True) as file:
            file.write(pcapng)
        say(f"{listing.output}: {RAW}")
    else:
        _text(pcapng, payload)


def _json(pcapng: bytes, listing: Listing, payload: bool) -> None:
    from tapper.export.packets import dissect

    packets = [asdict(packet) for packet in dissect(pcapng, payload=payload)]
    lines = [json.dumps(packets, indent=2)] if listing.format == "json" else map(json.dumps, packets)
    with target(listing.output) as file:
        file.writelines(f"{line}\n".encode() for line in lines)


def _text(pcapng: bytes, payload: bool) -> None:
    from tapper.export.packets import MAX_PACKETS, dissect

    output = output_of(None)
    first = number = 0
    for packet in dissect(pcapng, payload=payload):
        first = first or packet.time_ns
        number = packet.number
        write_lines(None, _lines(packet, first, output))
    if number == MAX_PACKETS:
        say(f"the first {MAX_PACKETS:,} packets are shown; -w FILE.pcapng writes all")
    if not payload:
        say(f"payloads are not shown, for {RAW}; -w FILE.pcapng writes them")


def _lines(packet: Dissected, first: int, output: Terminal) -> Iterator[str]:
    from tapper.model.text import clean, duration, iso

    where = " ".join(part for part in (packet.direction, clean(packet.interface or "")) if part)
    cut = "" if packet.length == packet.wire_length else f" of {packet.wire_length}"
    head = f"{packet.number}  {iso(packet.time_ns)}  +{duration(packet.time_ns - first)}"
    yield output.paint(f"{head}  {packet.length}{cut} bytes  {where}".rstrip(), bold=True)
    yield f"   {clean(packet.summary)}"
    for layer in packet.layers:
        fields = "  ".join(f"{clean(name)}={clean(value)}" for name, value in layer.fields)
        yield f"   {output.paint(clean(layer.name), bold=True)}  {fields}"
    yield ""
