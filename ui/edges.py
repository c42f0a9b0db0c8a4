"""Edges of the service map as people read them: their figures in words, what hurts first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ui.formatting import clean, count, counted, duration, rate, share

if TYPE_CHECKING:
    from tapper.feed.interface import Map

    Row = dict[str, Any]

ENOUGH = 20
"""Calls that a p99 needs; of fewer, the maximum is shown, marked."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One line: the calls of an edge, or (`failed`) its connections that never came to be."""

    src: Row
    """Of tapper.model.edges.NODE."""
    dst: Row
    figures: Row
    """Of tapper.model.edges.EDGE."""
    failed: bool = False

    @property
    def key(self) -> tuple[int, int, str, bool]:
        """The same as long as the map lives."""
        return self.figures["src"], self.figures["dst"], self.figures["protocol"], self.failed

    @property
    def hurts(self) -> tuple[float, ...]:
        """Sorts what hurts most to the front."""
        edge = self.figures
        if self.failed:
            return (-2, -(edge["refused"] + edge["unanswered"]))
        calls = edge["calls"]
        return (-(edge["errors"] / calls if calls else 0), -(edge["p95_ns"] or edge["max_ns"] or 0), -calls)

    @property
    def outcome(self) -> str:
        """The word whose colour it has."""
        if self.failed:
            return "refused"
        return "server_error" if self.figures["errors"] else "ok"

    @property
    def calls(self) -> str:
        """How many."""
        return count(self.figures["calls"]) if self._counted else "-"

    @property
    def rate(self) -> str:
        """Calls per second."""
        return rate(self.figures["rate"]) if self._counted else "-"

    @property
    def errors(self) -> str:
        """Which part of the calls failed; of the connections, if none came to be."""
        edge = self.figures
        if self.failed:
            return share(edge["refused"] + edge["unanswered"], edge["connections"])
        return share(edge["errors"], edge["calls"])

    @property
    def how(self) -> str:
        """Of connections that never came to be: in which way most of them failed."""
        return max(("refused", "unanswered"), key=lambda state: self.figures[state])

    @property
    def failures(self) -> str:
        """Of them: how many of how many."""
        edge = self.figures
        return f"{count(edge['refused'] + edge['unanswered'])} of {counted(edge['connections'], 'connection')}"

    @property
    def _counted(self) -> bool:
        return not self.failed and bool(self.figures["calls"])

    def latency(self, which: str) -> str:
        """`p50`, `p95`, `p99`; of few calls the maximum instead of p99."""
        edge = self.figures
        if self.failed:
            return "-"
        if which == "p99" and edge["calls"] < ENOUGH and edge["max_ns"] is not None:
            return f"max {duration(edge['max_ns'])}"
        return duration(edge[f"{which}_ns"])

    @property
    def notes(self) -> str:
        """What else there is to say."""
        edge = self.figures
        if self.failed:
            words = [f"{state} {count(edge[state])}" for state in ("refused", "unanswered") if edge[state]]
            return f"{', '.join(words)} of {counted(edge['connections'], 'connection')}"
        notes = []
        if edge["streams"]:
            notes.append(f"{counted(edge['streams'], 'stream')}, {counted(edge['stream_messages'], 'message')}")
        if edge["open_streams"]:
            notes.append(f"{count(edge['open_streams'])} open")
        if edge["client_errors"]:
            notes.append(f"{share(edge['client_errors'], edge['calls'])} client errors")
        if edge["reset"]:
            notes.append(f"{counted(edge['reset'], 'connection')} reset")
        if not edge["calls"] and not edge["streams"]:
            notes.append(f"{counted(edge['connections'], 'connection')}, not parsed")
        return ", ".join(notes)


def node_name(node: Row) -> str:
    """With its namespace; `?` before what is known by its address only."""
    name = f"{node['namespace']}/{node['name']}" if node["namespace"] else node["name"]
    return clean(f"? {name}" if node["kind"] == "address" else name)


def listed(found: Map) -> list[Edge]:
    """All edges, what hurts first."""
    nodes = {row["node"]: row for row in found.nodes.to_pylist()}
    lost = {"name": "?", "namespace": None, "kind": "address", "node": -1}
    edges = []
    for figures in found.edges.drop_columns(["first", "last"]).to_pylist():
        ends = nodes.get(figures["src"], lost), nodes.get(figures["dst"], lost)
        failed = figures["refused"] + figures["unanswered"]
        if figures["calls"] or figures["streams"] or not failed:
            edges.append(Edge(*ends, figures))
        if failed:
            edges.append(Edge(*ends, figures, failed=True))
    return sorted(edges, key=lambda edge: edge.hurts)
