"""Lists to choose from that lie over the screen, and lines to type something in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
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
                + Content.styled(f"  {choice.more}" if choice.more else "", "$text-muted"),
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

    def on_key(self, event: events.Key) -> None:
        """A choice's own key."""
        for choice in self.choices:
            if choice.key and event.character == choice.key and self.is_current:
                event.stop()
                self.dismiss(choice.value)
                return

    def action_move(self, way: str) -> None:
        """Up or down."""
        getattr(self.query_one(OptionList), f"action_cursor_{way}")()


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
            Content(f"{choice.words}  ")
            + Content.styled(" ".join(filter(None, (choice.more, choice.key))), "$text-muted")
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

    def __init__(self, title: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.title_, self.keys = title, list(keys)

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
