"""The requests: their list, the detail of one beside it where there is room, else over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from tapper.feed.interface import ALWAYS, Span
from ui.terminal.messages import FilterAsked, NoteChanged
from ui.terminal.request_list import RequestList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ui.terminal.desk import Desk
    from ui.terminal.detail import DetailView
    from ui.terminal.messages import Closed, ExchangeAsked, Moved, Opened, StepAsked
    from ui.terminal.rows import RowList
    from ui.terminal.state import State

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
        Binding("ctrl+z,e", "failed", "errors only"),
        Binding("t", "app.span", "time range", show=False),
        Binding("x", "app.export", "export"),
        Binding("tab", "other", "list / detail", show=False),
    ]

    def __init__(self, desk: Desk, state: State, where: str = "") -> None:
        super().__init__(id="requests")
        self.desk = desk
        self.list = RequestList(desk, state, where)
        self._detail: DetailView | None = None

    def compose(self) -> ComposeResult:
        """The list; the detail comes when one is opened."""
        with Horizontal():
            yield self.list

    @property
    def rows(self) -> RowList:
        """The rows of the list."""
        return self.list.rows

    @property
    def detail(self) -> DetailView:
        """What shows one in full."""
        if self._detail is None:
            from ui.terminal.detail import DetailView

            self._detail = DetailView(self.desk)
        return self._detail

    def refresh_rows(self) -> None:
        """Asks for what is shown once more."""
        self.list.refresh_rows()

    def set_query(self, **changes: Any) -> None:
        """Another filter, order or range."""
        self.list.set_query(**changes)

    def set_span(self, span: Span = ALWAYS) -> None:
        """Another range of time."""
        self.list.set_query(span=span)

    @property
    def note(self) -> str:
        """What the key line says at the right."""
        return self.list.note

    # the detail

    async def on_opened(self, event: Opened) -> None:
        """Shows the row in full."""
        event.stop()
        row = self.rows.current
        if row is not None:
            self.rows.set_follow(False)  # what is read stays
            await self.open(row["id"])

    async def open(self, exchange_id: str) -> None:
        """Shows an exchange in full."""
        if not self.detail.is_attached:
            await self.query_one(Horizontal).mount(self.detail)
        self.add_class("detail")
        self._beside()
        self.detail.load(exchange_id)
        self.screen.set_focus(self.detail.pager)

    def on_moved(self, event: Moved) -> None:
        """Beside the list, the detail goes with the cursor."""
        event.stop()
        row = self.rows.current
        if row is not None and self.beside and row["id"] != self.detail.exchange_id and not self.detail.linked:
            self.detail.load(row["id"])
        self.post_message(NoteChanged())

    def on_step_asked(self, event: StepAsked) -> None:
        """The next or previous one, without going back."""
        event.stop()
        self.detail.linked = False
        self.rows.action_step(event.by)
        if (row := self.rows.current) is not None:
            self.detail.load(row["id"])

    async def on_exchange_asked(self, event: ExchangeAsked) -> None:
        """Another exchange that the detail leads to."""
        event.stop()
        await self.open(event.exchange_id)

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

    # what was asked by key

    def action_follow(self) -> None:
        """Follows the newest, or stops."""
        self.list.toggle_follow()

    def action_failed(self) -> None:
        """Errors only, or all again."""
        self.post_message(FilterAsked(toggled(self.list.query_.where, FAILED)))

    def action_other(self) -> None:
        """To the detail beside, or back."""
        if self.beside:
            self.screen.set_focus(self.detail.pager if self.rows.has_focus else self.rows)
        else:
            self.rows.action_open()


def toggled(where: str, word: str) -> str:
    """A filter with a condition, or without it if it has it."""
    before, after = f"{word} && (", ")"
    if where == word:
        return ""
    if where.startswith(before) and where.endswith(after):
        return where[len(before) : -len(after)]
    return f"{before}{where}{after}" if where else word
