"""`tapper list`: the requests of a session or a capture."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import collector_options, filter_options, listing_options, reading_options, web_options
from tapper.cli.values import Collector, Filters, Listing, Reading, Web, gather


@click.command("list", short_help="List the requests of a session or a capture.")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@filter_options
@collector_options
@listing_options
@web_options
@reading_options
def command(sources: tuple[str, ...], **values: Any) -> int:
    """Lists the requests of a saved session (x.tap), of captures, or of a collector."""
    from tapper.cli import showing
    from tapper.cli.source import opened

    where = gather(Filters, values).text()
    listing = gather(Listing, values)
    collector = gather(Collector, values)
    web = gather(Web, values)
    with opened(sources, gather(Reading, values), quiet=listing.quiet, collector=collector) as source:
        if web.web:
            from tapper.cli.web import browse

            browse(source.feed, web, where)
            return source.code
        showing.requests(source, where, listing)
        return source.finish(quiet=listing.quiet)
