"""A tap on the terminal: requests as they come, why none do; in the end what was seen, what was lost, what hurts."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tapper.cli.problems import say
from tapper.cli.values import format_of
from tapper.model.text import clean, count, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

    from tapper.cli.following import Until
    from tapper.cli.values import Listing, Web
    from tapper.feed.interface import Feed, Health, Summary, TargetState

FORMATS = ("table", "wide", "jsonl", "har", "pcap", "none")
STREAMED = ("table", "wide", "jsonl")
PATIENCE_S = 8.0
"""Without a request for so long, it is said why that may be."""
WORST = 5
"""Edges shown in the end."""


def show(
    feed: Feed,
    where: str,
    listing: Listing,
    web: Web,
    until: Until,
    *,
    finish: Callable[[], tuple[TargetState, ...]] | None = None,
    leave_out: Callable[[str, int], None] | None = None,
    worst: int = WORST,
) -> None:
    """Shows a feed until it is time to end: in the terminal UI or, where no one sits at a terminal or another output
    is asked for, as requests on standard output. In the end it is said what was seen, what was lost, what hurts.

    Args:
        web: its page is served meanwhile, if that is asked for.
        leave_out: called with the address and port of that page, whose traffic is not to be shown.
        finish: called when it is time, and again when all is shown: takes what was read until then, ends the feed,
            and gives how the targets were. Without it what arrives after that time is not shown.
        worst: edges shown in the end.
    """
    from contextlib import ExitStack

    from tapper.cli import browsing

    shown: int | None
    with ExitStack() as stack:
        if web.web:
            from tapper.cli.web import page

            served = stack.enter_context(page(feed, web, where))
            if leave_out is not None:
                leave_out(served.host, served.port)
        if not web.web and browsing.wanted(listing):
            from ui.terminal import run

            until.begin()
            run(feed, where=where, over=lambda: until.over)
            shown = None
        else:
            shown = follow(feed, where, listing, until, finish)
        targets = finish() if finish is not None else None
        number = feed.count(where) if shown is None else shown
        closing(feed, where, number, quiet=listing.quiet, worst=worst, targets=targets)


def follow(feed: Feed, where: str, listing: Listing, until: Until, finish: Callable[[], object] | None = None) -> int:
    """Shows requests as they come; the number of those that were shown. `finish`: see `show`."""
    from tapper.cli.following import NEEDED, rows
    from tapper.cli.output import output_of, target
    from tapper.cli.streaming import Printer
    from tapper.export.requests import http_only

    chosen = format_of(listing.format, listing.output, FORMATS)
    if chosen not in STREAMED:
        wanted = http_only(where) if chosen == "har" else where
        if listing.limit:
            came = rows(feed, wanted, NEEDED, until, finish)
        else:  # none is counted, so none is looked at
            came = until.each(lambda: feed.follow(wanted, ("id",)))
        _wait(feed, came, listing, packets=chosen == "pcap")
        if finish is not None:
            finish()
        if chosen == "har":
            _write_har(feed, where, listing)
        return feed.count(where)
    with target(listing.output) as file:
        printer = Printer(file, output_of(listing.output), listing)
        patience = Patience(feed, quiet=listing.quiet)
        for table in rows(feed, where, printer.columns, until, finish):
            if table.num_rows:
                left = None if not listing.limit else listing.limit - printer.shown
                printer.print(table.select(list(printer.columns)).slice(0, left))
                if listing.limit and printer.shown >= listing.limit:
                    break
            patience.look(printer.shown)
        return printer.shown


class Patience:
    """Says once why nothing is shown."""

    def __init__(self, feed: Feed, *, quiet: bool) -> None:
        self._feed = feed
        self._begun = time.monotonic()
        self._said = quiet

    def look(self, shown: int) -> None:
        """To be called now and then."""
        if self._said or shown or time.monotonic() - self._begun < PATIENCE_S:
            return
        self._said = True
        summary, health = self._feed.summary(), self._feed.health()
        for line in silence(summary, health, time.monotonic() - self._begun):
            say(line)


def _wait(feed: Feed, coming: Iterable[pa.Table], listing: Listing, *, packets: bool) -> None:
    """Until no more comes, or as many came as are wanted; of packets alone, nobody may want more of them."""
    patience = Patience(feed, quiet=listing.quiet)
    came = 0
    for table in coming:
        came += table.num_rows
        patience.look(came)
        if listing.limit and came >= listing.limit:
            return
        if packets and any(target.problem for target in feed.health().targets if target.state == "tapped"):
            return


def _write_har(feed: Feed, where: str, listing: Listing) -> None:
    from tapper.cli.output import target
    from tapper.export.requests import write
    from tapper.feed.interface import Query

    with target(listing.output) as file:
        for line in write(feed, Query(where, limit=listing.limit or 0), "har", file):
            say(line)


def silence(summary: Summary, health: Health, seconds: float) -> Iterator[str]:
    """Why nothing is shown, and what to do."""
    heard = (
        f"Listening{f' on {clean(health.title)}' if health.title else ''} for {seconds // 60:.0f}:{seconds % 60:02.0f}."
    )
    tls = summary.unparsed.get("tls", 0)
    if summary.exchanges:
        yield f"{heard} {count(summary.exchanges)} requests came, none that matches the filter."
    elif tls and tls == sum(summary.unparsed.values()):
        yield (
            f"{heard} Traffic flows but is encrypted: {counted(tls, 'TLS connection')}."
            " Peers, bytes and timing are kept; contents can't be seen."
        )
    elif summary.connections:
        yield (
            f"{heard} {count(summary.packets)} packets on {count(summary.connections)} connections, no complete request"
            " yet. Connections that were open before may show only in part. Send a request."
        )
    else:
        elsewhere = "-i names another interface, --port and --pid may be too narrow."
        if any(target.kind == "pod" for target in health.targets):
            elsewhere = "These pods call nobody, and nobody calls them; `tapper tap -n NAMESPACE` taps others."
        packets = f"{count(summary.packets)} packets, but no TCP and no UDP." if summary.packets else "No packet yet."
        yield f"{heard} {packets} Send a request; {elsewhere}"
    yield from map(clean, health.hints)


def closing(
    feed: Feed,
    where: str,
    shown: int,
    *,
    quiet: bool,
    worst: int = WORST,
    targets: tuple[TargetState, ...] | None = None,
) -> None:
    """What was seen, what was lost, what could not be tapped, and the edges that hurt most."""
    sys.stdout.flush()
    if quiet:
        return

    from tapper.cli import edges
    from tapper.cli.closing import closing_lines, untapped
    from tapper.cli.terminal import terminal
    from tapper.feed.interface import Source

    summary = replace(feed.summary(), complete=True)  # of what is live, nothing else is expected
    if summary.exchanges or summary.connections:
        found = list(edges.lines(feed.edges(where=where), terminal(sys.stderr)))
        if len(found) > 1:
            say("")
            for line in found[: worst + 1]:
                print(line, file=sys.stderr)  # noqa: T201
            if len(found) > worst + 1:
                say(f"... and {len(found) - worst - 1} more edges")
            say("")
    told = list(untapped(targets or (), over=True))
    tapped = [target.name for target in targets or () if target.state == "tapped"]
    if targets is None or summary.packets or tapped:
        summary = replace(summary, sources=summary.sources or tuple(map(Source, tapped)))
        told = [*closing_lines(summary, where, shown if where else None), *told]
    for line in told or ["stopped before anything was tapped"]:
        say(line)
