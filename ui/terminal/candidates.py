"""What could be typed next in a filter, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean, count
from ui.formatting import truncate, width

if TYPE_CHECKING:
    from textual.app import RenderResult

    from tapper.filter import Candidate

LINES = 8
"""Candidates seen at once."""


class Candidates(Widget):
    """What could be typed next; one is chosen."""

    DEFAULT_CSS = "Candidates { height: auto; background: $panel; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Candidate] = []
        self.at = 0

    def show(self, found: list[Candidate]) -> None:
        """Others."""
        self.found, self.at = found, 0
        self.display = bool(found)
        self.refresh(layout=True)

    def move(self, by: int) -> None:
        """Chooses another."""
        self.at = (self.at + by) % max(len(self.found), 1)
        self.refresh(layout=True)

    def render(self) -> RenderResult:
        """Some lines around the chosen one."""
        first = max(min(self.at - LINES // 2, len(self.found) - LINES), 0)
        lines = []
        room = max(self.size.width - 4, 4)
        for number, candidate in enumerate(self.found[first : first + LINES], first):
            text = truncate(clean(candidate.text), room)
            words = truncate(clean(candidate.doc), max(room - width(text) - 2, 0))
            chosen = "reverse" if number == self.at else ""
            lines.append(Content("   ") + Content.styled(text, chosen) + Content.styled(f"  {words}", "dim"))
        more = len(self.found) - first - LINES
        if more > 0:
            lines.append(Content.styled(f"   {count(more)} more", "dim"))
        return Content("\n").join(lines)
