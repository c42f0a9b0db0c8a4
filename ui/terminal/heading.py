"""The titles over a list of rows; a click on one sorts by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from ui.columns import GAP
from ui.terminal.messages import Sorted

if TYPE_CHECKING:
    from textual import events
    from textual.app import RenderResult

    from ui.terminal.rows import RowList


class Heading(Widget):
    """One line, as wide as the columns below."""

    DEFAULT_CSS = "Heading { height: 1; color: $text-muted; text-style: bold; }"

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        self.rows = rows

    def render(self) -> RenderResult:
        """The titles as wide as the columns, that of the order with an arrow."""
        titles = []
        for number, column in enumerate(self.rows.layout_.columns):
            arrow = ("▾" if self.rows.descending else "▴") if number == self.rows.order else ""
            titles.append(f"{arrow}{column.title}" if column.right else f"{column.title}{arrow}")
        return Content(" " + self.rows.layout_.line(titles)[self.rows.scroll_offset.x :])

    def on_click(self, event: events.Click) -> None:
        """Sorts by the column under the pointer."""
        at = event.x - 1 + self.rows.scroll_offset.x
        for number, cells in enumerate(self.rows.layout_.widths):
            if cells < 0:
                continue
            if at < cells + len(GAP):
                self.post_message(Sorted(self.rows, number))
                return
            at -= cells + len(GAP)
