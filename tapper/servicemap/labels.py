"""What a node or an edge says in a picture, and how it looks: one table for DOT, Mermaid, GraphML and SVG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tapper.model.text import clean, count, counted, duration, iso, rate, share, size
from tapper.servicemap.graph import ENOUGH, failed_connections, is_dead

if TYPE_CHECKING:
    from tapper.servicemap.graph import Attributes, ServiceMap

MAX_LABEL = 40
"""Characters of a name in a picture; the tooltip has more."""
MAX_TOOLTIP = 1_000

INK, FAINT, BAD = "#1f2933", "#5b6770", "#a3182a"

_SCALE = ((0x8F, 0xB8, 0xD8), (0x5F, 0x93, 0xD0), (0x7A, 0x62, 0xC4), (0xA1, 0x32, 0x8F), (0x7A, 0x0B, 0x2E))
"""Fast to slow; it darkens all the way, so it reads in any colour vision and in grey."""
_FROM_NS, _TO_NS = 250_000, 10_000_000_000
_NO_LATENCY = "#8a949c"

_KINDS = {
    "service": ("#e8f1fb", "#3b6ea5"),
    "workload": ("#e8f1fb", "#3b6ea5"),
    "pod": ("#eef3ea", "#5c7f4a"),
    "process": ("#eef3ea", "#5c7f4a"),
    "external": ("#fbf4e6", "#a47a2c"),
    "address": ("#f4f4f5", "#7b848b"),
}
"""Kind of node -> (fill, border)."""


def colours(node: Attributes) -> tuple[str, str]:
    """Fill and border of a node."""
    return _KINDS.get(node["kind"], _KINDS["address"])


def short(text: str) -> str:
    """A name that fits a picture, cut in the middle: ends tell pods apart."""
    text = clean(text)
    if len(text) <= MAX_LABEL:
        return text
    return f"{text[: MAX_LABEL // 2]}…{text[-(MAX_LABEL // 2 - 1) :]}"


def latency_colour(edge: Attributes) -> str:
    """Colour of an edge: its p95 on a log scale from 0.25 ms to 10 s."""
    ns = slowness(edge)
    if ns is None:
        return _NO_LATENCY
    place = math.log(min(max(ns, _FROM_NS), _TO_NS) / _FROM_NS) / math.log(_TO_NS / _FROM_NS) * (len(_SCALE) - 1)
    index = min(int(place), len(_SCALE) - 2)
    mixed = (round(a + (b - a) * (place - index)) for a, b in zip(_SCALE[index], _SCALE[index + 1], strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def slowness(edge: Attributes) -> int | None:
    """The latency that an edge is judged by: p95, of few calls the maximum."""
    value: int | None = edge["p95_ns"] if edge["calls"] >= ENOUGH else edge["max_ns"]
    return value


def pen_width(edge: Attributes) -> float:
    """Width of an edge's line, 1 to 6, by the logarithm of its rate."""
    return round(min(1.2 + 1.2 * math.log10(1 + max(edge["rate"], 0)), 6.0), 2)


def text_colour(edge: Attributes) -> str:
    """Of an edge's label: it warns where something fails."""
    return BAD if edge["errors"] or failed_connections(edge) else FAINT


def edge_lines(edge: Attributes) -> list[str]:
    """The short label of an edge, two lines: protocol and how much; how slow and what fails."""
    head = [short(edge["protocol"])]
    figures = []
    if edge["calls"]:
        head.append(rate(edge["rate"]))
        if edge["max_ns"] is not None:
            figures.append(f"{'p95' if edge['calls'] >= ENOUGH else 'max'} {duration(slowness(edge))}")
        if edge["errors"]:
            figures.append(f"✗ {share(edge['errors'], edge['calls'])}")
    if edge["streams"]:
        head.append(counted(edge["streams"], "stream"))
    if failed := failed_connections(edge):
        word = "refused" if not edge["unanswered"] else "unanswered" if not edge["refused"] else "failed"
        figures.append(f"✗ {word} {count(failed)} of {count(max(edge['connections'], failed))}")
    elif not edge["calls"] and not edge["streams"]:
        head.append(f"{count(edge['connections'])} conn.")
    return [" ".join(head), *([", ".join(figures)] if figures else [])]


def edge_tooltip(edge: Attributes) -> list[str]:
    """All that is known of an edge, a fact a line."""
    calls, n = edge["calls"], edge["connections"]
    lines = [short(edge["protocol"])]
    if calls:
        lines += [
            f"{count(calls)} calls, {rate(edge['rate'])}",
            f"errors {count(edge['errors'])} ({share(edge['errors'], calls)}), "
            f"client errors {count(edge['client_errors'])} ({share(edge['client_errors'], calls)})",
        ]
    if edge["max_ns"] is not None:
        lines.append(
            f"p50 {duration(edge['p50_ns'])}, p95 {duration(edge['p95_ns'])}, p99 {duration(edge['p99_ns'])}, "
            f"max {duration(edge['max_ns'])}"
        )
    if edge["streams"]:
        lines.append(
            f"{counted(edge['streams'], 'stream')} ({count(edge['open_streams'])} open), "
            f"{counted(edge['stream_messages'], 'message')}"
        )
    lines.append(f"sent {size(edge['bytes_sent'])}, received {size(edge['bytes_received'])}")
    states = [f"{count(edge[state])} {state}" for state in ("refused", "unanswered", "reset") if edge[state]]
    lines.append(counted(n, "connection") + (f": {', '.join(states)}" if states else ""))
    lines.append(f"{iso(edge['first'])} to {iso(edge['last'])}")
    return lines


def node_tooltip(node: Attributes) -> list[str]:
    """All that is known of a node, a fact a line."""
    name = clean(node["name"])[:MAX_TOOLTIP]
    lines = [name, f"{clean(node['kind'])}, named by {clean(node['name_source'])}"]
    if node["namespace"] is not None:
        lines.insert(1, f"namespace {clean(node['namespace'])[:MAX_TOOLTIP]}")
    if node["addresses"]:
        lines.append(clean(", ".join(node["addresses"])[:MAX_TOOLTIP]))
    return lines


def caption(servicemap: ServiceMap) -> str:
    """One line under a picture: what it shows, and how to read it."""
    graph = servicemap.graph
    parts = [f"{len(graph)} nodes, {graph.number_of_edges()} edges by {servicemap.level}"]
    if hidden := hidden_words(servicemap):
        parts.append(hidden)
    if graph.number_of_edges():
        parts.append(f"{duration(servicemap.end_ns - servicemap.start_ns)} from {iso(servicemap.start_ns)[:19]}Z")
    parts.append("width: rate, darker: slower (0.25 ms to 10 s), dashed: no connection")
    return " · ".join(parts)


def hidden_words(servicemap: ServiceMap) -> str:
    """What was left out of a picture; empty: nothing."""
    if not servicemap.hidden_nodes and not servicemap.hidden_edges:
        return ""
    return f"{servicemap.hidden_nodes} nodes and {servicemap.hidden_edges} edges hidden (the least busy)"


def dash(edge: Attributes) -> bool:
    """Whether the line is dashed: nothing comes through."""
    return is_dead(edge)
