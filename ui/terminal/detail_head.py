"""What stands over one request in full: what it is and how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean
from ui import detail
from ui.formatting import duration, sign, truncate, width

if TYPE_CHECKING:
    from textual.app import RenderResult

    from tapper.model.records import Exchange


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
        return Content("\n").join([first, Content.styled(truncate(ends, room + 1), "dim")])


def _end(exchange: Exchange, which: str) -> str:
    found = getattr(exchange, which)
    name = f"{found.namespace}/{found.name}" if found.namespace else found.name
    return clean(f"{name} ({found.ip}:{found.port})" if found.name != found.ip else f"{found.ip}:{found.port}")
