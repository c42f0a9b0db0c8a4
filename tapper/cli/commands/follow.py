"""`tapper follow`: requests of a running collector or tap, as they come."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli import exits
from tapper.cli.options import collector_options, filter_options, following_options, web_options
from tapper.cli.values import Collector, Filters, Listing, Web, gather


@click.command("follow", short_help="Requests of a running collector or tap, as they come.")
@filter_options
@following_options(("table", "wide", "jsonl"))
@collector_options
@web_options
def command(**values: Any) -> int:
    """Shows the requests of a running collector, or of a tap elsewhere, from now on, until Ctrl-C: in the
    terminal UI, or as text in a pipe and with -o.

    \b
    tapper follow --collector http://127.0.0.1:8899/#k=...     the URL that it printed
    tapper follow --collector URL --errors -o jsonl | jq .target
    """
    from tapper.cli.following import Until
    from tapper.cli.source import remote
    from tapper.cli.tapping import showing

    collector = gather(Collector, values)
    if not collector.collector:
        raise click.UsageError("which one? --collector URL, as the tap or the collector printed it")
    where, web, seconds = gather(Filters, values).text(), gather(Web, values), values.pop("seconds")
    listing = Listing(order="time", full=True, **values)
    with Until(seconds) as until, remote(collector) as feed:
        showing.show(feed, where, listing, web, until)
    return exits.OK
