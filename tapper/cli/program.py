"""The program: finds commands by name, imports the one that is asked for, turns errors into words and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tapper.cli import exits

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "tap",
    "demo",
    "check",
    "clean",
    "install",
    "attach",
    "uninstall",
    "read",
    "open",
    "list",
    "show",
    "map",
    "export",
    "follow",
    "fields",
    "agent",
    "collector",
    "replay",
    "completion",
    "version",
)
"""In the order of the help; `commands/<name>.py` has the command as `command`."""


class ClosedPipeError(Exception):
    """Nobody reads what is written any more. Not an OSError: click would make exit code 1 of it."""


class Program(click.Group):
    """A group whose commands are modules, imported when they are needed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Lets `tapper --collector URL` stand for `tapper open --collector URL`."""
        opens = bool(args) and args[0].partition("=")[0] == "--collector"
        return super().parse_args(ctx, ["open", *args] if opens else args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"tapper.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ClosedPipeError from error
        return result

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name when there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `tapper {near[0]}`?" if near else f"there are {', '.join(COMMANDS)}"
            if not near and os.path.exists(args[0]):  # noqa: PTH110
                hint = f"to read a file: tapper read {args[0]}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from tapper.cli.commands import version

        ctx.invoke(version.command)
        ctx.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="As `tapper version`."
)
def program() -> None:
    """Shows what the services of a cluster really say to each other.

    Reads captures (pcap, pcapng) into named, timed requests and responses; lists, shows, filters and exports them, and
    draws the map of who calls whom. `tapper --collector URL` browses what a collector elsewhere has.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without these characters gets "?"
    try:
        result = program.main(arguments, prog_name="tapper", standalone_mode=False)
    except ClosedPipeError:
        # Nobody reads any more. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except Exception as error:
        from tapper.cli.problems import report

        return report(error)
    return result if isinstance(result, int) else exits.OK
