"""The keys of the screen below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from ui.terminal.key_line import key_name
from ui.terminal.menu import BOX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import ActiveBinding, BindingType


class Keys(ModalScreen[None]):
    """The keys of the screen below, in as many columns as fit, scrolled where they don't."""

    DEFAULT_CSS = (
        f"Keys {{ {BOX} }}"
        + """
    Keys > Vertical { width: 90%; height: 90%; background: $surface; border: round $primary; padding: 0 1;
        overflow-y: auto; }
    Keys Static { height: auto; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "close"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, title: str, active: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self.title_ = title
        known: dict[tuple[str, str], list[str]] = {}
        ours = (found.binding for found in active if type(found.node) is not Screen)
        for binding in ours:
            if binding.description:
                known.setdefault((binding.action, binding.description), []).append(key_name(binding.key))
        self.keys = [(" ".join(keys), words) for (_, words), keys in known.items()]

    def compose(self) -> ComposeResult:
        """A box."""
        with Vertical() as box:
            box.border_title = self.title_
            box.border_subtitle = "esc closes, arrows scroll"
            yield Static(id="keys")

    def on_resize(self) -> None:
        """In columns."""
        room = max(self.query_one(Vertical).content_size.width, 20)
        wide = max(len(key) for key, _ in self.keys) + 1
        cells = max(min(max(wide + len(words) + 2 for _, words in self.keys), room), 1)
        columns = max(room // cells, 1)
        down = -(-len(self.keys) // columns)
        lines = []
        for at in range(down):
            text = Content("")
            for number in range(at, len(self.keys), down):
                key, words = self.keys[number]
                text += Content.styled(f"{key:<{wide}}", "bold $text-primary")
                text += Content(f"{words[: cells - wide - 2]:<{cells - wide}}")
            lines.append(text)
        self.query_one("#keys", Static).update(Content("\n").join(lines))

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self.query_one(Vertical).scroll_relative(y=by, animate=False)
