"""GraphML with the attributes that Gephi knows by name: label, x, y, size, r, g, b; weight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import networkx as nx

from tapper.model.text import clean, iso
from tapper.servicemap import labels
from tapper.servicemap.graph import failed_connections, traffic
from tapper.servicemap.layers import places

if TYPE_CHECKING:
    from tapper.servicemap.graph import Attributes, ServiceMap

_COLUMN, _ROW = 240.0, 80.0


def graphml(servicemap: ServiceMap) -> str:
    """The map as GraphML. XML can't hold control characters at all: they are shown as `clean` shows them."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(level=servicemap.level, seconds=float(servicemap.seconds))
    where = places(servicemap)
    for node, data in servicemap.nodes():
        column, row = where[node]
        weight = sum(traffic(edge) for *_, edge in servicemap.graph.in_edges(node, data=True))
        graph.add_node(node, **_node(data, weight), x=column * _COLUMN, y=-row * _ROW)
    for number, (src, dst, edge) in enumerate(servicemap.edges()):
        # Gephi wants ids of edges to be unique in the file.
        graph.add_edge(src, dst, key=f"e{number}", **_edge(edge))
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _node(data: Attributes, weight: int) -> dict[str, Any]:
    _, border = labels.colours(data)
    attributes = {
        "label": clean(data["name"]),
        "kind": clean(data["kind"]),
        "addresses": clean(" ".join(data["addresses"])),
        "name_source": clean(data["name_source"]),
        "size": round(10 + 5 * math.log10(1 + weight), 2),
        "r": int(border[1:3], 16),
        "g": int(border[3:5], 16),
        "b": int(border[5:7], 16),
    }
    if data["namespace"] is not None:
        attributes["namespace"] = clean(data["namespace"])
    return attributes


def _edge(edge: Attributes) -> dict[str, Any]:
    calls = edge["calls"]
    attributes = {
        "label": ", ".join(labels.edge_lines(edge)),
        "protocol": clean(edge["protocol"]),
        "weight": labels.pen_width(edge),
        "calls": calls,
        "rate": float(edge["rate"]),
        "errors": edge["errors"],
        "client_errors": edge["client_errors"],
        "error_share": float(edge["errors"] / calls) if calls else 0.0,
        "streams": edge["streams"],
        "connections": edge["connections"],
        "failed_connections": failed_connections(edge),
        "bytes_sent": edge["bytes_sent"],
        "bytes_received": edge["bytes_received"],
        "first": iso(edge["first"]),
        "last": iso(edge["last"]),
    }
    for name in ("p50", "p95", "p99", "max"):
        if (ns := edge[f"{name}_ns"]) is not None:
            attributes[f"{name}_ms"] = ns / 1e6
    return attributes
