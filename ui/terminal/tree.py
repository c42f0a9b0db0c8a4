"""Edges of a map as rows: one by one, in groups by callee or caller, or around one service."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from tapper.model.text import clean, count, counted, rate, share
from ui.edges import Edge, node_name

if TYPE_CHECKING:
    from collections.abc import Iterable

VIEWS = ("edges", "callees", "callers", "focus")


@dataclass(slots=True)
class Shown:
    """One row."""

    texts: dict[str, str]
    outcome: str
    edge: Edge | None = None
    node: int | None = None
    """The service that the row is about."""
    group: int | None = None
    """Of a heading: number of the node whose edges are below."""
    sides: dict[str, Edge] = field(default_factory=dict)
    """Around a service: the edge at the left, at the right."""
    side: str = "left"

    @property
    def chosen(self) -> Edge | None:
        """The edge that the row stands for."""
        return self.edge or self.sides.get(self.side) or next(iter(self.sides.values()), None)


def _texts(edge: Edge) -> dict[str, str]:
    return {
        "protocol": clean(edge.figures["protocol"]),
        "calls": edge.calls,
        "rate": edge.rate,
        "errors": edge.errors,
        **{which: edge.latency(which) for which in ("p50", "p95", "p99")},
        **_uncounted(edge),
        "notes": "" if edge.failed else edge.notes,
    }


def _uncounted(edge: Edge) -> dict[str, str]:
    """Without calls no latency is known: its columns say what there is, also where notes have no room."""
    if edge.failed:
        return {"p95": edge.how}
    if edge.figures["calls"]:
        return {}
    if edge.figures["streams"]:
        return {
            "p95": counted(edge.figures["streams"], "stream"),
            "p99": counted(edge.figures["stream_messages"], "message"),
        }
    return {"p95": "not parsed", "p99": counted(edge.figures["connections"], "connection")}


def plain(edges: Iterable[Edge]) -> list[Shown]:
    """A row for each."""
    return [
        Shown(
            {"from": node_name(edge.src), "to": node_name(edge.dst), **_texts(edge)},
            edge.outcome,
            edge,
            edge.dst["node"],
        )
        for edge in edges
    ]


def grouped(edges: Iterable[Edge], folded: set[int], *, by_callee: bool) -> list[Shown]:
    """Under a heading for each callee (or caller) its edges, in the order that they come in."""
    groups: dict[int, list[Edge]] = {}
    for edge in edges:
        groups.setdefault((edge.dst if by_callee else edge.src)["node"], []).append(edge)
    rows = []
    for number, members in groups.items():
        node = members[0].dst if by_callee else members[0].src
        answered = [edge for edge in members if not edge.failed]
        calls = sum(edge.figures["calls"] for edge in answered)
        errors = sum(edge.figures["errors"] for edge in answered)
        texts = {
            "name": f"{'▸' if number in folded else '▾'} {node_name(node)}",
            "calls": count(calls) if calls else "-",
            "rate": rate(sum(edge.figures["rate"] for edge in answered)) if calls else "-",
            "errors": share(errors, calls),
            "notes": counted(len(members), "edge"),
        }
        rows.append(Shown(texts, "group", node=number, group=number))
        if number not in folded:
            for edge in members:
                other = edge.src if by_callee else edge.dst
                rows.append(
                    Shown({"name": f"    {node_name(other)}", **_texts(edge)}, edge.outcome, edge, other["node"])
                )
    return rows


def around(edges: list[Edge], node: int | None) -> list[Shown]:
    """Callers at the left, callees at the right."""
    callers = [edge for edge in edges if edge.dst["node"] == node]
    callees = [edge for edge in edges if edge.src["node"] == node]
    if not callers and not callees:
        return []
    name = node_name(callers[0].dst if callers else callees[0].src)
    rows = []
    for number, (left, right) in enumerate(zip_longest(callers, callees)):
        texts = {"middle": f"→ {name} →" if number == 0 else ""}
        sides = {}
        worst = "ok"
        for side, edge in (("left", left), ("right", right)):
            if edge is None:
                continue
            sides[side] = edge
            worst = edge.outcome if worst == "ok" else worst
            other = edge.src if side == "left" else edge.dst
            texts |= {
                side: f"{node_name(other)} {clean(edge.figures['protocol'])}",
                f"{side}_rate": edge.rate,
                f"{side}_err": edge.errors,
                f"{side}_p95": edge.latency("p95"),
            }
        first = left or right
        neighbour = None if first is None else (first.src if first is left else first.dst)["node"]
        rows.append(Shown(texts, worst, None, neighbour, None, sides))
    return rows
