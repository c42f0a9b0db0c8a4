"""What went wrong, in words for the person at the terminal, and its exit code. Imported only when needed."""

from __future__ import annotations

import os
import sys
import traceback
from textwrap import wrap

import click

from tapper.cli import exits
from tapper.cli.terminal import terminal
from tapper.model.text import clean

DEBUG = "TAPPER_DEBUG"
"""Environment variable: set, an error that is tapper's own shows where it happened."""


def report(error: Exception) -> int:
    """Says on stderr what happened and gives the exit code."""
    message, code = describe(error)
    if message is None:
        if os.environ.get(DEBUG):
            traceback.print_exception(error)
        message = (
            f"an error of tapper itself: {type(error).__name__}: {error}\n"
            f"Please report it, with what {DEBUG}=1 shows when you run the command again."
        )
    say(f"tapper: {message}")
    return code


def say(text: str) -> None:
    """Lines on stderr, safe for a terminal whatever is in them."""
    width = terminal(sys.stderr).width
    for line in map(clean, text.split("\n")):
        for part in wrap(line, width) if width and "^" not in line else [line]:
            print(part, file=sys.stderr)  # noqa: T201


def describe(error: Exception) -> tuple[str | None, int]:
    """Message and exit code; no message: not an error of the user's."""
    if isinstance(error, click.ClickException):
        return _usage(error), exits.USAGE if isinstance(error, click.UsageError) else error.exit_code
    from tapper.feed.interface import FeedError
    from tapper.filter import FilterError
    from tapper.identity.names_file import NamesFileError
    from tapper.store.errors import StoreError

    if isinstance(error, FilterError):
        return f"wrong filter\n{error.render()}\n`tapper fields` lists what can be asked for.", exits.USAGE
    if isinstance(error, NamesFileError):
        return str(error), exits.USAGE
    if isinstance(error, (FeedError, StoreError)):
        return str(error), exits.ERROR
    if any(kind.__name__ == "KubeError" for kind in type(error).__mro__):  # what is behind it takes time to import
        return str(error), exits.ERROR
    if isinstance(error, ImportError) and error.name in ("agent._engine", "agent"):
        return "the engine (agent._engine) is not built; run `make build`", exits.ERROR
    if type(error).__name__ == "CaptureError":
        return str(error.args[0] if error.args else error), exits.ERROR
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
        return f"{where}{error.strerror}", exits.ERROR
    return None, exits.ERROR


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f"\nTry `{context.command_path} --help`." if context is not None else ""
    return f"{error.format_message()}{hint}"
