"""A list of rows, line by line: any number of them, of which only a window is held. Who owns it gives the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget

from ui.terminal.heading import Heading
from ui.terminal.held_paint import HeldPaint
from ui.terminal.messages import Followed, Moved, Opened, Wanted
from ui.terminal.row_layout import RowLayout
from ui.terminal.row_strips import RowStrips
from ui.terminal.row_window import RowWindow
from ui.terminal.themes import OUTCOMES, outcome_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

    from ui.columns import Column

    Row = dict[str, Any]


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of which a cursor is on one. With `follow`, the view stays at the last row as more come."""

    DEFAULT_CSS = """
    RowList { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    RowList.wide { overflow-x: auto; scrollbar-size-horizontal: 1; }
    RowList > .rows--cursor { background: $panel; }
    RowList:focus > .rows--cursor { background: $primary-muted; text-style: bold; }
    RowList > .rows--group { color: $text-primary; text-style: bold; }
    """ + outcome_rules("RowList", "rows")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor", "rows--group", *(f"rows--{name}" for name in OUTCOMES)}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "up", show=False),
        Binding("down,j", "step(1)", "down", show=False),
        Binding("pageup,ctrl+b", "pages(-1)", "page up", show=False),
        Binding("pagedown,ctrl+f", "pages(1)", "page down", show=False),
        Binding("home,g", "first", "first row", show=False),
        Binding("end,G", "last", "last row", show=False),
        Binding("left,h", "sideways(-8)", "left", show=False),
        Binding("right,l", "sideways(8)", "right", show=False),
        Binding("enter,d", "open", "open"),
    ]

    def __init__(
        self,
        columns: Sequence[Column],
        outcome: Callable[[Row], str],
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.layout_ = RowLayout(columns)
        self.outcome = outcome
        """Which colour a row has."""
        self.cursor = 0
        self.follow = False
        self.grows = False
        """Whether more may come: only then the last row is followed."""
        self.order, self.descending = -1, False
        self._height = 0
        self.message = empty
        """Shown instead of rows while there are none."""
        self.heading = Heading(self)
        self._opens = False
        """Whether the row at the cursor is to be opened when it comes."""
        self._window = RowWindow()
        self._strips = RowStrips(self)
        self._paint = HeldPaint(self)

    # what the owner gives

    def show_columns(self, columns: Sequence[Column], *, wide: bool = False) -> None:
        """Other columns; `wide`: as wide as they need, to be scrolled sideways."""
        self.layout_ = RowLayout(columns)
        self.layout_.wide = wide
        self.set_class(wide, "wide")
        self.scroll_to(x=0, animate=False)
        self._settle()
        self.heading.refresh()
        self.repaint()

    def show(self, total: int, start: int, rows: list[Row], *, shift: int = 0) -> None:
        """Takes a window: rows from number `start` of `total`.

        Args:
            total: how many there are.
            start: number of the first of the rows.
            rows: the window.
            shift: by how much the rows that were seen before have moved; the view moves with them.
        """
        before = self._seen()
        self._window.take(total, start, rows)
        if shift and not self.follow:
            self.cursor += shift
        self._settle()
        self._strips.keep(shift)
        if self.follow:
            self.cursor = max(total - 1, 0)
            self.scroll_to(y=self.max_scroll_y, animate=False)
        else:
            self.cursor = min(max(self.cursor, 0), max(total - 1, 0))
            if shift:
                self.scroll_to(y=self.scroll_offset.y + shift, animate=False)
        if self._seen() != before or not total:
            self.refresh()
        self.post_message(Moved(self))
        if self._opens:
            self.action_open()
        self._want()
        self._paint.end()

    def _seen(self) -> tuple[Any, ...]:
        """What is on the screen: where nothing of it changed, nothing is painted."""
        top = self.scroll_offset.y
        shown = [self.row(number) for number in range(top, min(top + self.size.height, self.total))]
        return self.cursor - top, bool(self.total), shown

    def clear(self) -> None:
        """Forgets what it held: another filter, another order."""
        self._window.forget()
        self.cursor = 0
        self.layout_.forget()
        self.scroll_to(y=0, animate=False)
        self._settle()
        self.heading.refresh()
        self.repaint()

    def repaint(self) -> None:
        """The same rows look different."""
        self._strips.forget()
        self.refresh()

    def say(self, words: str) -> None:
        """Says this instead of rows, while there are none."""
        self.message = words
        self.refresh()

    # what it knows

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self._window.total

    def row(self, number: int) -> Row | None:
        """That row, if it is held."""
        return self._window.row(number)

    @property
    def current(self) -> Row | None:
        """The row at the cursor."""
        return self.row(self.cursor)

    @property
    def held(self) -> tuple[int, list[Row]]:
        """Number of the first row held, and the rows."""
        return self._window.start, self._window.rows

    @property
    def wanted(self) -> tuple[int, int]:
        """Which rows it should hold: first and how many."""
        return self._window.around(self.scroll_offset.y, max(self.size.height, 1), follow=self.follow)

    @property
    def unseen(self) -> int:
        """Rows below what is seen."""
        return max(self.total - self.scroll_offset.y - self.size.height, 0)

    # layout

    def on_resize(self) -> None:
        """Columns fit anew; the cursor stays in sight, if it was."""
        was_seen = 0 <= self.cursor - self.scroll_offset.y < self._height
        self._height = self.size.height
        self._settle()
        self.repaint()
        if self.follow:
            self.scroll_to(y=self.max_scroll_y, animate=False)
        elif was_seen and self.cursor >= self.scroll_offset.y + self._height > 0:
            self.scroll_to(y=self.cursor - self._height + 1, animate=False)
        self._want()

    def _settle(self) -> None:
        """Widths and heights follow the rows; the screen is laid out anew only where that changes it."""
        changed = self.layout_.settle(self._window.rows, max(self.size.width - 2, 1))
        size = Size(self.layout_.across if self.layout_.wide else self.size.width, self.total)
        height, known = self.size.height, self.virtual_size
        if size.width == known.width and min(size.height, known.height) > height > 0:
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = self.total
        else:
            self.virtual_size = size
        if changed:
            self.repaint()
            self.heading.refresh()

    # painting

    def notify_style_update(self) -> None:
        """Another theme."""
        self._strips.forget(theme=True)
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        across, down = self.scroll_offset
        if not self.total:
            return self._strips.said(y)
        if down + y >= self.total:
            return self._strips.blank()
        return self._strips.line(down + y).crop(across, across + self.size.width)

    # moving

    def _go(self, number: int, *, follow: bool = False) -> None:
        before, self._opens = self.cursor, False
        self.cursor = min(max(number, 0), max(self.total - 1, 0))
        self._follow(follow)
        height = max(self.size.height, 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)
        self.refresh_line(before)
        self.refresh_line(self.cursor)
        if before != self.cursor:
            self.post_message(Moved(self))
        self._want()

    def _follow(self, on: bool) -> None:
        if on != self.follow:
            self.follow = on
            self.post_message(Followed(self))

    def set_follow(self, on: bool) -> None:
        """Starts or stops to follow."""
        self._follow(on)
        if on:
            self._go(self.total - 1, follow=True)

    def action_step(self, by: int) -> None:
        """Moves by rows."""
        self._go(self.cursor + by)

    def action_pages(self, by: int) -> None:
        """Moves by what is seen."""
        self._go(self.cursor + by * max(self.size.height - 1, 1))

    def action_first(self) -> None:
        """To the first row."""
        self._go(0)

    def action_last(self) -> None:
        """To the last row; where more come, follows."""
        self._go(self.total - 1, follow=self.grows)

    def action_sideways(self, by: int) -> None:
        """Scrolls a wide list."""
        self.scroll_to(x=self.scroll_offset.x + by, animate=False)

    def action_open(self) -> None:
        """Opens the row, now or when it comes."""
        self._opens = self.current is None and self._window.waits
        if self.current is not None:
            self.post_message(Opened(self))

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor there; a second click opens."""
        number = self.scroll_offset.y + event.y
        if number < self.total:
            again = number == self.cursor
            self._go(number)
            if again:
                self.action_open()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Rows that come into sight are wanted; moving up ends following."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and self.follow and new_value < self.max_scroll_y:
            self._follow(False)
        self._want()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """The titles go with the rows."""
        super().watch_scroll_x(old_value, new_value)
        self.heading.refresh()

    def _want(self) -> None:
        """Asks for rows that are in sight, or nearly, and not held."""
        missing = self._window.missing(self.scroll_offset.y, max(self.size.height, 1), follow=self.follow)
        if missing is not None and self.size.height:
            self.post_message(Wanted(self))
            if self.total and self.current is None:
                self._paint.begin()

    def on_unmount(self) -> None:
        """Others may paint."""
        self._paint.end()
