"""A layered layout: callers left of whom they call, a band of rows for each namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from tapper.servicemap.graph import namespaces

if TYPE_CHECKING:
    from tapper.servicemap.graph import ServiceMap

_SWEEPS = 6


def places(servicemap: ServiceMap) -> dict[str, tuple[int, float]]:
    """Column and row of each node: no two share a place, and namespaces share no row. Deterministic."""
    graph = servicemap.graph
    column = _columns(graph)
    groups = namespaces(servicemap.nodes())
    bands = sorted(groups, key=lambda name: (name is None, min(column[node] for node in groups[name])))
    order: dict[str, float] = {}
    for band in bands:
        for node in groups[band]:
            order[node] = float(len(order))
    where: dict[str, tuple[int, float]] = {}
    for _ in range(_SWEEPS):
        # Each node goes towards the middle of its neighbours; bands stay apart.
        middle = {
            node: sum(order[n] for n in near) / len(near) if (near := _neighbours(graph, node)) else order[node]
            for node in graph
        }
        where, top = {}, 0.0
        for band in bands:
            stacks: dict[int, list[str]] = {}
            for node in sorted(groups[band], key=lambda node: (middle[node], order[node])):
                stacks.setdefault(column[node], []).append(node)
            height = max(len(stack) for stack in stacks.values())
            for place, stack in stacks.items():
                offset = top + (height - len(stack)) / 2
                where |= {node: (place, offset + row) for row, node in enumerate(stack)}
            top += height
        order = {node: row for node, (_, row) in where.items()}
    return where


def _neighbours(graph: nx.MultiDiGraph[str], node: str) -> list[str]:
    return [n for n in (*graph.pred[node], *graph.succ[node]) if n != node]


def _columns(graph: nx.MultiDiGraph[str]) -> dict[str, int]:
    """The longest way to each node from where calls begin; calls back to a caller don't count."""
    forward: nx.DiGraph[str] = nx.DiGraph()
    forward.add_nodes_from(graph)
    roots = sorted(graph, key=lambda node: (graph.in_degree(node) - graph.out_degree(node) > 0, graph.in_degree(node)))
    done: set[str] = set()
    open_: dict[str, None] = {}
    for root in roots:
        if root in done:
            continue
        open_[root] = None
        walk = [(root, iter(graph.succ[root]))]
        while walk:
            node, successors = walk[-1]
            for successor in successors:
                if successor in open_:
                    continue
                forward.add_edge(node, successor)
                if successor not in done:
                    open_[successor] = None
                    walk.append((successor, iter(graph.succ[successor])))
                    break
            else:
                walk.pop()
                del open_[node]
                done.add(node)
    column: dict[str, int] = {}
    for node in nx.topological_sort(forward):
        column[node] = max((column[caller] + 1 for caller in forward.pred[node]), default=0)
    # A node that only calls sits right before whom it calls, not at the far left.
    for node in graph:
        if not forward.pred[node] and forward.succ[node]:
            column[node] = min(column[called] for called in forward.succ[node]) - 1
    return column
