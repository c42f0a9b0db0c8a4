"""`tapper show`: one request in full."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import Reading, gather, reading_options


@click.command("show", short_help="Show one request in full.")
@click.argument("source")
@click.argument("wanted", metavar="ID")
@click.option(
    "-o", "--format", "form", type=click.Choice(("text", "json", "yaml", "har")), default="text", show_default=True
)
@click.option("-w", "--output", metavar="FILE", type=click.Path(), help="Write there instead of to standard output.")
@click.option("--full", is_flag=True, help="Bodies and messages without a limit.")
@reading_options
def command(source: str, wanted: str, form: str, output: str | None, full: bool, **values: Any) -> int:
    """Shows the request ID of SOURCE, a session or a capture: timing, heads, bodies, messages, connection.

    ID is as `tapper list` shows it: the end or the beginning of an id, 4 digits or more, that only one request has.
    """
    from tapper.cli import showing
    from tapper.cli.options import Listing
    from tapper.cli.source import opened

    listing = Listing(None if form == "text" else form, output, None, "time", full, quiet=True)
    with opened((source,), gather(Reading, values)) as found:
        showing.one(found, wanted, listing)
        return found.code
