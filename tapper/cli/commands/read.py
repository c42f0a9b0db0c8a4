"""`tapper read`: captures in, requests out."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import filter_options, listing_options, reading_options, web_options
from tapper.cli.values import MAPS, Filters, Listing, Reading, Web, gather


class ReadCommand(click.Command):
    """Lets `--map` stand without a format before a file name, which click would take for the format."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Gives a bare `--map` its default."""
        plain = []
        for number, arg in enumerate(args):
            following = args[number + 1] if number + 1 < len(args) else ""
            plain.append("--map=table" if arg == "--map" and following not in MAPS else arg)
        return super().parse_args(ctx, plain)


@click.command("read", cls=ReadCommand, short_help="Read captures and list, show, map or save what is in them.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--map",
    "map_format",
    type=click.Choice(MAPS),
    metavar="[FORMAT]",
    help=f"The service map instead of the list; FORMAT is one of {', '.join(MAPS)} (default: table).",
)
@click.option("--show", metavar="ID", help="One request in full; ID as listed.")
@click.option(
    "--packets", is_flag=True, help="With --show: its packets, layer by layer; with -w FILE as a pcapng file."
)
@click.option(
    "--save", metavar="X.tap", type=click.Path(), help="Keep the session there, for `tapper open` and the others."
)
@click.option("--force", is_flag=True, help="Replace the session that --save names, if there is one.")
@filter_options
@listing_options
@web_options
@reading_options
def command(
    files: tuple[str, ...],
    map_format: str | None,
    show: str | None,
    packets: bool,
    save: str | None,
    force: bool,
    **values: Any,
) -> int:
    """Reads captures (pcap, pcapng; gzip or zstd; - is standard input) by the times of their first packets, as one.

    \b
    tapper read shop.pcap                              browse its requests, map, flows in the terminal
    tapper read shop.pcap -o table                     the requests as a table, as in a pipe
    tapper read shop.pcap --errors --to orders         some of them
    tapper read shop.pcap --show 4f21                  one in full
    tapper read shop.pcap --map                        who calls whom
    tapper read *.pcap --save shop.tap                 keep it for later
    tcpdump -U -w - | tapper read - -o jsonl           as they come
    """
    from tapper.cli import browsing, showing
    from tapper.cli.source import opened, streamed

    where = gather(Filters, values).text()
    listing = gather(Listing, values)
    reading = gather(Reading, values)
    web = gather(Web, values)
    if packets and not show:
        raise click.UsageError("--packets needs --show ID")
    if map_format and show:
        raise click.UsageError("--map and --show can't go together")
    if showing.streams(listing, files) and not (map_format or show or save or web.web):
        return streamed(files, reading, where, listing)
    if browsing.wanted(listing) and not (map_format or show or save or web.web):
        return browsing.read(files, reading, where)
    with opened(files, reading, save=save, replace=force, quiet=listing.quiet) as source:
        if web.web:
            from tapper.cli.web import browse

            browse(source.feed, web, where)
            return source.code
        if map_format:
            showing.service_map(source, map_format, where, output=listing.output)
        elif show:
            showing.one(source, show, listing, packets=packets, proto=reading.proto)
        elif not save or listing.format or listing.output:
            showing.requests(source, where, listing)
        else:
            showing.saved(source, save)
        return source.finish(quiet=listing.quiet)
