"""The lines of a list as they are painted: made once, kept while their rows stay the same."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ui.terminal.themes import text_style

if TYPE_CHECKING:
    from ui.terminal.rows import RowList

    Row = dict[str, Any]

MUTED = "incomplete"
"""The outcome whose rows stand back; those that are not held yet look like them."""


class RowStrips:
    """Of one list."""

    def __init__(self, rows: RowList) -> None:
        self._list = rows
        self._made: dict[tuple[int, bool], tuple[Row, Strip]] = {}
        self._plain: Style | None = None

    def forget(self, *, theme: bool = False) -> None:
        """Rows, widths or, with `theme`, colours are others."""
        self._made.clear()
        if theme:
            self._plain = None

    def keep(self, shift: int) -> None:
        """Rows moved by so many places: keeps the lines of those that are still the same."""
        row = self._list.row
        self._made = {
            (number + shift, at): (known, strip)
            for (number, at), (known, strip) in self._made.items()
            if row(number + shift) == known
        }

    def line(self, number: int) -> Strip:
        """The line of a row."""
        rows = self._list
        at = number == rows.cursor
        row = rows.row(number)
        if row is not None and (made := self._made.get((number, at))) is not None:
            return made[1]
        text = "·" if row is None else rows.layout_.line([column.text(row) for column in rows.layout_.columns])
        outcome = MUTED if row is None else rows.outcome(row)
        style = self.plain
        if at:
            style += rows.get_component_rich_style("rows--cursor", partial=True)
        if not at or outcome != MUTED:  # under the cursor it could hardly be read
            style += self._of(outcome)
        strip = Strip([Segment((">" if at else " ") + text, style)])
        strip = strip.adjust_cell_length(max(rows.virtual_size.width, rows.size.width), style)
        if row is not None:
            self._made[number, at] = row, strip
        return strip

    def blank(self) -> Strip:
        """A line without a row."""
        return Strip.blank(self._list.size.width, self.plain)

    def said(self, y: int) -> Strip:
        """A line of the words that stand instead of rows."""
        across = self._list.size.width
        room = max(across - 4, 10)
        lines = [part for text in self._list.message.split("\n") for part in wrap(text, room) or [""]]
        text = f"  {lines[y - 1]}" if 0 < y <= len(lines) else ""
        return Strip([Segment(text, self.plain)]).adjust_cell_length(across, self.plain)

    @property
    def plain(self) -> Style:
        """The list's own, kept: working it out takes longer than a line."""
        if self._plain is None:
            self._plain = self._list.rich_style
        return self._plain

    def _of(self, outcome: str) -> Style:
        name = f"rows--{outcome}"
        if name not in self._list.COMPONENT_CLASSES:
            return Style.null()
        return text_style(self._list, name)
