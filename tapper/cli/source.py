"""What commands read from: a saved session opened, or captures read into one that is gone afterwards (or saved)."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapper.cli import exits
from tapper.cli.problems import say

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import FrameType

    from tapper.cli.values import Collector, Listing, Reading
    from tapper.feed.interface import Feed
    from tapper.feed.reading import ReadOptions, Step
    from tapper.feed.remote import RemoteFeed
    from tapper.identity.names import Claim
    from tapper.store.session import Session


@dataclass(slots=True)
class Source:
    """An open source, and what there is to say about it in the end."""

    feed: Feed
    where: str = ""
    problems: list[str] = field(default_factory=list)
    packets: int = 0
    interrupted: bool = False
    matched: int | None = None
    shown: int | None = None
    said: list[str] = field(default_factory=list)
    """Further lines for the end."""

    @property
    def code(self) -> int:
        """The exit code that tells how reading went."""
        if self.interrupted:
            return exits.INTERRUPTED
        if self.problems:
            return exits.DAMAGED if self.packets else exits.ERROR
        return exits.OK

    def finish(self, *, quiet: bool = False) -> int:
        """Says the closing lines on stderr and gives the exit code."""
        sys.stdout.flush()
        told: list[str] = []
        if not quiet:
            from tapper.cli.closing import closing_lines

            if self.packets or not self.problems:
                told += closing_lines(self.feed.summary(), self.where, self.matched, self.shown, self.interrupted)
            told += self.said
        told += [f"tapper: {problem}" for problem in self.problems if not any(problem in line for line in told)]
        for line in told:
            say(line)
        return self.code


@contextmanager
def opened(
    paths: Sequence[str],
    reading: Reading,
    *,
    save: str | None = None,
    replace: bool = False,
    quiet: bool = False,
    collector: Collector | None = None,
) -> Iterator[Source]:
    """Opens a saved session, reads captures, or asks a collector.

    Args:
        paths: one session, or capture files; "-" is standard input.
        reading: how to read captures.
        save: where to keep the session of the captures; None: nowhere.
        replace: whether a session that is there already gives way.
        quiet: no progress.
        collector: to be asked instead, if it names one.
    """
    if collector is not None and collector.collector:
        if paths or not reading.only_shown:
            raise click.UsageError("--collector is asked for what it has: no SOURCE and no option of reading with it")
        with remote(collector) as feed:
            yield Source(feed)
        return
    check(paths)
    if Path(paths[0]).is_dir():
        if save:
            raise click.UsageError(f"{paths[0]} is a session already; copy it with cp -r")
        if not reading.only_shown:
            raise click.UsageError(f"{paths[0]} is a session: how it is read was settled when it was saved")
        from tapper.feed.session import open_session

        with open_session(paths[0]) as feed:
            yield Source(feed)
        return
    options = options_of(reading)
    with recorded(paths, options, save, replace=replace) as session:
        source = _read(paths, session, options, quiet=quiet)
        if save and source.problems and not source.packets:
            from tapper.store.session import remove

            session.close()
            remove(Path(save))
            raise click.ClickException("\n".join(source.problems))
        yield source


def remote(collector: Collector) -> RemoteFeed:
    """The feed of the collector that the options name."""
    from tapper.feed.remote import open_remote

    token = os.environ.get("TAPPER_TOKEN", "")
    if collector.token_file:
        token = Path(collector.token_file).read_text(encoding="utf-8").strip()
    return open_remote(collector.collector or "", token)


def check(paths: Sequence[str]) -> None:
    """What can be told before anything is read."""
    if not paths:
        raise click.UsageError("Missing argument 'SOURCE...': a saved session (x.tap) or captures.")
    for path in paths:
        if path == "-":
            if sys.stdin.isatty():
                raise click.UsageError(
                    "standard input is a terminal; pipe a capture in: tcpdump -U -w - | tapper read -"
                )
        elif not Path(path).exists():
            raise click.ClickException(f"{path}: no such file or directory")
        elif Path(path).is_dir() and len(paths) > 1:
            raise click.UsageError(f"{path} is a directory; a session is opened alone")
    if list(paths).count("-") > 1:
        raise click.UsageError("standard input can be read once only")
    given: dict[tuple[int, int], str] = {}
    for path in filter(os.path.isfile, paths):
        about = Path(path).stat()
        file = about.st_dev, about.st_ino
        if file in given:
            same = "is given twice" if path == given[file] else f"is the same file as {given[file]}"
            raise click.UsageError(f"{path} {same}: its requests would count twice; leave one out")
        given[file] = path


def options_of(reading: Reading) -> ReadOptions:
    """How the feed is to read."""
    from tapper.feed.reading import ReadOptions

    claims: tuple[Claim, ...] = ()
    if reading.names:
        from tapper.identity.names_file import read

        claims = tuple(read(Path(reading.names)))
    return ReadOptions(
        bodies=reading.bodies,
        body_limit=reading.body_limit,
        redact=reading.redact,
        redact_names=tuple(name.lower() for name in reading.redact_names),
        descriptors=descriptors(reading.proto),
        claims=claims,
    )


def descriptors(paths: Sequence[str]) -> tuple[bytes, ...]:
    """The sets of descriptors in files."""
    if not paths:
        return ()
    from tapper.feed.schemas import read_sets

    try:
        return read_sets(paths)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def recorded(
    paths: Sequence[str], options: ReadOptions, save: str | None = None, *, replace: bool = False
) -> Iterator[Session]:
    """A new session for captures; what is there already is told with what to do."""
    from tapper.feed.reading import recording
    from tapper.store.errors import SessionExistsError

    try:
        with recording(paths, options, save=Path(save) if save else None, replace=replace) as session:
            yield session
    except SessionExistsError as error:
        hint = "" if replace else "; --force replaces a session"
        raise click.ClickException(f"{error}{hint}") from error


def _read(paths: Sequence[str], session: Session, options: ReadOptions, *, quiet: bool) -> Source:
    from tapper.feed.reading import read_files
    from tapper.feed.session import SessionFeed

    source = Source(SessionFeed(session))
    for _ in steps(read_files(paths, session, options), paths, source, quiet=quiet):
        pass
    return source


def steps(
    reading: Generator[Step, None, None], paths: Sequence[str], source: Source, *, quiet: bool
) -> Generator[Step]:
    """The steps of reading, with progress; Ctrl-C ends it in order, a second one at once."""
    from tapper.cli.progress import progress

    with closing(reading), _interruptible(source), progress(paths, quiet=quiet) as moved:
        for step in reading:
            source.packets = step.packets
            if step.problem:
                source.problems.append(step.problem)
            moved(step)
            yield step
            if source.interrupted:
                return


@contextmanager
def _interruptible(source: Source) -> Iterator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        if source.interrupted:
            raise KeyboardInterrupt
        source.interrupted = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def streamed(paths: Sequence[str], reading: Reading, where: str, listing: Listing) -> int:
    """Requests on standard output, or into a file, as they are read; the exit code."""
    from tapper.cli.output import limit_of, output_of, target
    from tapper.cli.streaming import Printer
    from tapper.feed.fresh import Matcher
    from tapper.feed.reading import read_files
    from tapper.feed.session import SessionFeed

    check(paths)
    options = options_of(reading)
    with recorded(paths, options) as session, target(listing.output) as file:
        source = Source(SessionFeed(session), where)
        printer = Printer(file, output_of(listing.output), listing)
        matcher = Matcher(session, where, printer.columns)
        limit = limit_of(listing, printer.format)
        files = read_files(paths, session, options, names_at_once=True)
        with closing(steps(files, paths, source, quiet=listing.quiet or sys.stdout.isatty())) as reading_on:
            for step in reading_on:
                if step.exchanges is None:
                    continue
                rows = matcher.rows(step.exchanges)
                printer.print(rows if limit is None else rows.slice(0, limit - printer.shown))
                if limit is not None and printer.shown >= limit:
                    return exits.OK
        source.matched = printer.shown if where else None
        return source.finish(quiet=listing.quiet)
