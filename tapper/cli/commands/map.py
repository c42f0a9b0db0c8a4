"""`tapper map`: who calls whom; and what changed between two maps."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli import exits
from tapper.cli.options import collector_options, filter_options, reading_options
from tapper.cli.values import MAPS, Collector, Filters, Reading, format_of, gather

LEVELS = ("service", "workload", "version", "pod", "address")


@click.command("map", short_help="Draw the map of who calls whom, or compare two.")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option(
    "-o",
    "--format",
    "form",
    type=click.Choice(MAPS),
    help="Default: table, or what the name of the file to write says.",
)
@click.option("-w", "--output", metavar="FILE", type=click.Path(), help="Write there instead of to standard output.")
@click.option(
    "--level", type=click.Choice(LEVELS), default="service", show_default=True, help="What a node stands for."
)
@click.option(
    "--diff",
    is_flag=True,
    help="Compare two sources: edges new, gone, slower, with more errors; exit code 4 if there are any.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress, no closing lines.")
@filter_options
@collector_options
@reading_options
def command(
    sources: tuple[str, ...],
    form: str | None,
    output: str | None,
    level: str,
    diff: bool,
    quiet: bool,
    **values: Any,
) -> int:
    """Draws the service map of a saved session (x.tap), of captures or of a collector.

    \b
    tapper map shop.tap                       a table, what hurts first
    tapper map shop.tap -w shop.svg           a picture
    tapper map --diff before.tap after.tap    what changed
    """
    from tapper.cli import showing
    from tapper.cli.source import opened

    collector = gather(Collector, values)
    where = gather(Filters, values).text()
    reading = gather(Reading, values)
    if diff:
        if collector.collector:
            raise click.UsageError("--diff compares two files; the web view compares two ranges of time")
        if len(sources) != 2:
            raise click.UsageError(f"--diff compares two sources, not {len(sources)}")
        if form not in (None, "table", "json"):
            raise click.UsageError("--diff shows a table or JSON")
        with opened(sources[:1], reading, quiet=quiet) as old, opened(sources[1:], reading, quiet=quiet) as new:
            different = showing.difference(old, new, form or "table", where, level=level, output=output)
            code = max(old.finish(quiet=True), new.finish(quiet=True))
            return code or (exits.DIFFERENT if different else exits.OK)
    with opened(sources, reading, quiet=quiet, collector=collector) as source:
        showing.service_map(source, format_of(form, output, MAPS), where, level=level, output=output)
        return source.finish(quiet=quiet)
