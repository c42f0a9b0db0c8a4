"""Mermaid flowchart, small enough for the sites that draw it; every sign that could be syntax is a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.model.text import clean
from tapper.servicemap import labels
from tapper.servicemap.graph import largest, namespaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.servicemap.graph import ServiceMap

MAX_EDGES = 200
"""GitHub draws up to 500 edges; more than 200 nobody can read."""
MAX_CHARACTERS = 50_000
"""Mermaid's own limit (`maxTextSize`)."""

_PLAIN = frozenset(" ./-_:,✗…")


def mermaid(servicemap: ServiceMap) -> str:
    """The map as a flowchart, left to right; the busiest edges if there are too many, and a comment that says so."""
    edges = MAX_EDGES
    while True:
        text = _flowchart(largest(servicemap, 2 * edges, edges))
        if len(text) <= MAX_CHARACTERS or edges <= 1:
            return text
        edges = edges * 3 // 4


def _flowchart(servicemap: ServiceMap) -> str:
    lines = ["flowchart LR"]
    if hidden := labels.hidden_words(servicemap):
        lines.append(f"  %% {hidden}")
    nodes = dict(servicemap.nodes())
    ids = {node: f"n{number}" for number, node in enumerate(nodes, 1)}
    for number, (namespace, members) in enumerate(namespaces(servicemap.nodes()).items(), 1):
        if namespace is not None:
            lines.append(f"  subgraph s{number}[{_text([labels.short(namespace)])}]")
        lines += [
            f"    {ids[node]}[{_text([labels.short(nodes[node]['name'])])}]:::{_kind(nodes[node]['kind'])}"
            for node in members
        ]
        if namespace is not None:
            lines.append("  end")
    styles = []
    for number, (src, dst, edge) in enumerate(servicemap.edges()):
        arrow = "-.->" if labels.dash(edge) else "-->"
        lines.append(f"  {ids[src]} {arrow}|{_text(labels.edge_lines(edge))}| {ids[dst]}")
        colour = labels.BAD if labels.dash(edge) else labels.latency_colour(edge)
        styles.append(f"  linkStyle {number} stroke:{colour},stroke-width:{labels.pen_width(edge)}px")
    lines += styles
    for kind in sorted({_kind(node["kind"]) for node in nodes.values()}):
        fill, border = labels.colours({"kind": kind})
        lines.append(f"  classDef {kind} fill:{fill},stroke:{border},color:{labels.INK}")
    return "\n".join(lines) + "\n"


def _kind(kind: str) -> str:
    return kind if kind.isascii() and kind.isalpha() and kind != "default" else "address"


def _text(lines: Iterable[str]) -> str:
    """A quoted label. Letters and digits of any script stay, all else is `#code;`, which Mermaid shows as the sign."""
    text = "<br>".join("".join(_sign(char) for char in clean(line)) for line in lines)
    return f'"{text or " "}"'  # an empty label is a syntax error


def _sign(char: str) -> str:
    return char if char.isalnum() or char in _PLAIN else f"#{ord(char)};"
