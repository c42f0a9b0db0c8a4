"""`tapper list`: the requests of a session or a capture."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import (
    Filters,
    Listing,
    Reading,
    Web,
    filter_options,
    gather,
    listing_options,
    reading_options,
    web_options,
)


@click.command("list", short_help="List the requests of a session or a capture.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@filter_options
@listing_options
@web_options
@reading_options
def command(sources: tuple[str, ...], **values: Any) -> int:
    """Lists the requests of a saved session (x.tap) or of captures."""
    from tapper.cli import showing
    from tapper.cli.source import opened

    where = gather(Filters, values).text()
    listing = gather(Listing, values)
    web = gather(Web, values)
    with opened(sources, gather(Reading, values), quiet=listing.quiet) as source:
        if web.web:
            from tapper.cli.web import browse

            browse(source.feed, web)
            return source.code
        showing.requests(source, where, listing)
        return source.finish(quiet=listing.quiet)
