"""What options of several commands mean together, as values; `tapper.cli.options` declares them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import click

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
