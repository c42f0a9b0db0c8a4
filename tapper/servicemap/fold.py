"""Makes a picture readable: hosts outside the cluster that are called alike become one node."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import networkx as nx

from tapper.servicemap.graph import is_dead

if TYPE_CHECKING:
    from tapper.servicemap.graph import Attributes, ServiceMap

ENOUGH = 4
"""Fewer are easier to read than a group."""

_OUTSIDE = ("external", "address")
_SUMS = (
    "calls",
    "rate",
    "errors",
    "client_errors",
    "bytes_sent",
    "bytes_received",
    "streams",
    "open_streams",
    "stream_messages",
    "connections",
    "refused",
    "unanswered",
    "reset",
)
_LATENCIES = ("p50_ns", "p95_ns", "p99_ns", "max_ns")


def fold_outside(servicemap: ServiceMap, enough: int = ENOUGH) -> ServiceMap:
    """Puts outside hosts together that call nobody and that the same callers call over the same protocols.

    Dead edges don't mix with others. Counts are summed; of latencies the worst is kept, since percentiles can't be
    added. The order of the tables is kept.
    """
    graph = servicemap.graph
    groups: dict[Any, list[str]] = {}
    for node, data in graph.nodes(data=True):
        if data["kind"] in _OUTSIDE and graph.in_degree(node) and not graph.out_degree(node):
            calling = graph.in_edges(node, keys=True, data=True)
            calls = frozenset((src, key, is_dead(edge)) for src, _, key, edge in calling)
            groups.setdefault((data["namespace"], data["kind"], calls), []).append(node)
    large = {members[0]: members for members in groups.values() if len(members) >= enough}
    if not large:
        return servicemap
    stands_for = {node: first for first, members in large.items() for node in members}
    folded: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node, data in graph.nodes(data=True):
        if node in large:
            folded.add_node(node, **_together([graph.nodes[member] for member in large[node]]))
        elif node not in stands_for:
            folded.add_node(node, **data)
    for src, dst, key, edge in graph.edges(keys=True, data=True):
        place = stands_for.get(dst, dst)
        known = folded.get_edge_data(src, place, key)
        folded.add_edge(src, place, key=key, **(_sum(known, edge) if known else edge))
    return replace(servicemap, graph=folded)


def _together(nodes: list[Attributes]) -> Attributes:
    labels = [node["name"].split(".")[::-1] for node in nodes]
    common = takewhile(lambda parts: len(set(parts)) == 1, zip(*labels, strict=False))
    domain = ".".join(parts[0] for parts in list(common)[::-1])
    # Whose address is not known may be inside as well.
    hosts = "addresses" if nodes[0]["kind"] == "address" else "outside hosts"
    of_one = domain.count(".") and nodes[0]["kind"] != "address"
    name = f"*.{domain} ({len(nodes)})" if of_one else f"{len(nodes)} {hosts}"
    addresses = [address for node in nodes for address in node["addresses"]]
    return nodes[0] | {"name": name, "addresses": addresses[:16]}


def _sum(a: Attributes, b: Attributes) -> Attributes:
    summed = {name: a[name] + b[name] for name in _SUMS}
    worst = {name: max((x[name] for x in (a, b) if x[name] is not None), default=None) for name in _LATENCIES}
    return a | summed | worst | {"first": min(a["first"], b["first"]), "last": max(a["last"], b["last"])}
