"""The service map as a table: what hurts first, connections that failed as rows of their own; and two maps compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.cli.grid import grid
from ui.formatting import clean, count, duration, rate, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.terminal import Terminal
    from tapper.feed.interface import Map

SPARE = (4, 8, 6)
"""Columns that go first on a narrow terminal."""
TITLES = ("FROM", "TO", "PROTO", "CALLS", "RATE", "ERR", "p50", "p95", "p99", "")
RIGHT = (3, 4, 5, 6, 7, 8)
ENOUGH = 20
"""Calls that a p99 needs; of fewer, the maximum is shown, marked."""


def lines(found: Map, output: Terminal) -> Iterator[str]:
    """A row for each edge, sorted by what hurts."""
    nodes = {row["node"]: _node(row) for row in found.nodes.to_pylist()}
    rows = sorted(_rows(found, nodes), key=lambda row: row[0])
    yield from grid(TITLES, [(texts, colour) for _, texts, colour in rows], output, RIGHT, SPARE)


def _node(row: dict[str, Any]) -> str:
    name = f"{row['namespace']}/{row['name']}" if row["namespace"] else row["name"]
    return clean(f"? {name}" if row["kind"] == "address" else name)


def _rows(found: Map, nodes: dict[int, str]) -> Iterator[tuple[tuple[float, ...], list[str], str]]:
    for edge in found.edges.drop_columns(["first", "last"]).to_pylist():
        ends = [nodes.get(edge["src"], "?"), nodes.get(edge["dst"], "?"), clean(edge["protocol"])]
        calls, errors = edge["calls"], edge["errors"]
        failed = edge["refused"] + edge["unanswered"]
        if calls or edge["streams"] or not failed:
            hurt = (-(errors / calls if calls else 0), -(edge["p95_ns"] or edge["max_ns"] or 0), -calls)
            yield hurt, [*ends, *_figures(edge)], "red" if errors else ""
        if failed:
            words = [f"{state} {count(edge[state])}" for state in ("refused", "unanswered") if edge[state]]
            text = f"{', '.join(words)} of {count(edge['connections'])} connections"
            yield (-2, -failed), [*ends, "-", "-", share(failed, edge["connections"]), "-", "-", "-", text], "magenta"


def _figures(edge: dict[str, Any]) -> list[str]:
    calls = edge["calls"]
    few = calls < ENOUGH and edge["max_ns"] is not None
    notes = []
    if edge["streams"]:
        notes.append(f"{count(edge['streams'])} streams, {count(edge['stream_messages'])} messages")
    if edge["open_streams"]:
        notes.append(f"{count(edge['open_streams'])} open")
    if edge["client_errors"]:
        notes.append(f"{share(edge['client_errors'], calls)} client errors")
    if edge["reset"]:
        notes.append(f"{count(edge['reset'])} connections reset")
    if not calls and not edge["streams"]:
        notes.append(f"{count(edge['connections'])} connections, not parsed")
    return [
        count(calls) if calls else "-",
        rate(edge["rate"]) if calls else "-",
        share(edge["errors"], calls),
        duration(edge["p50_ns"]),
        duration(edge["p95_ns"]),
        f"max {duration(edge['max_ns'])}" if few else duration(edge["p99_ns"]),
        ", ".join(notes),
    ]
