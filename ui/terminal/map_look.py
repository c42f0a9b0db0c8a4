"""What the feed tells of a map: its edges, how they did over time; the filter that finds the requests of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ui.edges import Edge, listed
from ui.terminal.emptiness import no_match, nothing

if TYPE_CHECKING:
    from tapper.feed.interface import Feed, Span

    Row = dict[str, Any]

BUCKETS = 20
"""Of a sparkline; a cell each."""
SPARKS = {"p95_ns": "p95 OVER TIME", "calls": "CALLS OVER TIME", "errors": "ERRORS OVER TIME"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What the feed told of a map."""

    asked: tuple[Any, ...]
    edges: list[Edge]
    sparks: dict[tuple[int, int, str], dict[str, list[float | None]]]
    empty: str


def look(feed: Feed, level: str, where: str, span: Span) -> Looked:
    """Asks for the map and how its edges did over time."""
    found = feed.edges(level, where, span)
    edges = listed(found)
    sparks: dict[tuple[int, int, str], dict[str, list[float | None]]] = {}
    for row in feed.timeline(level, where, span, BUCKETS).drop_columns(["time"]).to_pylist():
        key = (row["src"], row["dst"], row["protocol"])
        rows = sparks.setdefault(key, {name: [None] * BUCKETS for name in SPARKS})
        if 0 <= row["bucket"] < BUCKETS:
            for name in SPARKS:
                rows[name][row["bucket"]] = row[name]
    empty = ""
    if not edges:
        summary = feed.summary()
        empty = no_match(summary, where) if where and summary.exchanges else nothing(summary, feed.health())
    return Looked((level, where, span), edges, sparks, empty)


def edge_filter(edge: Edge, level: str, edges: list[Edge]) -> str:
    """The requests of an edge, as short as they can be told."""
    nodes = {end["node"]: end for other in edges for end in (other.src, other.dst)}

    def is_end(which: str, node: Row) -> str:
        kind = node["kind"]
        named = kind if level in ("workload", "pod") and kind in ("workload", "pod", "process") else "name"
        field = "ip" if level == "address" else named
        condition = f"{which}.{field} == {quoted(node['name'])}"
        if any(n["name"] == node["name"] and n["namespace"] != node["namespace"] for n in nodes.values()):
            condition += f" && {which}.namespace == {quoted(node['namespace'])}" if node["namespace"] else ""
        return condition

    from tapper.filter.tree import quoted

    parts = [is_end("src", edge.src), is_end("dst", edge.dst)]
    if not edge.failed:
        parts.append(f"protocol == {quoted(edge.figures['protocol'])}")
    return " && ".join(parts)
