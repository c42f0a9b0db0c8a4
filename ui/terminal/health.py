"""How the way from packets to records is, kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical

from tapper.feed.interface import ALWAYS, Span
from ui.terminal.health_text import look
from ui.terminal.messages import FindAsked
from ui.terminal.pager import Pager

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ui.terminal.desk import Desk


class HealthPane(Vertical):
    """A text that keeps itself up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "find", "search")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(id="health")
        self.desk = desk
        self.rows = Pager()

    def compose(self) -> ComposeResult:
        """The text."""
        yield self.rows

    def refresh_rows(self) -> None:
        """Asks once more."""
        self.desk.ask("health", look, lambda found: self.rows.show(found, keep=True))

    def action_find(self) -> None:
        """Looks for a text in it."""
        self.post_message(FindAsked(self.rows))

    def set_query(self, **_: Any) -> None:
        """Health is of all that there is."""

    def set_span(self, span: Span = ALWAYS) -> None:
        """Health is of all that there is."""

    @property
    def note(self) -> str:
        """Nothing more to say."""
        return ""
