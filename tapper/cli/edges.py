"""The service map as a table: what hurts first, connections that failed as rows of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.cli.grid import grid
from ui.edges import listed, node_name
from ui.formatting import clean, colour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.terminal import Terminal
    from tapper.feed.interface import Map

SPARE = (4, 8, 6)
"""Columns that go first on a narrow terminal."""
TITLES = ("FROM", "TO", "PROTO", "CALLS", "RATE", "ERR", "p50", "p95", "p99", "")
NAMES = (0, 1)
RIGHT = (3, 4, 5, 6, 7, 8)


def lines(found: Map, output: Terminal) -> Iterator[str]:
    """A row for each edge, sorted by what hurts."""
    rows = []
    for edge in listed(found):
        ends = node_name(edge.src), node_name(edge.dst), clean(edge.figures["protocol"])
        latencies = (edge.latency(which) for which in ("p50", "p95", "p99"))
        texts = (*ends, edge.calls, edge.rate, edge.errors, *latencies, edge.notes)
        rows.append((texts, colour(edge.outcome)))
    yield from grid(TITLES, rows, output, RIGHT, SPARE, NAMES)
