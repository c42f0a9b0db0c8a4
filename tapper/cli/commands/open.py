"""`tapper open`: a first look at a session or a capture."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.options import Reading, Web, gather, reading_options, web_options


@click.command("open", short_help="A first look: what is in it, who calls whom, what failed, what is slow.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@web_options
@reading_options
def command(sources: tuple[str, ...], **values: Any) -> int:
    """Shows what is in a saved session (x.tap) or a capture: protocols, the map, what failed last, what is slowest.

    With --web, all of it in the browser.
    """
    from tapper.cli.overview import lines
    from tapper.cli.source import opened
    from tapper.cli.terminal import terminal

    web = gather(Web, values)
    with opened(sources, gather(Reading, values)) as source:
        if web.web:
            from tapper.cli.web import browse

            browse(source.feed, web)
            return source.code
        for line in lines(source.feed, sources, terminal()):
            click.echo(line)
        return source.finish()
