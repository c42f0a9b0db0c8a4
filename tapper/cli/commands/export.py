"""`tapper export`: requests for other tools."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import collector_options, filter_options, reading_options
from tapper.cli.values import Collector, Filters, Listing, Reading, format_of, gather

FORMATS = ("har", "jsonl", "json", "yaml", "csv", "parquet")


@click.command("export", short_help="Export requests: HAR, JSON lines, JSON, YAML, CSV, Parquet.")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option(
    "-o", "--format", "form", type=click.Choice(FORMATS), help="Default: what the name of the file to write says."
)
@click.option("-w", "--output", metavar="FILE", type=click.Path(), help="Write there instead of to standard output.")
@click.option("--limit", "-n", type=click.IntRange(min=0), metavar="N", help="At most so many; 0: all.")
@click.option("--quiet", "-q", is_flag=True, help="No progress, no closing lines.")
@filter_options
@collector_options
@reading_options
def command(
    sources: tuple[str, ...],
    form: str | None,
    output: str | None,
    limit: int | None,
    quiet: bool,
    **values: Any,
) -> int:
    """Exports the requests of a saved session (x.tap), of captures or of a collector, with heads and bodies.

    \b
    tapper export shop.tap -w shop.har --errors
    tapper export shop.tap -o jsonl | jq .target
    """
    from tapper.cli import showing
    from tapper.cli.source import opened

    chosen = format_of(form, output, FORMATS)
    if chosen == "table":
        raise click.UsageError(f"which format? -o takes {', '.join(FORMATS)}; or name the file to write so: -w x.har")
    collector = gather(Collector, values)
    where = gather(Filters, values).text()
    listing = Listing(chosen, output, limit, "time", full=True, quiet=quiet)
    with opened(sources, gather(Reading, values), quiet=quiet, collector=collector) as source:
        showing.requests(source, where, listing)
        return source.finish(quiet=quiet)
