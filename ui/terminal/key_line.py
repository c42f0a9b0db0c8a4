"""The line at the bottom: the keys that matter here, or something said for a moment; at its right a note."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean
from ui.formatting import truncate, width

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import RenderResult
    from textual.binding import ActiveBinding

KEYS_ROOM = 10
"""Cells that the note leaves to the key that shows the others."""
SAID_S = 6.0
"""How long something said stays."""
NAMES = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "asterisk": "*",
    "full_stop": ".",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
"""Keys as people write them."""


def key_name(key: str) -> str:
    """As people write it."""
    return NAMES.get(key, key.replace("ctrl+", "^"))


class KeyLine(Widget):
    """The keys that matter here, as many as fit; `said` for a moment instead."""

    DEFAULT_CSS = """
    KeyLine { height: 1; color: $text-muted; }
    KeyLine.warning { color: $text-warning; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: tuple[tuple[str, str], ...] = ()
        self.said = ""
        self.note = ""
        """At the right: how many are new, how many match."""

        self._said_at = 0.0

    def say(self, words: str, *, warning: bool = False) -> None:
        """Says something for a moment."""
        self.said, self._said_at = clean(words), time.monotonic()
        self.set_class(warning, "warning")
        self.refresh()

    def hush(self) -> None:
        """What was said has been there long enough."""
        if self.said and time.monotonic() - self._said_at > SAID_S:
            self.said = ""
            self.remove_class("warning")
            self.refresh()

    def show_note(self, note: str) -> None:
        """What the screen has to say."""
        if note != self.note:
            self.note = note
            self.refresh()

    def show_keys(self, active: Iterable[ActiveBinding]) -> None:
        """The keys that do something here: the first of each action."""
        first: dict[str, ActiveBinding] = {}
        for found in active:
            first.setdefault(found.binding.action, found)
        keys = tuple((key_name(f.binding.key), f.binding.description) for f in first.values() if f.binding.show)
        if keys != self.keys:
            self.keys = keys
            self.refresh()

    def render(self) -> RenderResult:
        """One line."""
        room = self.size.width
        note = truncate(self.note, max(room - KEYS_ROOM, 0))
        left = Content(" ")
        used = 1
        if self.said:
            shown = truncate(self.said, max(room - used - width(note) - 2, 0))
            left += Content(shown)
            used += width(shown)
        else:
            needs = [width(key) + 1 + width(words) + 2 for key, words in self.keys]
            free, shown_keys = room - width(note) - 2, []
            for (key, words), need in sorted(zip(self.keys, needs, strict=True), key=lambda k: k[0][1] != "keys"):
                # the key that shows the others is never left out
                if need <= free:
                    shown_keys.append((key, words))
                    free -= need
            for key, words in (known for known in self.keys if known in shown_keys):
                need = width(key) + 1 + width(words) + 2
                left += Content.styled(key, "bold $text-primary") + Content(f" {words}  ")
                used += need
        return left + Content(" " * max(room - used - width(note) - 1, 0)) + Content.styled(note, "bold")
