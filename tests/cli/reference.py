"""Makes the reference pages out of the code: `python tests/cli/reference.py` rewrites them, a test compares them."""

from __future__ import annotations

from pathlib import Path

import click

from tapper.cli import exits
from tapper.cli.commands.fields import markdown
from tapper.cli.program import COMMANDS, program
from tapper.collector.api import openapi
from tapper.filter import fields

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = 100


def commands() -> str:
    parts = ["# Commands", "", "Made from the program's own help (tests/cli/reference.py).", ""]
    whole = click.Context(program, info_name="tapper", terminal_width=WIDTH, help_option_names=["-h", "--help"])
    parts += ["```text", program.get_help(whole), "```", ""]
    for name in COMMANDS:
        command = program.get_command(whole, name)
        assert command is not None
        context = click.Context(command, whole, info_name=name, terminal_width=WIDTH)
        parts += [f"## tapper {name}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(parts)


def field_pages() -> str:
    return (
        "# Fields of the filter language\n\n"
        "A filter is an expression in CEL, the language of Kubernetes itself; durations may be written bare:\n"
        '`protocol == "http" && status >= 500 && dst.service == "orders" && latency > 200ms`.\n'
        "A comparison with something that is not known is false; `has(field)` asks whether it is known.\n"
        "`tapper fields` shows the same tables in the terminal.\n\n"
        f"## Of requests\n\n{markdown(list(fields()))}\n"
        f"## Of connections\n\n{markdown(list(fields('connection')))}"
    )


def exit_codes() -> str:
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in exits.MEANINGS.items())
    return f"# Exit codes\n\n| Code | Meaning |\n| --- | --- |\n{rows}\n"


PAGES = {"openapi.json": openapi.text, "commands.md": commands, "fields.md": field_pages, "exit-codes.md": exit_codes}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
