"""`tapper open`: a session or a capture in the terminal UI; in a pipe, a first look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tapper.cli.options import Reading, Web, gather, reading_options, web_options


@click.command("open", short_help="Browse a session or a capture; in a pipe, a first look at it.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--format", "form", type=click.Choice(("text",)), help="A first look as text.")
@web_options
@reading_options
def command(sources: tuple[str, ...], form: str | None, **values: Any) -> int:
    """Browses a saved session (x.tap) or a capture in the terminal: requests, map, flows, health.

    In a pipe, or with -o text, a first look: protocols, the map, what failed last, what is slowest. With --web, all of
    it in the browser.
    """
    from tapper.cli import browsing
    from tapper.cli.overview import lines
    from tapper.cli.source import opened
    from tapper.cli.terminal import terminal

    web, reading = gather(Web, values), gather(Reading, values)
    browsed = form is None and not web.web and browsing.wanted()
    if browsed and not Path(sources[0]).is_dir():
        return browsing.read(sources, reading, "")
    with opened(sources, reading) as source:
        if browsed:
            return browsing.browse(source, "", Path(sources[0]).name)
        if web.web:
            from tapper.cli.web import browse

            browse(source.feed, web)
            return source.code
        for line in lines(source.feed, sources, terminal()):
            click.echo(line)
        return source.finish()
