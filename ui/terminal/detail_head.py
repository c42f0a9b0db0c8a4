"""What stands over one request in full: what it is and how it went, the names of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean
from ui import detail
from ui.formatting import duration, sign, truncate, width
from ui.terminal.messages import TabAsked

if TYPE_CHECKING:
    from textual import events
    from textual.app import RenderResult

    from tapper.model.records import Exchange

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
            style = "reverse" if name == self.at else "" if name in self.there else "$text-disabled"
            text += Content.styled(shown, style)
            self._places.append((at, at + len(shown), name))
            at += len(shown)
        return text

    def on_click(self, event: events.Click) -> None:
        """Shows the part under the pointer."""
        for start, stop, name in self._places:
            if start <= event.x < stop:
                self.post_message(TabAsked(name))


class Head(Widget):
    """What it is and how it went, in two lines."""

    DEFAULT_CSS = "Head { height: 2; }"

    def __init__(self) -> None:
        super().__init__()
        self.exchange: Exchange | None = None

    def render(self) -> RenderResult:
        """The first two lines."""
        if self.exchange is None:
            return Content("")
        room = max(self.size.width - 2, 8)
        exchange = self.exchange
        outcome = f"{truncate(detail.status(exchange), room // 3)} {sign(exchange.outcome)}".strip()
        took = duration(exchange.latency_ns)
        asked = truncate(detail.asked(exchange), max(room - width(outcome) - width(took) - 4, 8))
        style = {"ok": "bold", "client_error": "bold $text-warning", "incomplete": "$text-muted"}.get(
            exchange.outcome, "bold $text-error"
        )
        first = (
            Content.styled(f" {asked}", "bold") + Content("  ") + Content.styled(outcome, style) + Content(f"  {took}")
        )
        ends = f" {_end(exchange, 'src')} → {_end(exchange, 'dst')}"
        if exchange.authority:
            ends += f", asked for {clean(exchange.authority)}"
        return Content("\n").join([first, Content.styled(truncate(ends, room + 1), "$text-muted")])


def _end(exchange: Exchange, which: str) -> str:
    found = getattr(exchange, which)
    name = f"{found.namespace}/{found.name}" if found.namespace else found.name
    return clean(f"{name} ({found.ip}:{found.port})" if found.name != found.ip else f"{found.ip}:{found.port}")
