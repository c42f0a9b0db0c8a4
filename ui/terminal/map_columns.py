"""What the map shows of an edge or a node, in each of its views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui.columns import Column
from ui.terminal.map_look import BUCKETS, SPARKS

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]


def columns(view: str, spark: str, sparkline: Callable[[Row], str]) -> tuple[Column, ...]:
    """Of a view; `sparkline` draws what `spark` names over time."""
    if view == "focus":
        return (
            Column("CALLERS", _text("left"), 12, 40, good=14, where="name"),
            Column("RATE", _text("left_rate"), 5, 9, right=True, rank=3),
            Column("ERR", _text("left_err"), 5, 7, right=True),
            Column("p95", _text("left_p95"), 7, 10, right=True, rank=1),
            Column("", _text("middle"), 7, 40, where="middle"),
            Column("CALLEES", _text("right"), 12, 40, good=14, where="name"),
            Column("RATE", _text("right_rate"), 5, 9, right=True, rank=4),
            Column("ERR", _text("right_err"), 5, 7, right=True),
            Column("p95", _text("right_p95"), 7, 10, right=True, rank=2),
        )
    ends = (
        tuple(Column(title, _text(title.lower()), 9, 40, good=14, where="name") for title in ("FROM", "TO"))
        if view == "edges"
        else (Column("CALLEE, CALLERS" if view == "callees" else "CALLER, CALLEES", _text("name"), 16, 60),)
    )
    return (
        *ends,
        Column("PROTO", _text("protocol"), 4, 9, rank=4),
        Column("CALLS", _text("calls"), 5, 9, right=True, rank=6),
        Column("RATE", _text("rate"), 5, 9, right=True, rank=2),
        Column("ERR", _text("errors"), 5, 7, right=True),
        Column("p50", _text("p50"), 7, 10, right=True, rank=5),
        Column("p95", _text("p95"), 7, 14, right=True),
        Column("p99", _text("p99"), 7, 18, right=True, rank=1),
        Column(SPARKS[spark], sparkline, BUCKETS, BUCKETS, rank=3),
        Column("", _text("notes"), 0, 70, rank=7),
    )


def _text(name: str) -> Callable[[Row], str]:
    return lambda row: str(row["shown"].texts.get(name, ""))
