"""Lines of text to read: scrolled, wrapped, folded, searched; only what is seen is painted."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ui.formatting import width
from ui.terminal.messages import LinkOpened
from ui.terminal.themes import OUTCOMES, outcome_rules, text_style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.binding import BindingType

    from ui.lines import Line

JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<string>"(?:[^"\\]|\\.)*"?)|(?P<word>\b(?:true|false|null|-?\d[\d.eE+-]*)\b)'
)
STYLES = ("title", "dim", "name", "warning", "match", "bar", "key", "string", "word", "cursor", "link")


class Pager(ScrollView, can_focus=True, inherit_bindings=False):
    """A text. Lines that begin a block (a brace, a bracket at their end) can be folded."""

    DEFAULT_CSS = """
    Pager { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    Pager > .pager--title { text-style: bold; color: $text-primary; }
    Pager > .pager--dim { color: $text-muted; }
    Pager > .pager--name { color: $text-primary; }
    Pager > .pager--key { color: $text-primary; }
    Pager > .pager--string { color: $text-success; }
    Pager > .pager--word { color: $text-accent; }
    Pager > .pager--bar { color: $text-accent; }
    Pager > .pager--warning { color: $text-warning; }
    Pager > .pager--match { text-style: reverse; }
    Pager > .pager--link { text-style: underline; }
    Pager > .pager--cursor { background: $surface-lighten-1; }
    Pager:focus > .pager--cursor { background: $primary-muted; }
    """ + outcome_rules("Pager", "pager")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"pager--{name}" for name in (*STYLES, *OUTCOMES)}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "up", show=False),
        Binding("down,j", "step(1)", "down", show=False),
        Binding("pageup,ctrl+b", "pages(-1)", "page up", show=False),
        Binding("pagedown,ctrl+f", "pages(1)", "page down", show=False),
        Binding("home,g", "to(0)", "top", show=False),
        Binding("end,G", "to(-1)", "end", show=False),
        Binding("enter", "open", "fold / follow", show=False),
        Binding("z", "fold", "fold", show=False),
        Binding("Z", "fold_all", "fold all", show=False),
        Binding("ctrl+w", "wrap", "wrap lines", show=False),
        Binding("n", "find(1)", "next match", show=False),
        Binding("N", "find(-1)", "match before", show=False),
    ]

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.cursor = 0
        self.wrapped = True
        self.needle = ""
        self._lines: tuple[Line, ...] = ()
        self._folded: set[int] = set()
        self._shown: list[tuple[int, int, int]] = []
        """Rows on the screen: number of the line, from this character to before that one."""

    def show(self, lines: Sequence[Line], *, keep: bool = False) -> None:
        """Another text; `keep`: the same with other figures, so stay where the reader is."""
        self._lines = tuple(lines)
        if not keep:
            self._folded.clear()
            self.cursor = 0
            self.scroll_to(x=0, y=0, animate=False)
        self._lay()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(part.text for part in self._lines)

    def on_resize(self) -> None:
        """Lines wrap anew."""
        self._lay()

    def _lay(self) -> None:
        room = max(self.size.width - 2, 8)
        self._shown = []
        hidden_to = -1
        for number, part in enumerate(self._lines):
            if number <= hidden_to:
                continue
            if number in self._folded:
                hidden_to = self._block(number)
            starts = _wrap(part.text, room) if self.wrapped else [0]
            for start, end in zip(starts, [*starts[1:], len(part.text)], strict=True):
                self._shown.append((number, start, end))
        across = self.size.width if self.wrapped else max((width(part.text) for part in self._lines), default=0) + 2
        self.virtual_size = Size(across, len(self._shown))
        self.styles.overflow_x = "hidden" if self.wrapped else "auto"
        self.cursor = min(self.cursor, max(len(self._shown) - 1, 0))
        self.refresh()

    def _block(self, number: int) -> int:
        """The last line of the block that a line begins; the line itself if it begins none."""
        if not self._begins(number):
            return number
        depth = _indent(self._lines[number].text)
        for later in range(number + 1, len(self._lines)):
            if _indent(self._lines[later].text) <= depth:
                return later
        return len(self._lines) - 1

    def _begins(self, number: int) -> bool:
        return self._lines[number].lexer == "json" and self._lines[number].text.endswith(("{", "["))

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        across, down = self.scroll_offset
        at = down + y
        plain = self.rich_style
        if at >= len(self._shown):
            return Strip.blank(self.size.width, plain)
        number, start, end = self._shown[at]
        style = plain
        if at == self.cursor and self.has_focus:
            style += self._style("cursor")
        segments = [Segment(" ", style), *self._segments(self._lines[number], start, end, style)]
        if number in self._folded:
            hidden = self._block(number) - number
            segments.append(Segment(f" … {hidden:,} lines", style + self._style("dim")))
        strip = Strip(segments)
        strip = strip.adjust_cell_length(max(self.virtual_size.width, self.size.width), style)
        return strip.crop(across, across + self.size.width)

    def _segments(self, part: Line, start: int, end: int, style: Style) -> Iterator[Segment]:
        spans = list(part.spans)
        if part.lexer == "json":
            spans += [(m.start(), m.end(), str(m.lastgroup)) for m in JSON.finditer(part.text)]
        if part.link:
            spans.append((0, len(part.text), "link"))
        if self.needle:
            found = re.finditer(re.escape(self.needle), part.text, re.IGNORECASE)
            spans += [(m.start(), m.end(), "match") for m in found]
        cuts = sorted({start, end, *(cut for a, b, _ in spans for cut in (a, b) if start < cut < end)})
        for left, right in itertools.pairwise(cuts):
            here = style
            for a, b, name in spans:
                if a <= left and right <= b and name and name != "ok":
                    here += self._style(name)
            yield Segment(part.text[left:right], here)

    def _style(self, name: str) -> Style:
        component = f"pager--{name}"
        if name in ("cursor", "link", "match"):  # of which the text below keeps its colour
            return self.get_component_rich_style(component, partial=True)
        return text_style(self, component) if component in self.COMPONENT_CLASSES else Style.null()

    def _go(self, to: int) -> None:
        before = self.cursor
        self.cursor = min(max(to, 0), max(len(self._shown) - 1, 0))
        height = max(self.size.height, 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)
        self.refresh_line(before)
        self.refresh_line(self.cursor)

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()

    def action_step(self, by: int) -> None:
        """Moves by lines."""
        self._go(self.cursor + by)

    def action_pages(self, by: int) -> None:
        """Moves by what is seen."""
        self._go(self.cursor + by * max(self.size.height - 1, 1))

    def action_to(self, where: int) -> None:
        """To the top, or the end."""
        self._go(where if where >= 0 else len(self._shown) - 1)

    def action_open(self) -> None:
        """Follows the line to the exchange that it tells of; else folds."""
        if self._shown and (link := self._lines[self._shown[self.cursor][0]].link):
            self.post_message(LinkOpened(link))
        else:
            self.action_fold()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor there; again: opens."""
        at = self.scroll_offset.y + event.y
        if at < len(self._shown):
            again = at == self.cursor
            self._go(at)
            if again:
                self.action_open()

    def action_fold(self) -> None:
        """Folds the block that the line begins, or unfolds it."""
        if not self._shown:
            return
        number = self._shown[self.cursor][0]
        if number in self._folded:
            self._folded.discard(number)
        elif self._begins(number):
            self._folded.add(number)
        self._lay()

    def action_fold_all(self) -> None:
        """Folds every block below the outermost, or unfolds all."""
        blocks = {n for n, part in enumerate(self._lines) if self._begins(n) and _indent(part.text) > 0}
        self._folded = set() if self._folded else blocks
        self._lay()

    def action_wrap(self) -> None:
        """Wraps long lines, or lets them run out of sight."""
        self.wrapped = not self.wrapped
        self._lay()

    def find(self, needle: str) -> int:
        """Looks for a text from the cursor on; how many lines have it."""
        self.needle = needle
        self.refresh()
        if needle:
            self.action_find(0)
        return sum(needle.lower() in part.text.lower() for part in self._lines) if needle else 0

    def action_find(self, by: int) -> None:
        """To the next (1) or the previous (-1) line that has what is looked for; 0: this one will do."""
        if not self.needle or not self._shown:
            return
        wanted = self.needle.lower()
        count = len(self._shown)
        for step in range(count):
            at = (self.cursor + (by if by else 1) * (step + abs(by))) % count
            number, start, end = self._shown[at]
            if wanted in self._lines[number].text[start:end].lower():
                self._go(at)
                return


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _wrap(text: str, room: int) -> list[int]:
    """Where the rows of a line begin: at words, unless one is longer than half a row."""
    if len(text) <= room and width(text) <= room:
        return [0]
    starts, cells, space = [0], 0, 0
    for at, char in enumerate(text):
        wide = width(char)
        if cells + wide > room:
            starts.append(space if space - starts[-1] > room // 2 else at)
            cells = width(text[starts[-1] : at])
        cells += wide
        if char == " ":
            space = at + 1
    return starts
