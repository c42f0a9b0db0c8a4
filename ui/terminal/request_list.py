"""The list of requests: windows of the feed's rows in some order, followed or at rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical

from tapper.feed.interface import Query
from tapper.model.text import clean, count
from ui.columns import COLUMNS, MARKS, TABLE, WIDE, Column
from ui.terminal.messages import CopyAsked, Failed, NoteChanged
from ui.terminal.request_window import Anchor, fetch, why_empty
from ui.terminal.rows import RowList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ui.terminal.desk import Desk
    from ui.terminal.messages import Followed, Sorted, Wanted
    from ui.terminal.request_window import Window
    from ui.terminal.state import State

ORDERS = {
    "TIME": ("time", "t"),
    "LATENCY": ("latency_ns", "l"),
    "STATUS": ("status", "s"),
    "SIZE": ("response_body_bytes", "z"),
    "SENT": ("request_body_bytes", "n"),
    "FROM": ("src_name", "f"),
    "TO": ("dst_name", "o"),
    "REQUEST": ("target", "r"),
    "PROTO": ("protocol", "p"),
    "HOST": ("authority", "h"),
}
"""Title of a column -> the feed's column that orders it, the key that chooses it."""
TITLES = {column: title for title, (column, _) in ORDERS.items()}
FALLING = ("latency_ns", "response_body_bytes", "request_body_bytes", "status")
"""What is large comes first."""


class RequestList(Vertical):
    """Titles and rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,o", "order_menu", "sort"),
        Binding("v", "reverse", "reverse the order", show=False),
        Binding("A", "order('time')", "oldest first / newest first", show=False),
        Binding("L", "order('latency_ns')", "slowest first", show=False),
        Binding("S", "order('status')", "by status", show=False),
        Binding("ctrl+w", "wide", "wide", show=False),
        Binding("p", "pause", "pause", show=False),
        Binding("c,y", "copy", "copy", show=False),
    ]

    def __init__(self, desk: Desk, state: State, where: str = "") -> None:
        super().__init__(id="list")
        self.desk, self.state = desk, state
        self.query_ = Query(where=where, columns=COLUMNS)
        self.paused = False
        self.last_total = 0
        """Rows there were when the reader was last at the newest."""
        self.rows = RowList(self._columns(), lambda row: row["outcome"], empty="looking ...", id="rows")
        self.rows.order = 0
        self.rows.set_class(state.wide, "wide")
        self.rows.layout_.wide = state.wide

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.rows.heading
        yield self.rows

    def _columns(self) -> tuple[Column, ...]:
        if self.state.wide:
            return WIDE
        shown = (column for column in TABLE if column.title not in (*self.state.hidden, "ID"))
        return (*shown, MARKS)

    # asking

    def on_wanted(self, event: Wanted) -> None:
        """Rows came into sight."""
        event.stop()
        self._ask()

    def refresh_rows(self) -> None:
        """Asks for what is shown once more."""
        if not self.paused:
            self._ask()

    def _ask(self) -> None:
        rows, query = self.rows, self.query_
        start, size = rows.wanted
        anchor = Anchor(rows.cursor, rows.current, rows.total) if rows.current is not None else None
        tail = rows.follow
        self.desk.ask(
            "requests", lambda feed: fetch(feed, query, start, size, anchor, tail=tail), self._show, self._failed
        )

    def _show(self, window: Window) -> None:
        if window.query != self.query_:
            return
        if not window.total:
            query = self.query_
            self.desk.ask("empty", lambda feed: why_empty(feed, query), self.rows.say)
        self.rows.show(window.total, window.start, window.rows, shift=window.shift)
        self.post_message(NoteChanged())

    def _failed(self, error: Exception) -> None:
        if not self.rows.total:
            self.rows.say(clean(str(error)))
        self.post_message(Failed(error))

    def set_query(self, **changes: Any) -> None:
        """Another filter, order or range."""
        changed = replace(self.query_, **changes)
        if changed == self.query_:
            return
        self.query_ = changed
        self._mark_order()
        self.rows.message = "looking ..."
        follow = self.rows.follow and changed.order == "time"
        self.rows.clear()
        self.rows.set_follow(follow)
        self.last_total = 0
        self._ask()

    def _mark_order(self) -> None:
        title = TITLES.get(self.query_.order)
        titles = [column.title for column in self.rows.layout_.columns]
        self.rows.order = titles.index(title) if title in titles else -1
        self.rows.descending = self.query_.descending
        self.rows.heading.refresh()

    @property
    def note(self) -> str:
        """What the key line says at the right."""
        if self.paused:
            return "paused, p goes on"
        rows = self.rows
        if rows.follow:
            self.last_total = rows.total
            return "following"
        new = rows.total - self.last_total
        if self.last_total and new > 0 and rows.unseen and self.query_.order == "time":
            return f"+{count(new)} new, G to follow"
        return f"{count(rows.cursor + 1)} of {count(rows.total)}" if rows.total else ""

    # what was asked by key

    def on_sorted(self, event: Sorted) -> None:
        """A title was clicked."""
        event.stop()
        title = self.rows.layout_.columns[event.column].title
        if title in ORDERS:
            self.action_order(ORDERS[title][0])

    def on_followed(self, event: Followed) -> None:
        """Says so."""
        event.stop()
        self.last_total = self.rows.total
        if self.rows.follow:
            self._ask()
        self.post_message(NoteChanged())

    def action_order_menu(self) -> None:
        """Which column orders the list."""
        from ui.terminal.menu import Choice, Menu

        now = self.query_.order
        choices = [
            Choice(column, title.lower(), key, "now; again: the other way" if column == now else "")
            for title, (column, key) in ORDERS.items()
        ]
        self.app.push_screen(Menu("order by", choices), lambda column: self.action_order(column) if column else None)

    def action_order(self, column: str) -> None:
        """Orders by a column: what is large or late first, except for time; again: the other way round."""
        same = self.query_.order == column
        self.set_query(order=column, descending=not self.query_.descending if same else column in FALLING)

    def action_reverse(self) -> None:
        """The other way round."""
        self.set_query(descending=not self.query_.descending)

    def toggle_follow(self) -> None:
        """Follows the newest, or stops."""
        if not self.rows.follow and (self.query_.order != "time" or self.query_.descending):
            self.set_query(order="time", descending=False)
        self.rows.set_follow(not self.rows.follow)

    def action_pause(self) -> None:
        """Stops showing what comes, or goes on."""
        self.paused = not self.paused
        self.refresh_rows()
        self.post_message(NoteChanged())

    def action_wide(self) -> None:
        """All columns, to be scrolled sideways; or those that fit."""
        self.state.wide = not self.state.wide
        self.rows.show_columns(self._columns(), wide=self.state.wide)
        self._mark_order()
        self._ask()

    def toggle_column(self, title: str) -> None:
        """Hides a column, or shows it again."""
        hidden = self.state.hidden
        self.state.hidden = [t for t in hidden if t != title] if title in hidden else [*hidden, title]
        self.rows.show_columns(self._columns(), wide=self.state.wide)
        self._mark_order()

    def action_copy(self) -> None:
        """Copies something of the row."""
        if (row := self.rows.current) is not None:
            self.post_message(CopyAsked(row["id"]))
