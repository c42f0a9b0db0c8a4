"""Graphviz DOT. What captures say is text in quotes, never markup, escape sequence or entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.model.text import clean
from tapper.servicemap import labels
from tapper.servicemap.graph import namespaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tapper.servicemap.graph import ServiceMap

_FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"


def dot(servicemap: ServiceMap, *, newrank: bool = True) -> str:
    """The map as DOT text, left to right, a cluster for each namespace.

    Args:
        servicemap: the map.
        newrank: how Graphviz ranks nodes in clusters. The old way draws edges between the same nodes apart, but fails
            ("trouble in init_rank") on many maps whose namespaces call each other.
    """
    return "\n".join(_lines(servicemap, newrank)) + "\n"


def _lines(servicemap: ServiceMap, newrank: bool) -> Iterator[str]:
    rank = ", newrank=true" if newrank else ""  # some versions take "false" for true as well
    yield "digraph servicemap {"
    yield (
        f"  graph [rankdir=LR{rank}, ranksep=1.0, nodesep=0.4, pad=0.3, bgcolor=white,"
        f' labelloc=b, fontname={_quoted(_FONT)}, fontsize=10, fontcolor="{labels.FAINT}",'
        f" label={_text([labels.caption(servicemap)])}];"
    )
    yield (
        f'  node [shape=box, style="rounded,filled", penwidth=1.2, margin="0.18,0.1", fontname={_quoted(_FONT)},'
        f' fontsize=12, fontcolor="{labels.INK}"];'
    )
    yield f"  edge [arrowsize=0.7, fontname={_quoted(_FONT)}, fontsize=9];"
    nodes = dict(servicemap.nodes())
    for number, (namespace, members) in enumerate(namespaces(servicemap.nodes()).items()):
        if namespace is not None:
            # The word `cluster` makes it a box; the namespace itself is only its label.
            yield f'  subgraph "cluster_{number}" {{'
            yield (
                f"    label={_text([labels.short(namespace)])}; labeljust=l; labelloc=t; fontsize=11;"
                ' style="rounded,filled"; color="#d5dbe0"; fillcolor="#f8fafb"; margin=14;'
            )
        for node in members:
            fill, border = labels.colours(nodes[node])
            look = "rounded,filled,dashed" if nodes[node]["kind"] in ("external", "address") else "rounded,filled"
            yield (
                f"    {_id(node)} [label={_text([labels.short(nodes[node]['name'])])},"
                f' tooltip={_text(labels.node_tooltip(nodes[node]))}, style="{look}", fillcolor="{fill}",'
                f' color="{border}"];'
            )
        if namespace is not None:
            yield "  }"
    for src, dst, edge in servicemap.edges():
        tooltip = _text([f"{src} -> {dst}", *labels.edge_tooltip(edge)])
        colour = labels.BAD if labels.dash(edge) else labels.latency_colour(edge)
        yield (
            f"  {_id(src)} -> {_id(dst)} [label={_text(labels.edge_lines(edge))}, tooltip={tooltip},"
            f' labeltooltip={tooltip}, color="{colour}", fontcolor="{labels.text_colour(edge)}",'
            f" penwidth={labels.pen_width(edge)}{', style=dashed' if labels.dash(edge) else ''}];"
        )
    yield "}"


def _text(lines: Iterable[str]) -> str:
    """A label: graphviz reads escapes and HTML entities in it, so both are written as text."""
    escaped = (clean(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _id(node: str) -> str:
    """An id is no label, but becomes a title in SVG, where graphviz leaves what looks like an entity as it is."""
    return _text([node])
