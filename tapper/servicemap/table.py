"""The map as CSV, an edge a line, for spreadsheets: cells that they would compute are quoted with `'`."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tapper.model.edges import EDGE
from tapper.model.text import cell, iso

if TYPE_CHECKING:
    from tapper.servicemap.graph import ServiceMap

_ENDS = ("src", "src_namespace", "src_kind", "dst", "dst_namespace", "dst_kind", "protocol")
_FIGURES = tuple(name for name in EDGE.names if name not in ("src", "dst", "protocol", "first", "last"))
COLUMNS = (*_ENDS, *_FIGURES, "first", "last")


def table(servicemap: ServiceMap) -> str:
    """CSV (RFC 4180) with a heading line; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    nodes = dict(servicemap.nodes())
    for src, dst, edge in servicemap.edges():
        names = [nodes[end][key] or "" for end in (src, dst) for key in ("name", "namespace", "kind")]
        writer.writerow(
            [cell(text) for text in (*names, edge["protocol"])]
            + [edge[name] for name in _FIGURES]
            + [iso(edge["first"]), iso(edge["last"])]
        )
    return out.getvalue()
