"""`tapper demo`: a small shop of real servers, tapped while it is open."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli import exits
from tapper.cli.options import filter_options, following_options, web_options
from tapper.cli.values import Filters, Listing, Web, gather

SECONDS = 20.0
"""How long it is open where nobody can end it."""


@click.command("demo", short_help="A small shop of real servers, tapped live.")
@filter_options
@following_options(("table", "wide", "jsonl", "har", "none"))
@web_options
def command(**values: Any) -> int:
    """Opens a small shop of real servers in a network of its own, taps it live and shows it: in the terminal UI, or as
    text in a pipe and with -o, then the map of who calls whom. One service is slow, one fails now and then, one is
    not there at all.

    It needs no rights where user namespaces are allowed. Where they are not, a recording of the shop is shown.
    """
    from tapper.cli import browsing
    from tapper.cli.tapping import shop
    from tapper.demo.namespace import obstacle

    where, web, seconds = gather(Filters, values).text(), gather(Web, values), values.pop("seconds")
    listing = Listing(order="time", full=True, **values)
    if (problem := obstacle()) is not None:
        return shop.recording(problem, where, listing, web)
    alone = not web.web and not browsing.wanted(listing)
    from tapper.cli.following import Until

    with Until(seconds or (SECONDS if alone else None)) as until:
        shop.live(where, listing, web, until)
    return exits.OK
