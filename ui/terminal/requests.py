"""The requests: a list over windows of the feed, the detail of one beside or over it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from tapper.feed.interface import ALWAYS, Query, Span
from tapper.model.text import clean, count
from ui.columns import COLUMNS, TABLE, WIDE, Column
from ui.terminal.detail import DetailView
from ui.terminal.request_window import fetch, why_empty
from ui.terminal.rows import RowList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ui.terminal.desk import Desk
    from ui.terminal.messages import Closed, ExchangeAsked, Followed, Moved, Opened, Sorted, StepAsked, Wanted
    from ui.terminal.request_window import Window
    from ui.terminal.state import State

ORDERS = {
    "TIME": "time",
    "PROTO": "protocol",
    "FROM": "src_name",
    "TO": "dst_name",
    "REQUEST": "target",
    "STATUS": "status",
    "LATENCY": "latency_ns",
    "SIZE": "response_body_bytes",
    "SENT": "request_body_bytes",
    "HOST": "authority",
    "ID": "id",
}
"""Title of a column -> the feed's column that orders it."""
WIDE_ENOUGH = 130
"""Cells from which list and detail stand side by side."""
FAILED = "failed"


class RequestsPane(Vertical):
    """List and detail."""

    DEFAULT_CSS = """
    RequestsPane > Horizontal { height: 1fr; }
    RequestsPane #list { width: 1fr; }
    RequestsPane DetailView { width: 1fr; display: none; }
    RequestsPane.detail DetailView { display: block; }
    RequestsPane.detail #list { display: none; }
    RequestsPane.detail.beside #list { display: block; width: 50%; }
    RequestsPane.detail.beside DetailView { border-left: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,F", "follow", "follow"),
        Binding("s,o", "app.order", "sort"),
        Binding("v", "reverse", "reverse the order", show=False),
        Binding("A", "order('time')", "oldest first / newest first", show=False),
        Binding("L", "order('latency_ns')", "slowest first", show=False),
        Binding("S", "order('status')", "by status", show=False),
        Binding("ctrl+z,e", "failed", "errors only"),
        Binding("ctrl+w", "wide", "wide", show=False),
        Binding("p", "pause", "pause", show=False),
        Binding("t", "app.span", "time range", show=False),
        Binding("x", "app.export", "export"),
        Binding("c,y", "copy", "copy", show=False),
        Binding("tab", "other", "list / detail", show=False),
    ]

    def __init__(self, desk: Desk, state: State, where: str = "") -> None:
        super().__init__(id="requests")
        self.desk, self.state = desk, state
        self.query_ = Query(where=where, columns=COLUMNS)
        self.paused = False
        self.last_total = 0
        """Rows there were when the reader was last at the newest."""
        self._wanted_id: str | None = None
        self.rows = RowList(self._columns(), lambda row: row["outcome"], empty="looking ...", id="rows")
        self.rows.order = 0
        self.rows.set_class(state.wide, "wide")
        self.rows.layout_.wide = state.wide
        self.detail = DetailView(desk)

    def compose(self) -> ComposeResult:
        """List and detail."""
        with Horizontal():
            with Vertical(id="list"):
                yield self.rows.heading
                yield self.rows
            yield self.detail

    def _columns(self) -> tuple[Column, ...]:
        if self.state.wide:
            return WIDE
        return tuple(column for column in TABLE if column.title not in (*self.state.hidden, "ID"))

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
        start, size = self.rows.window()
        query, follow = self.query_, self.rows.follow
        current = self.rows.current
        anchor = (self.rows.cursor, current) if current is not None else None
        self.desk.ask(
            "requests", lambda feed: fetch(feed, query, start, size, anchor, tail=follow), self._show, self._failed
        )

    def _show(self, window: Window) -> None:
        if window.query != self.query_:
            return
        if not window.total:
            query = self.query_
            self.desk.ask("empty", lambda feed: why_empty(feed, query), self._say_empty)
        self.rows.show(window.total, window.start, window.rows, shift=window.shift)
        if self._wanted_id is not None:
            found = next((n for n, row in enumerate(window.rows) if row["id"] == self._wanted_id), None)
            if found is not None:
                self.rows.put_cursor(window.start + found)
            self._wanted_id = None
        self.app.title_changed()  # type: ignore[attr-defined]

    def _failed(self, error: Exception) -> None:
        if not self.rows.total:
            self.rows.message = clean(str(error))
            self.rows.refresh()
        self.app.told(error)  # type: ignore[attr-defined]

    def _say_empty(self, words: str) -> None:
        self.rows.message = words
        self.rows.refresh()

    def set_query(self, **changes: Any) -> None:
        """Another filter, order or range."""
        changed = replace(self.query_, **changes)
        if changed == self.query_:
            return
        self.query_ = changed
        titles = [ORDERS.get(column.title) for column in self.rows.columns]
        self.rows.order = titles.index(changed.order) if changed.order in titles else -1
        self.rows.descending = changed.descending
        self.rows.message = "looking ..."
        follow = self.rows.follow and changed.order == "time"
        self.rows.clear()
        self.rows.set_follow(follow)
        self.last_total = 0
        self._ask()

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

    def on_opened(self, event: Opened) -> None:
        """Shows the row in full."""
        event.stop()
        row = self.rows.current
        if row is not None:
            self.open(row["id"])

    def open(self, exchange_id: str, *, focus: bool = True) -> None:
        """Shows an exchange in full."""
        self.add_class("detail")
        self._beside()
        self.detail.load(exchange_id)
        if focus:
            self.screen.set_focus(self.detail.pager)

    def on_moved(self, event: Moved) -> None:
        """Beside the list, the detail goes with the cursor."""
        event.stop()
        row = self.rows.current
        if row is not None and self.beside and row["id"] != self.detail.exchange_id and not self.detail.linked:
            self.detail.load(row["id"])
        self.app.title_changed()  # type: ignore[attr-defined]

    def on_step_asked(self, event: StepAsked) -> None:
        """The next or previous one, without going back."""
        event.stop()
        self.detail.linked = False
        self.rows.action_step(event.by)
        if (row := self.rows.current) is not None:
            self.detail.load(row["id"])

    def on_exchange_asked(self, event: ExchangeAsked) -> None:
        """Another exchange that the detail leads to."""
        event.stop()
        self.open(event.exchange_id)

    def on_closed(self, event: Closed) -> None:
        """Back to the list."""
        event.stop()
        self.remove_class("detail", "beside")
        self.screen.set_focus(self.rows)

    @property
    def beside(self) -> bool:
        """Whether both are seen."""
        return self.has_class("beside")

    def _beside(self) -> None:
        self.set_class(self.has_class("detail") and self.size.width >= WIDE_ENOUGH, "beside")

    def on_resize(self) -> None:
        """Side by side, if there is room."""
        self._beside()

    def on_sorted(self, event: Sorted) -> None:
        """A title was clicked."""
        event.stop()
        column = ORDERS.get(self.rows.columns[event.column].title)
        if column is not None:
            self.action_order(column)

    def on_followed(self, event: Followed) -> None:
        """Says so."""
        event.stop()
        self.last_total = self.rows.total
        if self.rows.follow:
            self._ask()
        self.app.title_changed()  # type: ignore[attr-defined]

    def action_order(self, column: str) -> None:
        """Orders by a column: what is large or late first, except for time; again: the other way round."""
        same = self.query_.order == column
        falls = column in ("latency_ns", "response_body_bytes", "request_body_bytes", "status")
        self.set_query(order=column, descending=not self.query_.descending if same else falls)

    def action_reverse(self) -> None:
        """The other way round."""
        self.set_query(descending=not self.query_.descending)

    def action_follow(self) -> None:
        """Follows the newest, or stops."""
        if not self.rows.follow and (self.query_.order != "time" or self.query_.descending):
            self.set_query(order="time", descending=False)
        self.rows.set_follow(not self.rows.follow)

    def action_failed(self) -> None:
        """Errors only, or all again."""
        self.app.filter_by(toggled(self.query_.where, FAILED))  # type: ignore[attr-defined]

    def action_pause(self) -> None:
        """Stops showing what comes, or goes on."""
        self.paused = not self.paused
        self.refresh_rows()
        self.app.title_changed()  # type: ignore[attr-defined]

    def action_wide(self) -> None:
        """All columns, to be scrolled sideways; or those that fit."""
        self.state.wide = not self.state.wide
        self.rows.show_columns(self._columns(), wide=self.state.wide)
        titles = [ORDERS.get(column.title) for column in self.rows.columns]
        self.rows.order = titles.index(self.query_.order) if self.query_.order in titles else -1
        self._ask()

    def toggle_column(self, title: str) -> None:
        """Hides a column, or shows it again."""
        hidden = self.state.hidden
        self.state.hidden = [t for t in hidden if t != title] if title in hidden else [*hidden, title]
        self.rows.show_columns(self._columns(), wide=self.state.wide)

    def action_copy(self) -> None:
        """Copies something of the row."""
        if (row := self.rows.current) is not None:
            self.app.copy_of(row["id"])  # type: ignore[attr-defined]

    def action_other(self) -> None:
        """To the detail beside, or back."""
        if self.beside:
            self.screen.set_focus(self.detail.pager if self.rows.has_focus else self.rows)
        else:
            self.rows.action_open()

    def set_span(self, span: Span = ALWAYS) -> None:
        """Another range of time."""
        self.set_query(span=span)


def toggled(where: str, word: str) -> str:
    """A filter with a condition, or without it if it has it."""
    before, after = f"{word} && (", ")"
    if where == word:
        return ""
    if where.startswith(before) and where.endswith(after):
        return where[len(before) : -len(after)]
    return f"{before}{where}{after}" if where else word
