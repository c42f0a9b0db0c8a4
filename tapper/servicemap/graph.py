"""The service map as a networkx graph, made from the model's tables of nodes and edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import pyarrow as pa

from tapper.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Attributes = dict[str, Any]

ENOUGH = 20
"""Calls from which on a percentile says something; below, the maximum is shown instead."""


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """A map of one time.

    Nodes have the columns of `edges.NODE` but the number; edges are keyed by protocol and have the columns of
    `edges.EDGE`, times in ns since the epoch.
    """

    graph: nx.MultiDiGraph[str]
    level: str
    start_ns: int
    end_ns: int
    """The time that rates refer to."""
    hidden_nodes: int = 0
    hidden_edges: int = 0
    """What `largest` left out."""

    @property
    def seconds(self) -> float:
        """Length of the time looked at."""
        return (self.end_ns - self.start_ns) / 1e9

    def nodes(self) -> Iterator[tuple[str, Attributes]]:
        """Nodes in the order of the table."""
        yield from self.graph.nodes(data=True)

    def edges(self) -> Iterator[tuple[str, str, Attributes]]:
        """Edges in the order of the table."""
        yield from self.graph.edges(data=True)


def build(
    nodes: pa.Table, edges: pa.Table, *, level: str = "service", start_ns: int | None = None, end_ns: int | None = None
) -> ServiceMap:
    """Makes the map of tables of `edges.NODE` and `edges.EDGE`.

    Args:
        nodes: numbers are unique; every number in `edges` is there.
        edges: src, dst and protocol are unique.
        level: of `edges.LEVELS`.
        start_ns: begin of the time looked at; None: first record of an edge.
        end_ns: its end; None: last record of an edge.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    ids: dict[int, str] = {}
    for row in nodes.to_pylist():
        number = row.pop("node")
        ids[number] = _unused(graph, row)
        graph.add_node(ids[number], **row)
    first, last = [], []
    for row in _plain_times(edges).to_pylist():
        first.append(row["first"])
        last.append(row["last"])
        graph.add_edge(ids[row.pop("src")], ids[row.pop("dst")], key=row["protocol"], **row)
    start = start_ns if start_ns is not None else min(first, default=0)
    end = end_ns if end_ns is not None else max(last, default=start)
    return ServiceMap(graph, level, start, max(start, end))


def _plain_times(table: pa.Table) -> pa.Table:
    """Times as numbers: Python's own have no nanoseconds."""
    fields = [pa.field(f.name, pa.int64()) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields))


def _unused(graph: nx.MultiDiGraph[str], node: Attributes) -> str:
    """An id that says what the node is, the same in every map that has it, unless two names look alike."""
    name = clean(node["name"]) if node["namespace"] is None else clean(f"{node['namespace']}/{node['name']}")
    number, unique = 1, name
    while unique in graph:
        number += 1
        unique = f"{name} ({number})"
    return unique


def failed_connections(edge: Attributes) -> int:
    """Connections that never came to be."""
    return int(edge["refused"] + edge["unanswered"])


def is_dead(edge: Attributes) -> bool:
    """Nothing came through: connections fail and no call was answered."""
    return failed_connections(edge) > 0 and edge["calls"] == edge["errors"] and edge["streams"] == 0


def traffic(edge: Attributes) -> int:
    """How much there is of an edge, of whatever kind."""
    return int(max(edge["calls"] + edge["streams"], edge["connections"]))


def largest(whole: ServiceMap, nodes: int, edges: int) -> ServiceMap:
    """The part of a map that can be drawn: its busiest edges, failing ones first, and the nodes at their ends.

    Deterministic; the order of the tables is kept.
    """
    graph = whole.graph
    if len(graph) <= nodes and graph.number_of_edges() <= edges:
        return whole
    ranked = sorted(
        graph.edges(keys=True, data=True),
        key=lambda e: (not is_dead(e[3]), -traffic(e[3]), e[0], e[1], e[2]),
    )
    kept: dict[str, None] = {}
    chosen: set[tuple[str, str, str]] = set()
    for src, dst, key, _ in ranked:
        new = {src, dst} - kept.keys()
        if len(chosen) < edges and len(kept) + len(new) <= nodes:
            kept.update(dict.fromkeys(new))
            chosen.add((src, dst, key))
    for node in graph:
        if len(kept) >= nodes:
            break
        kept.setdefault(node)
    part: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    part.add_nodes_from((node, data) for node, data in graph.nodes(data=True) if node in kept)
    for src, dst, key, edge in graph.edges(keys=True, data=True):
        if (src, dst, key) in chosen:
            part.add_edge(src, dst, key=key, **edge)
    return replace(
        whole,
        graph=part,
        hidden_nodes=whole.hidden_nodes + len(graph) - len(part),
        hidden_edges=whole.hidden_edges + graph.number_of_edges() - part.number_of_edges(),
    )


def namespaces(nodes: Iterable[tuple[str, Attributes]]) -> dict[str | None, list[str]]:
    """Ids of nodes by namespace, in the order met; those without one under None, last."""
    groups: dict[str | None, list[str]] = {}
    for node, data in nodes:
        groups.setdefault(data["namespace"], []).append(node)
    if None in groups:
        groups[None] = groups.pop(None)
    return groups
