"""A line to type something in that lies over the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ui.terminal.menu import BOX

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class Ask(ModalScreen[str | None]):
    """One line to type something in."""

    DEFAULT_CSS = (
        f"Ask {{ {BOX} }}"
        + """
    Ask > Vertical { width: 70; max-width: 95%; height: auto;
        background: $surface; border: round $primary; padding: 0 1; }
    Ask Input { border: none; height: 1; padding: 0; background: $surface; }
    Ask Static { color: $text-muted; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "close")]

    def __init__(self, title: str, given: str = "", words: str = "") -> None:
        super().__init__()
        self.title_, self.given, self.words = title, given, words

    def compose(self) -> ComposeResult:
        """A box with a line."""
        with Vertical() as box:
            box.border_title = self.title_
            yield Input(self.given, select_on_focus=False, compact=True)
            if self.words:
                yield Static(self.words, markup=False)

    def on_mount(self) -> None:
        """Keys go to the line."""
        self.set_focus(self.query_one(Input))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self.dismiss(event.value)
