"""The parts of one request by name; a click shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from ui.terminal.messages import TabAsked

if TYPE_CHECKING:
    from textual import events
    from textual.app import RenderResult

TABS = ("request", "response", "timing", "messages", "connection", "packets")


class Tabs(Widget):
    """The names of the parts."""

    DEFAULT_CSS = "Tabs { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.at = "response"
        self.there: tuple[str, ...] = TABS
        self._places: list[tuple[int, int, str]] = []

    def render(self) -> RenderResult:
        """In one line; with little room their beginnings."""
        room = self.size.width
        short = next((n for n in (12, 8, 5, 3, 1) if sum(min(len(t), n) + 2 for t in TABS) + 1 <= room), 1)
        text, self._places = Content(" "), []
        at = 1
        for name in TABS:
            shown = f" {name if name == self.at and short < 5 and room > 24 else name[:short]} "
            style = "reverse" if name == self.at else "" if name in self.there else "dim"
            text += Content.styled(shown, style)
            self._places.append((at, at + len(shown), name))
            at += len(shown)
        return text

    def on_click(self, event: events.Click) -> None:
        """Shows the part under the pointer."""
        for start, stop, name in self._places:
            if start <= event.x < stop:
                self.post_message(TabAsked(name))
