"""The raw packets of a tap of this machine: kept in a file, or given on as they come."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from tapper.cli.problems import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.feed.interface import Feed

MIN_BYTES = 1 << 20
ENDLESS = 1 << 62
"""Bytes of a stream."""
COUNTED = ((("ring", "drops"), "dropped by the kernel"), (("recording", "dropped"), "left out for want of room"))


@dataclass(frozen=True, slots=True)
class Raw:
    """Where they go."""

    path: Path | None
    """None: to standard output, as they come."""
    size: int
    """Bytes that are kept at most; a stream has no bound."""

    def check(self, targets: int) -> None:
        """Tells early that it can't be.

        Raises:
            UsageError: what is wrong.
        """
        from tapper.feed.packets import recording_files

        if self.path is None:
            if sys.stdout.isatty():
                raise click.UsageError("packets are not for a terminal: -w FILE.pcapng, or | wireshark -k -i -")
            if targets > 1:
                raise click.UsageError("one stream of packets has one source: -w FILE.pcapng for several")
        elif self.path.exists() and not self.path.is_file():
            raise click.UsageError(f"{self.path} is there and is no file; -o pcap gives packets on as they come")
        elif self.size < max(1, targets) * MIN_BYTES:
            raise click.UsageError(f"--pcap-bytes must be at least {max(1, targets)}M here")
        elif not self.path.is_file() and (left := recording_files(self.path)):
            raise click.UsageError(f"{left[0]} is of a tap that was killed: move it away, or keep packets elsewhere")

    @contextmanager
    def opened(self) -> Iterator[tuple[str, int, tuple[int, ...]]]:
        """While a process is started that writes there: path, size, and what it must inherit."""
        if self.path is not None:
            yield str(self.path.resolve()), self.size, ()
            return
        stream = os.dup(sys.stdout.fileno())
        try:
            yield f"/proc/self/fd/{stream}", ENDLESS, (stream,)
        finally:
            os.close(stream)


def keep(feed: Feed, raw: Raw, title: str, *, quiet: bool) -> None:
    """Puts names and comments into the raw packets of a tap that has ended."""
    from tapper.export.recording import finish
    from tapper.feed.packets import recording_files
    from tapper.model.text import count

    files = recording_files(raw.path) if raw.path is not None else []
    if raw.path is None or not files:
        return
    counters = feed.counters().drop_columns("time").to_pylist()
    known = {(c["stage"], c["name"]): c["value"] for c in counters}
    missing = [f"{count(known[place])} {words}" for place, words in COUNTED if known.get(place)]
    about = ", ".join([f"tapper: packets of {title}", *missing])
    try:
        for line in finish(feed, files, raw.path, about):
            if not quiet:
                say(line)
    except OSError as error:
        raise click.ClickException(
            f"{raw.path}: names and comments can't be put in ({error.strerror}); the packets are there without them"
        ) from error
