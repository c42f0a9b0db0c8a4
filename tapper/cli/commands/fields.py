"""`tapper fields`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.terminal import Terminal
    from tapper.filter import Field

TITLES = ("FIELD", "TYPE", "MEANING", "EXAMPLE")


@click.command("fields", short_help="The fields that a filter can ask for.")
@click.argument("name", required=False)
@click.option("--connections", is_flag=True, help="Those of connections instead of requests.")
@click.option(
    "-o", "--format", "form", type=click.Choice(("table", "json", "markdown")), default="table", show_default=True
)
def command(name: str | None, connections: bool, form: str) -> None:
    """Lists the fields of the filter language with types, meanings and examples.

    With NAME, only those that have it in their name or meaning.
    """
    from tapper.cli.terminal import terminal
    from tapper.filter import fields

    found = [field for field in fields("connection" if connections else "exchange") if _fits(field, name)]
    if not found:
        raise click.UsageError(f"no field has {name!r} in its name or meaning; `tapper fields` lists all")
    if form == "json":
        import json

        click.echo(json.dumps([field.document() for field in found], indent=2))
        return
    if form == "markdown":
        click.echo(markdown(found), nl=False)
        return
    for line in _lines(found, terminal()):
        click.echo(line)


def _lines(found: list[Field], output: Terminal) -> Iterator[str]:
    from tapper.cli.grid import grid
    from tapper.cli.terminal import Terminal

    rows = [((field.name, field.type, _meaning(field), field.example), "") for field in found]
    lines = list(grid(TITLES, rows, Terminal()))
    if output.width is None or max(map(len, lines)) <= output.width:
        yield output.paint(lines[0], bold=True)
        yield from lines[1:]
        return
    for (field_name, kind, meaning, example), _ in rows:
        yield f"{output.paint(field_name, bold=True)}  {kind}"
        yield from textwrap.wrap(meaning, output.width, initial_indent="    ", subsequent_indent="    ")
        yield output.paint(f"    {example}", dim=True)


def _fits(field: Field, name: str | None) -> bool:
    words = (field.name, *field.aliases, field.doc)
    return name is None or any(name.lower() in word.lower() for word in words)


def _meaning(field: Field) -> str:
    also = f" (also: {', '.join(field.aliases)})" if field.aliases else ""
    values = f": {', '.join(field.values)}" if field.closed and len(field.values) < 10 else ""
    return f"{field.doc}{also}{values}"


def markdown(found: list[Field]) -> str:
    """The table of docs/fields.md."""
    lines = ["| Field | Type | Meaning | Example |", "| --- | --- | --- | --- |"]
    for field in found:
        cells = (f"`{field.name}`", field.type, _meaning(field), f"`{field.example}`")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"
