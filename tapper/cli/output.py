"""Where a command writes: standard output or a file, and how much of what fits there."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from tapper.cli.terminal import Terminal, terminal
from tapper.cli.values import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tapper.cli.values import Listing

BINARY = ("parquet", "png")
TABLES = ("table", "wide")


def limit_of(listing: Listing, chosen: str) -> int | None:
    """How many rows; None: all."""
    if listing.limit is not None:
        return listing.limit or None
    return ROWS if chosen in TABLES and listing.output is None and sys.stdout.isatty() else None


@contextmanager
def target(path: str | None, *, binary: bool = False) -> Iterator[BinaryIO]:
    """Where to write: the file, whole or not at all; without one, standard output."""
    if path is None or path == "-":
        if binary and sys.stdout.isatty():
            raise click.UsageError("this format is not for a terminal; write it to a file with -w FILE")
        if binary:
            yield sys.stdout.buffer
            return
        from tapper.cli.whole_lines import WholeLines

        lines = WholeLines(sys.stdout.buffer)
        yield lines
        lines.flush()
        return
    from tapper.export.whole import whole

    with whole(Path(path)) as file:
        yield file


def output_of(path: str | None) -> Terminal:
    """What can be shown where `target` writes."""
    return terminal() if path in (None, "-") else Terminal()


def write_lines(path: str | None, lines: Iterable[str]) -> None:
    """Text, where `target` writes."""
    encoding = (sys.stdout.encoding or "utf-8") if path in (None, "-") else "utf-8"
    with target(path) as file:
        file.writelines(f"{line}\n".encode(encoding, "replace") for line in lines)
