"""Options that several commands share, and what they mean together."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    _Command = TypeVar("_Command", bound=Callable[..., Any])

LISTS = ("table", "wide", "json", "jsonl", "yaml", "har", "csv", "parquet")
"""Formats of a list of requests."""
MAPS = ("table", "json", "graphml", "dot", "mermaid", "csv", "svg", "png")
"""Formats of a map."""
SUFFIXES = {"mmd": "mermaid", "gv": "dot", "yml": "yaml", "ndjson": "jsonl", "pcapng": "pcap"}
"""Of file names, where they are not the format's name."""

ROWS = 1_000
"""Rows of a table on a terminal unless asked for more."""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_MAX_BODY = 1 << 30


def size(text: str) -> int:
    """Bytes of `65536`, `64K`, `1M`."""
    found = re.fullmatch(r"(\d{1,12})\s*([KMG]?)(?:i?B)?", text, re.IGNORECASE | re.ASCII)
    number = int(found[1]) * _UNITS[found[2].upper()] if found else -1
    if not 0 <= number <= _MAX_BODY:
        raise click.BadParameter(f"{text!r} is not a size up to 1G; sizes are written 65536, 64K or 1M")
    return number


def seconds(text: str) -> float:
    """Seconds of `30`, `30s`, `1.5m`, `2h`."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|h|)", text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a time; times are written 30s, 5m or 1h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2].lower()]


@dataclass(frozen=True, slots=True)
class Filters:
    """The options that say which requests."""

    where: str
    status: tuple[str, ...]
    to: tuple[str, ...]
    from_: tuple[str, ...]
    slower: str | None
    protocol: tuple[str, ...]
    method: tuple[str, ...]
    path: tuple[str, ...]
    host: tuple[str, ...]
    errors: bool

    def text(self) -> str:
        """Filter text of all of them; empty: everything.

        Raises:
            FilterError: one can't be understood.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if not any(values.values()):
            return ""
        from tapper.filter import from_flags

        return from_flags(values.pop("where"), **values).text


@dataclass(frozen=True, slots=True)
class Reading:
    """The options that say how a capture file is read."""

    names: str | None = None
    redact: bool = True
    redact_names: tuple[str, ...] = ()
    bodies: bool = True
    body_limit: int = 64 << 10
    proto: tuple[str, ...] = ()

    @property
    def only_shown(self) -> bool:
        """Nothing is said of how captures are read: what is there already can be shown so."""
        return replace(self, proto=()) == Reading()


@dataclass(frozen=True, slots=True)
class Listing:
    """The options that say how requests are listed."""

    format: str | None
    output: str | None
    limit: int | None
    order: str
    full: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Web:
    """The options that show it in the browser."""

    web: bool = False
    browser: bool = True
    port: int = 0


@dataclass(frozen=True, slots=True)
class Collector:
    """The options that say which collector to ask instead of reading files."""

    collector: str | None = None
    token_file: str | None = None


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


def _web_port(name: str) -> Callable[[_Command], _Command]:
    return click.option(
        name,
        "port",
        type=click.IntRange(0, 65535),
        default=0,
        metavar="N",
        help="Of the web view, on this machine only. Default: one that is free.",
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
    _web_port("--port"),
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


def page_options(function: _Command) -> _Command:
    """As `web_options`, for commands whose --port is another one."""
    return _add((*_WEB[:2], _web_port("--web-port")), function)


def collector_options(function: _Command) -> _Command:
    """Adds them, for commands that can ask a collector."""
    return _add(_COLLECTOR, function)


def _add(options: tuple[Callable[[_Command], _Command], ...], function: _Command) -> _Command:
    for option in reversed(options):
        function = option(function)
    return function


_Group = TypeVar("_Group")


def gather(group: type[_Group], values: dict[str, Any]) -> _Group:
    """Takes the group's options out of a command's values."""
    return group(**{field.name: values.pop(field.name) for field in fields(group)})  # type: ignore[arg-type]


def format_of(wanted: str | None, output: str | None, known: tuple[str, ...]) -> str:
    """The format asked for, or the one that the file's name says, or the table."""
    if wanted is not None:
        return wanted
    suffix = output.rpartition(".")[2].lower() if output and "." in output else ""
    named = SUFFIXES.get(suffix, suffix)
    return named if named in known else "table"
