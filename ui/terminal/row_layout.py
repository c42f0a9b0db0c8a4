"""How wide the columns of a list are: enough for its rows, never narrower than before, within the room there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui.columns import GAP, fitted
from ui.formatting import fit, truncate, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ui.columns import Column

    Row = dict[str, Any]

LOOKED_AT = 200
"""Rows that say how wide columns are, at most."""


class RowLayout:
    """Columns and their widths; -1: left out."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.wide = False
        """As wide as they need, whatever the room."""
        self.widths: list[int] = []
        self._wanted: list[int] = []

    def forget(self) -> None:
        """Other rows will come: their widths begin anew."""
        self._wanted = []

    def settle(self, rows: Sequence[Row], room: int) -> bool:
        """Fits the columns to rows and room; whether any width changed."""
        seen = rows[:: max(len(rows) // LOOKED_AT, 1)]
        asked = []
        for number, column in enumerate(self.columns):
            before = self._wanted[number] if self._wanted else 0
            if before < column.most:
                widest = max((width(column.text(row)) for row in seen), default=0)
                before = max(before, min(max(column.least, widest, width(column.title) + 1), column.most))
            asked.append(before)
        widths = asked if self.wide else fitted(self.columns, asked, room)
        changed = widths != self.widths
        self._wanted, self.widths = asked, widths
        return changed

    @property
    def across(self) -> int:
        """Cells that all of them take."""
        return sum(cells + len(GAP) for cells in self.widths if cells >= 0)

    def line(self, texts: Sequence[str]) -> str:
        """Texts in the columns."""
        shown = []
        for column, text, cells in zip(self.columns, texts, self.widths, strict=False):
            if cells >= 0:
                kept = truncate(text, cells, column.where)
                shown.append(fit(kept, cells, "right" if column.right else "left"))
        return GAP.join(shown)
