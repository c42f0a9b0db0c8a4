"""The first look at a source: what it is, which protocols, who calls whom, what failed last, what is slowest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.cli import edges
from tapper.cli.table import Table
from tapper.feed.interface import Query
from tapper.filter import narrowed
from ui.columns import COLUMNS, TABLE
from ui.formatting import clean, count, counted, duration, size, time_of_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.cli.terminal import Terminal
    from tapper.feed.interface import Feed, Summary

ROWS = 5
EDGES = 15


def lines(feed: Feed, where: str, paths: Sequence[str], output: Terminal) -> Iterator[str]:
    """All of it; nothing if there is no traffic. A filter chooses the edges and requests."""
    summary = feed.summary()
    if not summary.connections and not summary.exchanges:
        return
    yield from _facts(summary, output)
    found = feed.edges(where=where)
    if found.edges.num_rows:
        yield from ("", output.paint("Map", bold=True))
        rows = list(edges.lines(found, output))
        yield from rows[: EDGES + 1]
        if len(rows) > EDGES + 1:
            yield f"… {count(len(rows) - EDGES - 1)} more edges: tapper map {clean(paths[0])}"
    failed = Query(where=narrowed(where, "failed"), order="time", descending=True)
    slow = Query(where=narrowed(where, "has(latency)"), order="latency_ns", descending=True)
    yield from _requests(feed, "Failed last", failed, output)
    yield from _requests(feed, "Slowest", slow, output)


def _facts(summary: Summary, output: Terminal) -> Iterator[str]:
    for source in summary.sources:
        yield f"{output.paint(clean(source.name), bold=True)}{f'  {size(source.bytes)}' if source.bytes else ''}"
    if summary.first_ns is not None and summary.last_ns is not None:
        yield (
            f"{time_of_day(summary.first_ns)} to {time_of_day(summary.last_ns)}"
            f" ({duration(summary.last_ns - summary.first_ns)}), {count(summary.packets)} packets"
        )
    protocols = ", ".join(f"{clean(name)} {count(number)}" for name, number in list(summary.protocols.items())[:8])
    yield f"{counted(summary.exchanges, 'request')}{f': {protocols}' if protocols else ''}"
    if summary.unparsed:
        unparsed = ", ".join(f"{clean(name)} {count(number)}" for name, number in list(summary.unparsed.items())[:8])
        yield f"{counted(summary.connections, 'connection')}, without requests: {unparsed}"
    if not summary.redacted:
        yield output.paint("secrets in it are as they were sent (--no-redact)", "yellow")


def _requests(feed: Feed, title: str, query: Query, output: Terminal) -> Iterator[str]:
    from dataclasses import replace

    page = feed.page(replace(query, limit=ROWS, columns=COLUMNS))
    if page.num_rows:
        yield from ("", output.paint(title, bold=True))
        yield from Table(TABLE, output).lines(page)
