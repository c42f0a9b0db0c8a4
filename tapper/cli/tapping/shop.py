"""The demo: opens the shop in a network namespace of its own and taps it; or shows a recording of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapper.cli.problems import say
from tapper.cli.tapping import child

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.following import Until
    from tapper.cli.values import Listing, Web

CLOSE_S = 5.0
ROWS = 20
"""Of the recording."""
EDGES = 40
"""More than the shop has."""


def live(where: str, listing: Listing, web: Web, until: Until) -> None:
    """Taps it until it is time to end.

    Raises:
        ClickException: it could not be opened or tapped.
    """
    from tapper.cli.tapping import showing
    from tapper.cli.tapping.local import Wanted, tapped
    from tapper.demo.names import claims
    from tapper.model.control import Settings, Target

    with placed() as shop:
        pid = shop.process.pid
        target = Target("pid", str(pid), "the shop")
        joined = pid if _is_elsewhere(pid) else None
        wanted = Wanted((target,), Settings(), "the shop", tuple(claims()), names_of=(), user_namespace=joined)
        with tapped(wanted, until) as running:
            if not until.over:  # tapped before it opens: nothing is joined in the middle
                shop.open()
            showing.show(running.feed, where, listing, web, until, finish=running.stop, worst=EDGES)


class Shop:
    """The shop's process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None  # noqa: S101
        self.process = process
        self._said = child.LastWords(process.stderr)

    def open(self) -> None:
        """Opens it; visitors come.

        Raises:
            ClickException: it does not open.
        """
        from tapper.demo.shop import OPEN

        assert self.process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
        self.expect(OPEN)

    def expect(self, word: str) -> None:
        """Waits until it says so.

        Raises:
            ClickException: it ended instead.
        """
        assert self.process.stdout is not None  # noqa: S101
        if self.process.stdout.readline().decode().strip() != word:
            raise click.ClickException(f"the shop does not open: {self._said.text() or 'it does not say why'}")


@contextmanager
def placed() -> Iterator[Shop]:
    """The shop in its network namespace while the block runs; it is not open yet.

    Raises:
        ClickException: it does not come up.
    """
    from tapper.cli.tapping.local import environment
    from tapper.demo.shop import APART, READY

    pipe = subprocess.PIPE
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "tapper.demo.shop", APART],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,  # Ctrl-C is ours to answer
        env=environment(),
    )
    try:
        shop = Shop(process)
        shop.expect(READY)
        yield shop
    finally:
        child.end(process, CLOSE_S)


def _is_elsewhere(pid: int) -> bool:
    """Whether a process is in another user namespace than we are."""
    return Path(f"/proc/{pid}/ns/user").stat().st_ino != Path("/proc/self/ns/user").stat().st_ino


def recording(problem: str, where: str, listing: Listing, web: Web) -> int:
    """Shows the capture that tapper comes with; the exit code."""
    from importlib.resources import as_file, files

    from tapper.cli import browsing, showing
    from tapper.cli.source import opened as read
    from tapper.cli.values import Reading

    say(f"A shop can't be opened and tapped here ({problem}): this is a recording of one.")
    with as_file(files("tapper.demo")) as directory:
        paths = (str(Path(directory) / "shop.pcap.zst"),)
        reading = Reading(names=str(Path(directory) / "names.yaml"))
        if not web.web and browsing.wanted(listing):
            return browsing.read(paths, reading, where)
        with read(paths, reading, quiet=listing.quiet) as source:
            if web.web:
                from tapper.cli.web import browse

                browse(source.feed, web)
                return source.code
            showing.requests(source, where, replace(listing, limit=listing.limit or ROWS))
            if listing.format in (None, "table", "wide"):
                click.echo()
                showing.service_map(source, "table", where)
            return source.finish(quiet=listing.quiet)
