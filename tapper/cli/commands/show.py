"""`tapper show`: one request in full."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import collector_options, reading_options
from tapper.cli.values import Collector, Reading, gather


@click.command("show", short_help="Show one request in full.")
@click.argument("arguments", nargs=-1, required=True, metavar="[SOURCE] ID")
@click.option(
    "-o", "--format", "form", type=click.Choice(("text", "json", "yaml", "har")), default="text", show_default=True
)
@click.option("-w", "--output", metavar="FILE", type=click.Path(), help="Write there instead of to standard output.")
@click.option("--packets", is_flag=True, help="Its packets, layer by layer; with -w FILE as a pcapng file.")
@click.option("--full", is_flag=True, help="Bodies and messages without a limit.")
@collector_options
@reading_options
def command(arguments: tuple[str, ...], form: str, output: str | None, packets: bool, full: bool, **values: Any) -> int:
    """Shows the request ID of SOURCE, a session or a capture, or of a collector: timing, heads, bodies, messages.

    ID is as `tapper list` shows it: the end or the beginning of an id, 4 digits or more, that only one request has.
    """
    from tapper.cli import showing
    from tapper.cli.source import opened
    from tapper.cli.values import Listing

    collector = gather(Collector, values)
    *sources, wanted = arguments
    if len(sources) != (0 if collector.collector else 1):
        raise click.UsageError("tapper show SOURCE ID, or tapper show --collector URL ID")
    listing = Listing(None if form == "text" else form, output, None, "time", full, quiet=True)
    reading = gather(Reading, values)
    with opened(sources, reading, collector=collector) as found:
        showing.one(found, wanted, listing, packets=packets, proto=reading.proto)
        return found.code
