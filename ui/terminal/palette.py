"""Commands by their names: what is typed narrows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ui.terminal.menu import Choice


class Palette(ModalScreen[str | None]):
    """Commands by name: what is typed narrows them."""

    DEFAULT_CSS = (
        "Palette { align: center top; background: $background 40%; }"
        + """
    Palette > Vertical { width: 70; max-width: 95%; height: auto; max-height: 80%; margin-top: 2;
        background: $surface; border: round $primary; padding: 0 1; }
    Palette Input { border: none; height: 1; padding: 0; background: $surface; }
    Palette OptionList { text-wrap: nowrap; text-overflow: ellipsis; height: auto; max-height: 16; border: none;
        background: $surface; padding: 0; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("down", "move('down')", "down", show=False, priority=True),
        Binding("up", "move('up')", "up", show=False, priority=True),
        Binding("enter", "choose", "do it", priority=True),
    ]

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.choices = list(choices)
        self._seen: list[Choice] = []

    def compose(self) -> ComposeResult:
        """A line and what fits."""
        with Vertical() as box:
            box.border_title = "commands"
            yield Input(placeholder="requests, map, slow, export har, theme ...", compact=True)
            yield OptionList()

    def on_mount(self) -> None:
        """All of them at first."""
        self.query_one(OptionList).can_focus = False
        self._narrow("")
        self.set_focus(self.query_one(Input))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrows."""
        event.stop()
        self._narrow(event.value)

    def _narrow(self, typed: str) -> None:
        words = typed.lower().split()
        fits = [c for c in self.choices if all(w in f"{c.words} {c.more}".lower() for w in words)]
        self._seen = sorted(fits, key=lambda c: not c.words.lower().startswith(typed.lower().strip()))
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(
            Content(f"{choice.words}  ") + Content.styled(" ".join(filter(None, (choice.more, choice.key))), "dim")
            for choice in self._seen
        )
        if self._seen:
            listed.highlighted = 0

    def action_move(self, way: str) -> None:
        """Up or down."""
        getattr(self.query_one(OptionList), f"action_cursor_{way}")()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Clicked."""
        event.stop()
        self.dismiss(self._seen[event.option_index].value)

    def action_choose(self) -> None:
        """Does it."""
        at = self.query_one(OptionList).highlighted
        self.dismiss(self._seen[at].value if at is not None and at < len(self._seen) else None)
