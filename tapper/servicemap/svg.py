"""The map as SVG, drawn here: for machines without Graphviz, whose layout has fewer crossings."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from tapper.model.text import clean
from tapper.servicemap import labels
from tapper.servicemap.graph import namespaces
from tapper.servicemap.layers import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tapper.servicemap.graph import Attributes, ServiceMap

_HEIGHT, _COLUMN_GAP, _ROW_GAP, _BAND_GAP, _MARGIN = 38.0, 190.0, 42.0, 34.0, 40.0
_LETTER = 7.4
"""Mean width of a letter of the node's font; names are few, so an estimate will do."""
_Curve = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
_Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""
_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


class _Box(NamedTuple):
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + _HEIGHT / 2


def svg(servicemap: ServiceMap) -> str:
    """The map as an SVG document: no script, no link, no style from outside."""
    boxes = _boxes(servicemap)
    width = max((box.x + box.width for box in boxes.values()), default=0.0) + _MARGIN
    height = max((box.y + _HEIGHT for box in boxes.values()), default=0.0) + _MARGIN + 24
    caption = labels.caption(servicemap)
    width = max(width, 5.6 * len(caption) + 2 * _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONT}">',
        "<title>Service map</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
        *_clusters(servicemap, boxes),
        *_edges(servicemap, boxes),
        *_nodes(servicemap, boxes),
        f'<text x="{_MARGIN:.0f}" y="{height - 18:.1f}" font-size="10" fill="{labels.FAINT}">{_text(caption)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes(servicemap: ServiceMap) -> dict[str, _Box]:
    where = places(servicemap)
    nodes = dict(servicemap.nodes())
    width = {node: max(72.0, _LETTER * len(labels.short(data["name"])) + 26) for node, data in nodes.items()}
    left, x = {}, _MARGIN + 14
    for column in sorted({column for column, _ in where.values()}):
        left[column] = x
        x += max(width[node] for node in nodes if where[node][0] == column) + _COLUMN_GAP
    top: dict[str | None, float] = {}
    y = _MARGIN
    groups = namespaces(servicemap.nodes())
    for namespace in sorted(groups, key=lambda name: min(where[node][1] for node in groups[name])):
        rows = [where[node][1] for node in groups[namespace]]
        title = 24.0 if namespace is not None else 0.0
        top[namespace] = y + title - min(rows) * (_HEIGHT + _ROW_GAP)
        y += title + (max(rows) - min(rows)) * (_HEIGHT + _ROW_GAP) + _HEIGHT + _BAND_GAP
    return {
        node: _Box(left[where[node][0]], top[data["namespace"]] + where[node][1] * (_HEIGHT + _ROW_GAP), width[node])
        for node, data in nodes.items()
    }


def _clusters(servicemap: ServiceMap, boxes: dict[str, _Box]) -> Iterator[str]:
    for namespace, members in namespaces(servicemap.nodes()).items():
        if namespace is None:
            continue
        inside = [boxes[node] for node in members]
        left, top = min(box.x for box in inside) - 14, min(box.y for box in inside) - 26
        right = max(box.x + box.width for box in inside) + 14
        bottom = max(box.y for box in inside) + _HEIGHT + 12
        yield (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="10"'
            f' fill="#f8fafb" stroke="#d5dbe0"/>'
            f'<text x="{left + 10:.1f}" y="{top + 16:.1f}" font-size="11" fill="{labels.FAINT}">'
            f"{_text(labels.short(namespace))}</text>"
        )


def _nodes(servicemap: ServiceMap, boxes: dict[str, _Box]) -> Iterator[str]:
    for node, data in servicemap.nodes():
        fill, border = labels.colours(data)
        box = boxes[node]
        dash = ' stroke-dasharray="6 4"' if data["kind"] in ("external", "address") else ""
        yield (
            f"<g><title>{_lines(labels.node_tooltip(data))}</title>"
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{_HEIGHT:.0f}" rx="9"'
            f' fill="{fill}" stroke="{border}" stroke-width="1.3"{dash}/>'
            f'<text x="{box.x + box.width / 2:.1f}" y="{box.middle + 4.5:.1f}" font-size="13" text-anchor="middle"'
            f' fill="{labels.INK}">{_text(labels.short(data["name"]))}</text></g>'
        )


