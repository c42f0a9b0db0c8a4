"""The map as JSON: networkx's node-link form, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tapper.model.text import iso

if TYPE_CHECKING:
    from tapper.servicemap.graph import ServiceMap


def nodelink(servicemap: ServiceMap) -> str:
    """JSON that `networkx.node_link_graph` reads; names exactly as they are, escaped to ASCII; times ISO 8601."""
    return json.dumps(document(servicemap), indent=1) + "\n"


def document(servicemap: ServiceMap) -> dict[str, Any]:
    """The same as values."""
    return {
        "directed": True,
        "multigraph": True,
        "graph": {
            "level": servicemap.level,
            "start": iso(servicemap.start_ns),
            "end": iso(servicemap.end_ns),
            "seconds": servicemap.seconds,
            "hidden_nodes": servicemap.hidden_nodes,
            "hidden_edges": servicemap.hidden_edges,
        },
        "nodes": [{"id": node, **data} for node, data in servicemap.nodes()],
        "edges": [
            {
                "source": src,
                "target": dst,
                "key": edge["protocol"],
                **edge,
                "first": iso(edge["first"]),
                "last": iso(edge["last"]),
            }
            for src, dst, edge in servicemap.edges()
        ],
    }
