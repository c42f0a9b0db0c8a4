"""`tapper attach`: shows what the tapper that is installed in a cluster sees."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli import exits
from tapper.cli.cluster_options import Cluster, cluster_options
from tapper.cli.options import filter_options, following_options, web_options
from tapper.cli.values import Filters, Listing, Web, gather


@click.command("attach", short_help="Show what the tapper that is installed in a cluster sees.")
@filter_options
@following_options(("table", "wide", "jsonl", "har", "none"), ("--limit",))
@web_options
@cluster_options
def command(**values: Any) -> int:
    """Shows the requests of `tapper install`'s collector: in the terminal UI with all that it kept, or, in a pipe and
    with -o, as they come. Leaving changes nothing in the cluster.
    """
    from tapper.cli.following import Until
    from tapper.cli.tapping import showing
    from tapper.cli.tapping.attached import attached

    where, web, cluster = gather(Filters, values).text(), gather(Web, values), gather(Cluster, values)
    seconds = values.pop("seconds")
    listing = Listing(order="time", full=True, **values)
    with attached(cluster.access()) as feed, Until(seconds) as until:
        showing.show(feed, where, listing, web, until)
    return exits.OK
