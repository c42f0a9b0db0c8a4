"""What is wrong with a filter, under the word that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean
from ui.formatting import width

if TYPE_CHECKING:
    from textual.app import RenderResult

    from tapper.filter import FilterError


class Problem(Widget):
    """What is wrong with the filter, its caret under the wrong word."""

    DEFAULT_CSS = "Problem { height: auto; color: $text-error; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self.error: FilterError | None = None
        self.shift = 0

    def show(self, error: FilterError | None, shift: int) -> None:
        """Another; the text begins `shift` cells to the right."""
        self.error, self.shift = error, shift
        self.display = error is not None
        self.refresh(layout=True)

    def render(self) -> RenderResult:
        """Caret and words."""
        if self.error is None:
            return Content("")
        at = self.shift + width(clean(self.error.text[: self.error.position]))
        caret = " " * at + "^" * max(self.error.length, 1)
        hint = f". Did you mean {clean(self.error.suggestion)}?" if self.error.suggestion else ""
        return Content(f"{caret[: max(self.size.width, 1)] if at >= 0 else ''}\n {clean(self.error.message)}{hint}")
