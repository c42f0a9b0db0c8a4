"""A list to choose from that lies over the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

BOX = """
    align: center middle;
    background: $background 40%;
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them; `key` chooses it at once."""

    value: str
    words: str
    key: str = ""
    more: str = ""


class Menu(ModalScreen[str | None]):
    """A few choices; gives the value of the chosen one."""

    DEFAULT_CSS = (
        f"Menu {{ {BOX} }}"
        + """
    Menu > Vertical { width: auto; min-width: 24; max-width: 90%; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 1; }
    Menu OptionList { width: auto; min-width: 22; height: auto; max-height: 100%; border: none; padding: 0;
        background: $surface; }
    Menu OptionList:focus { border: none; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close"),
        Binding("j", "move('down')", "down", show=False),
        Binding("k", "move('up')", "up", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.title_, self.choices = title, list(choices)

    def compose(self) -> ComposeResult:
        """A box with a title."""
        across = max((len(choice.words) for choice in self.choices), default=0)
        options = [
            Option(
                Content.styled(f"{choice.key or ' '} ", "bold $text-primary")
                + Content(f"{choice.words:<{across}}")
                + Content.styled(f"  {choice.more}" if choice.more else "", "dim"),
                id=str(number),
            )
            for number, choice in enumerate(self.choices)
        ]
        with Vertical() as box:
            box.border_title = self.title_
            yield OptionList(*options)

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.set_focus(self.query_one(OptionList))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen."""
        event.stop()
        self.dismiss(self.choices[int(event.option.id or 0)].value)

    def choose(self, character: str | None) -> bool:
        """Chooses by a choice's own key; whether there is one."""
        chosen = next((choice for choice in self.choices if choice.key and choice.key == character), None)
        if chosen is not None:
            self.dismiss(chosen.value)
        return chosen is not None

    def action_move(self, way: str) -> None:
        """Up or down."""
        getattr(self.query_one(OptionList), f"action_cursor_{way}")()