def _edges(servicemap: ServiceMap, boxes: dict[str, _Box]) -> Iterator[str]:
    """Lines first, labels over them."""
    leaving = _ports(servicemap, boxes, outgoing=True)
    coming = _ports(servicemap, boxes, outgoing=False)
    taken = [(box.x, box.y, box.x + box.width, box.y + _HEIGHT) for box in boxes.values()]
    texts = []
    for number, (src, dst, edge) in enumerate(servicemap.edges()):
        start, end = boxes[src], boxes[dst]
        curve = _curve(start, end, leaving[number], coming[number])
        colour = labels.BAD if labels.dash(edge) else labels.latency_colour(edge)
        dash = ' stroke-dasharray="7 5"' if labels.dash(edge) else ""
        title = _lines([f"{src} -> {dst}", *labels.edge_tooltip(edge)])
        forward = end.x > start.x
        tip, tail = (end.x, -10) if forward else (end.x + end.width, 10)
        yield (
            f'<g><title>{title}</title><path d="{_path(curve)}" fill="none" stroke="{colour}"'
            f' stroke-width="{labels.pen_width(edge)}"{dash}/>'
            f'<path d="M{tip:.1f} {coming[number]:.1f}l{tail} -4.5v9z" fill="{colour}"/></g>'
        )
        texts.append(_label(edge, curve, taken))
    yield from texts


def _ports(servicemap: ServiceMap, boxes: dict[str, _Box], *, outgoing: bool) -> dict[int, float]:
    """Where on a box's side each edge ends: spread in the order of the other ends, so that lines don't cross there."""
    ends: dict[tuple[str, bool], list[tuple[float, int]]] = {}
    for number, (src, dst, _) in enumerate(servicemap.edges()):
        here, there = (src, dst) if outgoing else (dst, src)
        forward = boxes[dst].x > boxes[src].x
        ends.setdefault((here, forward), []).append((boxes[there].middle, number))
    ports = {}
    for (node, _), others in ends.items():
        step = (_HEIGHT - 6) / (len(others) + 1)
        for place, (_, number) in enumerate(sorted(others), 1):
            ports[number] = boxes[node].y + 3 + place * step
    return ports


def _curve(start: _Box, end: _Box, y1: float, y2: float) -> _Curve:
    """From the right side of a box to the left of the next; back to a caller, or to itself, around below."""
    if end.x > start.x:
        x1, x2 = start.x + start.width, end.x - 8
        bend = max((x2 - x1) / 2, 40)
        return (x1, y1), (x1 + bend, y1), (x2 - bend, y2), (x2, y2)
    x1, x2 = start.x, end.x + end.width + 8
    low = max(start.y, end.y) + 2.4 * _HEIGHT
    return (x1, y1), (x1 - 60, low), (x2 + 60, low), (x2, y2)


def _path(curve: _Curve) -> str:
    (x1, y1), *rest = curve
    return f"M{x1:.1f} {y1:.1f}C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in rest)


def _at(t: float, curve: _Curve) -> tuple[float, float]:
    """A point of a cubic Bezier curve."""
    u = 1 - t
    weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
    x, y = (sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def _label(edge: Attributes, curve: _Curve, taken: list[_Area]) -> str:
    """The label, where on its line it covers least of what is there already; its own place is added to that."""
    lines = labels.edge_lines(edge)
    half, height = 2.6 * max(len(line) for line in lines), 11.0 * len(lines)
    area, least = (0.0, 0.0, 0.0, 0.0), math.inf
    for t in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82):
        x, y = _at(t, curve)
        place = (x - half, y - height / 2, x + half, y + height / 2)
        covered = sum(_overlap(place, other) for other in taken)
        if covered < least:
            area, least = place, covered
        if covered == 0:
            break
    taken.append(area)
    x, y = (area[0] + area[2]) / 2, area[1] + 8.5
    spans = "".join(f'<tspan x="{x:.1f}" y="{y + 11 * n:.1f}">{_text(line)}</tspan>' for n, line in enumerate(lines))
    return (
        '<text font-size="9.5" text-anchor="middle" stroke="white" stroke-width="3" stroke-linejoin="round"'
        f' paint-order="stroke" fill="{labels.text_colour(edge)}">{spans}</text>'
    )


def _overlap(a: _Area, b: _Area) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(_text(line) for line in lines)


def _text(text: str) -> str:
    return escape(clean(text))
