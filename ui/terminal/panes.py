"""The screens, of which one is seen; those that were not seen yet are made when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import ContentSwitcher

from tapper.feed.interface import ALWAYS
from ui.terminal.requests import RequestsPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from tapper.feed.interface import Span
    from ui.terminal.desk import Desk
    from ui.terminal.state import State


class Panes(ContentSwitcher):
    """Requests first."""

    DEFAULT_CSS = "Panes { height: 1fr; }"

    def __init__(self, desk: Desk, state: State, where: str) -> None:
        super().__init__(initial="requests")
        self.desk, self.state = desk, state
        self.where, self.span_ = where, ALWAYS
        self.requests = RequestsPane(desk, state, where)

    def compose(self) -> ComposeResult:
        """The first."""
        yield self.requests

    @property
    def seen(self) -> Any:
        """The one that is seen."""
        return next(pane for pane in self.children if pane.id == self.current)

    async def show(self, name: str) -> None:
        """Shows another."""
        if name not in [pane.id for pane in self.children]:
            await self.add_content(self._made(name))
        self.current = name
        self.seen.refresh_rows()
        self.screen.set_focus(self.seen.rows)

    def _made(self, name: str) -> Widget:
        if name == "map":
            from ui.terminal.map import MapPane

            return MapPane(self.desk, self.state, self.where, self.span_)
        if name == "flows":
            from ui.terminal.flows import FlowsPane

            return FlowsPane(self.desk, self.where, self.span_)
        from ui.terminal.health import HealthPane

        return HealthPane(self.desk)

    def filter_by(self, where: str) -> None:
        """Another filter, on all of them."""
        self.where = where
        for pane in self.children:
            pane.set_query(where=where)  # type: ignore[attr-defined]

    def look_at(self, span: Span) -> None:
        """Another range of time, on all of them."""
        self.span_ = span
        for pane in self.children:
            pane.set_span(span)  # type: ignore[attr-defined]
