"""Options that several commands share; what they mean together is in `tapper.cli.values`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from tapper.cli.values import LISTS, ROWS, seconds, size

if TYPE_CHECKING:
    from collections.abc import Callable

    _Command = TypeVar("_Command", bound=Callable[..., Any])


def _several(*names: str, metavar: str, text: str) -> Callable[[_Command], _Command]:
    return click.option(*names, multiple=True, metavar=metavar, help=text)


_FILTERS = (
    click.option(
        "--filter",
        "-f",
        "where",
        default="",
        metavar="CEL",
        help="Only requests that match, e.g. 'status >= 500 && latency > 200ms'. See `tapper fields`.",
    ),
    _several("--status", metavar="CODE", text="404, 5xx, 400-499, '>=500' or a name such as NXDOMAIN."),
    _several("--to", metavar="NAME", text="Called service, workload, pod or address; or namespace/name."),
    _several("--from", "from_", metavar="NAME", text="The same of the caller."),
    click.option("--slower", metavar="TIME", help="Latency above this: 200ms, 1.5s."),
    _several("--protocol", metavar="NAME", text="http, dns ..."),
    _several("--method", metavar="NAME", text="GET, POST ..., or another protocol's operation."),
    _several("--path", metavar="PATH", text="This path and those below it, or a pattern with *."),
    _several("--host", metavar="NAME", text="Host that the client named."),
    click.option("--errors", is_flag=True, help="Failed ones only: server errors, timeouts, resets, refused."),
)

_READING = (
    click.option(
        "--names",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="YAML file that names addresses (docs/names-file.md).",
    ),
    click.option(
        "--no-redact", "redact", flag_value=False, default=True, help="Keep secrets as they are instead of marks."
    ),
    click.option(
        "--redact-name",
        "redact_names",
        multiple=True,
        metavar="NAME",
        help="One more header, parameter or field that holds a secret.",
    ),
    click.option("--no-bodies", "bodies", flag_value=False, default=True, help="Keep heads only: faster, smaller."),
    click.option(
        "--body-limit", type=size, default="64K", show_default=True, metavar="SIZE", help="Bytes kept of one body."
    ),
    click.option(
        "--proto",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        help="Descriptor set (protoc --include_imports --descriptor_set_out) that names the fields of gRPC messages.",
    ),
)

_OUTPUT = click.option(
    "-w", "--output", metavar="FILE", type=click.Path(), help="Write there instead of to standard output."
)
_QUIET = click.option("--quiet", "-q", is_flag=True, help="No progress, no closing lines.")

_LISTING = (
    click.option(
        "-o",
        "--format",
        "format",
        type=click.Choice(LISTS),
        help="Default: table, or what the name of the file to write says.",
    ),
    _OUTPUT,
    click.option(
        "--limit",
        "-n",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"At most so many; 0: all. Default: {ROWS:,} for a table on a terminal, else all.",
    ),
    click.option(
        "--order",
        default="time",
        show_default=True,
        metavar="COLUMN",
        help="time, latency, size, status ...; with a - before it, the largest first.",
    ),
    click.option("--full", is_flag=True, help="Bodies and messages of --show without a limit."),
    _QUIET,
)


_COLLECTOR = (
    click.option(
        "--collector",
        metavar="URL",
        help="Ask a running collector or tap, with the URL that it printed; its token may also be in TAPPER_TOKEN.",
    ),
    click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="File that holds the collector's token.",
    ),
)


_WEB = (
    click.option("--web", is_flag=True, help="Show it in the browser, until Ctrl-C."),
    click.option(
        "--no-browser",
        "browser",
        flag_value=False,
        default=True,
        help="Only say the URL of the web view; opens nothing.",
    ),
    click.option(
        "--web-port",
        "port",
        type=click.IntRange(0, 65535),
        default=0,
        metavar="N",
        help="Of the web view, on this machine only. Default: one that is free.",
    ),
)


def filter_options(function: _Command) -> _Command:
    """Adds them; the command takes them with `gather(Filters, values)`."""
    return _add(_FILTERS, function)


def following_options(
    formats: tuple[str, ...], limit: tuple[str, ...] = ("--limit", "-n")
) -> Callable[[_Command], _Command]:
    """Adds them, for commands that show requests as they come; the values are those of Listing, and `seconds`.

    Args:
        limit: names of that option; where there is a cluster, -n is a namespace as it is for kubectl.
    """

    def add(function: _Command) -> _Command:
        return _add(
            (
                click.option(
                    "-o",
                    "--format",
                    "format",
                    type=click.Choice(formats),
                    help="Default: table, or what the name of the file to write says.",
                ),
                _OUTPUT,
                click.option(*limit, type=click.IntRange(min=1), metavar="N", help="End after so many."),
                click.option(
                    "--for",
                    "seconds",
                    type=seconds,
                    metavar="TIME",
                    help="End after this time: 30s, 5m. Default: Ctrl-C.",
                ),
                _QUIET,
            ),
            function,
        )

    return add


def reading_options(function: _Command) -> _Command:
    """Adds them, for commands that read captures."""
    return _add(_READING, function)


def listing_options(function: _Command) -> _Command:
    """Adds them."""
    return _add(_LISTING, function)


def web_options(function: _Command) -> _Command:
    """Adds them."""
    return _add(_WEB, function)


def collector_options(function: _Command) -> _Command:
    """Adds them, for commands that can ask a collector."""
    return _add(_COLLECTOR, function)


def _add(options: tuple[Callable[[_Command], _Command], ...], function: _Command) -> _Command:
    for option in reversed(options):
        function = option(function)
    return function
