"""`tapper open`: a session or a capture in the terminal UI; in a pipe, a first look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tapper.cli.options import collector_options, filter_options, reading_options, web_options
from tapper.cli.values import Collector, Filters, Reading, Web, gather


@click.command("open", short_help="Browse a session or a capture; in a pipe, a first look at it.")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("-o", "--format", "form", type=click.Choice(("text",)), help="A first look as text.")
@filter_options
@collector_options
@web_options
@reading_options
def command(sources: tuple[str, ...], form: str | None, **values: Any) -> int:
    """Browses a saved session (x.tap), a capture or a collector in the terminal: requests, map, flows, health.

    In a pipe, or with -o text, a first look: protocols, the map, what failed last, what is slowest. With --web, all of
    it in the browser. A filter is where one begins; the first look is of what it leaves.

    \b
    tapper open shop.tap
    tapper open shop.tap --errors --to orders
    tapper open shop.tap -o text -f 'latency > 1s'
    """
    from tapper.cli import browsing
    from tapper.cli.source import opened

    collector, web, reading = gather(Collector, values), gather(Web, values), gather(Reading, values)
    where = gather(Filters, values).text()
    browsed = form is None and not web.web and browsing.wanted()
    if browsed and sources and not Path(sources[0]).is_dir():
        return browsing.read(sources, reading, where)
    if browsed:
        browsing.prepare()
    with opened(sources, reading, collector=collector) as source:
        if browsed:
            return browsing.browse(source, where, Path(sources[0]).name if sources else "")
        if web.web:
            from tapper.cli.web import browse

            browse(source.feed, web, where)
            return source.code
        from tapper.cli.output import write_lines
        from tapper.cli.overview import lines
        from tapper.cli.showing import match
        from tapper.cli.terminal import terminal

        match(source, where)
        named = sources or ("--collector", collector.collector or "")
        write_lines(None, lines(source.feed, where, named, terminal()))
        return source.finish()
