"""What is wrong with a filter, and where: shown with a caret under the wrong word."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 100
"""Characters of a filter's line shown with an error, so that the caret stays under its word on a terminal."""
LONGEST_MESSAGE = 300
"""Characters; a message may quote a word of the filter, of any length."""
LONGEST_SUGGESTION = 80
"""Characters; a longer one would not help."""


class FilterError(ValueError):
    """A filter that can't be understood.

    `position` and `length` count characters of `text`; `suggestion` is what to write there instead, if that is known.
    """

    def __init__(
        self, message: str, text: str = "", position: int = 0, length: int = 1, suggestion: str | None = None
    ) -> None:
        message = _printable(message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…")
        super().__init__(message)
        self.message = message
        self.text = text
        self.position = min(max(position, 0), len(text))
        self.length = max(1, min(length, len(text) - self.position))
        self.suggestion = suggestion if suggestion and len(suggestion) <= LONGEST_SUGGESTION else None

    def render(self) -> str:
        """The line of the filter, a caret under the wrong word, what is wrong, and what may be right."""
        start = self.text.rfind("\n", 0, self.position) + 1
        end = self.text.find("\n", self.position)
        line = self.text[start : end if end >= 0 else len(self.text)]
        at = self.position - start
        first = max(0, min(at - SHOWN // 2, len(line) - SHOWN))
        shown = line[first : first + SHOWN]
        before = ("…" if first else "") + _printable(shown[: at - first])
        wrong = _printable(shown[at - first : at - first + self.length])
        after = _printable(shown[at - first + self.length :]) + ("…" if first + SHOWN < len(line) else "")
        lines = [before + wrong + after, " " * _width(before) + "^" * max(1, _width(wrong)), self.message]
        if self.suggestion is not None:
            lines.append(f"did you mean {_printable(self.suggestion)} ?")
        return "\n".join(lines)


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name most like the word; None: none is like it."""
    import difflib

    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower()[:60], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _printable(text: str) -> str:
    return "".join(" " if c == "\t" else c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )
