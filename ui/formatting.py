"""How terminal and command line show values: bars, signs and colours of outcomes, times, text that fits a width.

Figures and `clean` are the model's, given on from here so that front ends need one import. Widths are terminal cells.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, chop_cells

from tapper.model.text import UNKNOWN, clean, count, counted, duration, rate, share, size

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "UNKNOWN",
    "Cut",
    "clean",
    "colour",
    "count",
    "counted",
    "duration",
    "fit",
    "latency_bar",
    "rate",
    "share",
    "sign",
    "size",
    "sparkline",
    "time_of_day",
    "truncate",
    "width",
]

_OUTCOMES: dict[str, tuple[str, str]] = {
    "ok": ("", ""),
    "client_error": ("!", "yellow"),
    "server_error": ("✗", "red"),
    "reset": ("↯", "red"),
    "timeout": ("⌛", "magenta"),
    "refused": ("⊘", "magenta"),
    "incomplete": ("…", "bright_black"),
    "open": ("▸", "cyan"),
}
"""Outcome -> (sign, colour of the terminal's palette); ⌛ is two cells wide, the others one."""

Cut = Literal["end", "middle", "start", "name"]
"""Where a text is cut that does not fit."""

_ADDRESS = re.compile(r"(\? )?[\d.]+(:\d+)?$|[\[:]|[\da-fA-F]+:")

_STATES = {"unanswered": "timeout"}
"""States of connections that look like an outcome of another name."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
_BAR_FROM_NS, _BAR_DECADES = 1_000_000, 4


def sign(outcome: str) -> str:
    """The sign of an outcome, or of a connection's state; empty for ok and for words unknown."""
    return _OUTCOMES.get(_STATES.get(outcome, outcome), ("", ""))[0]


def colour(outcome: str) -> str:
    """The colour's name (as Rich and Textual know it) of an outcome or a connection's state; empty: no colour."""
    return _OUTCOMES.get(_STATES.get(outcome, outcome), ("", ""))[1]


def latency_bar(ns: int | None, width: int) -> str:
    """A bar `width` cells wide on the one log scale, 1 ms (a sliver) to 10 s (full)."""
    if width <= 0:
        return ""
    if ns is None:
        return " " * width
    decades = math.log10(max(ns, 1) / _BAR_FROM_NS)
    eighths = min(max(round(8 * width * decades / _BAR_DECADES), 1), 8 * width)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


def sparkline(values: Sequence[float | None], *, top: float | None = None) -> str:
    """One cell a value, from 0 to `top` (the largest value, if not given); None is a hole.

    Only 0 is the lowest block: whatever is more than nothing shows as more.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    ceiling = max(known, default=0.0) if top is None else top
    cells = []
    for value in values:
        if value is None or not math.isfinite(value):
            cells.append(" ")
        elif value <= 0 or ceiling <= 0:
            cells.append(_LEVELS[0])
        else:
            cells.append(_LEVELS[min(max(math.ceil(7 * value / ceiling), 1), 7)])
    return "".join(cells)


def time_of_day(ns: int, zone: tzinfo | None = None) -> str:
    """`12:04:31.204`, local if no zone is given; milliseconds are cut, not rounded, so that order stays visible."""
    seconds, rest = divmod(ns, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return UNKNOWN
    return f"{moment:%H:%M:%S}.{rest // 1_000_000:03}"


def width(text: str) -> int:
    """Cells that the text takes."""
    return cell_len(text)


def truncate(text: str, width: int, where: Cut = "end") -> str:
    """The text cut to at most `width` cells, `…` where something is missing.

    Args:
        text: one line, clean.
        width: in cells.
        where: the part that is cut; "name" the one that tells the names of ends apart least.
    """
    if width <= 0:
        return ""
    # No character is less than zero cells wide, but marks may be stacked without end: look at so many only.
    cut = len(text) > 8 * width + 64
    if not cut and cell_len(text) <= width:
        return text
    room = width - 1
    if where == "end":
        return _head(text, room) + "…"
    if where == "start":
        return "…" + _tail(text, room)
    if where == "name":
        return _cut_name(text, width)
    front = room // 2
    return _head(text, front) + "…" + _tail(text, room - front)


def _cut_name(text: str, cells: int) -> str:
    """Of `namespace/name` the namespace; of an address its network; of a host its domain; of a pod what is between."""
    namespace, slash, name = text[: 8 * cells + 64].rpartition("/")
    room = cells - cell_len(slash + name)
    if slash and room > 0:
        return f"{truncate(namespace, room)}/{name}"
    if (slash and room >= -1) or _ADDRESS.match(name):
        return truncate(text, cells, "start")
    return truncate(name, cells, "end" if "." in name else "middle")


def _head(text: str, cells: int) -> str:
    if cells <= 0:
        return ""
    return chop_cells(text[: 8 * cells + 64], cells)[0] if cell_len(text[:1]) <= cells else ""


def _tail(text: str, cells: int) -> str:
    kept = ""
    for char in reversed(text[-(8 * cells + 64) :]):
        if cell_len(char + kept) > cells:
            break
        kept = char + kept
    return kept


def fit(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """The text in exactly `width` cells: cut or padded."""
    shown = truncate(text, width)
    pad = " " * (width - cell_len(shown))
    return pad + shown if align == "right" else shown + pad
