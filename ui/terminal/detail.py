"""One request in full: its parts as tabs of one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical

from tapper.feed.interface import FeedError
from tapper.model.text import clean
from ui import detail
from ui.lines import DIM, TITLE, WARNING, Line, line
from ui.terminal.detail_head import Head
from ui.terminal.detail_tabs import TABS, Tabs
from ui.terminal.messages import (
    Closed,
    CopyAsked,
    ExchangeAsked,
    FindAsked,
    LinkOpened,
    Said,
    SaveAsked,
    StepAsked,
    TabAsked,
    TextAsked,
)
from ui.terminal.pager import Pager
from ui.terminal.timing import waterfall
from ui.terminal.whole import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tapper.feed.interface import Feed
    from tapper.model.records import Exchange, Half
    from ui.terminal.desk import Desk
    from ui.terminal.whole import Whole

    Row = dict[str, Any]

MESSAGES = 1000
"""Of a stream, that are shown; the rest is counted."""


class DetailView(Vertical):
    """Head, tabs, text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "back"),
        Binding("tab,right,l", "tab(1)", "next part"),
        Binding("shift+tab,left,h", "tab(-1)", "part before", show=False),
        Binding("space", "next(1)", "next request"),
        Binding("p,backspace", "next(-1)", "request before"),
        Binding("m", "view", "body view"),
        Binding("c,y", "copy", "copy"),
        Binding("/", "find", "search", show=False),
        Binding("o", "page", "open in $PAGER", show=False),
        Binding("b", "save", "save the body", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.exchange_id: str | None = None
        self.linked = False
        """Whether it was reached from another detail: moving the list's cursor does not replace it."""
        self.whole: Whole | None = None
        self._views: dict[str, str | None] = {}
        self._back: list[str] = []
        self._tabs, self._head = Tabs(), Head()
        self._packets: list[Line] | None = None
        self.pager = Pager()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self._tabs
        yield self.pager

    def load(self, exchange_id: str) -> None:
        """Shows another exchange, on the same tab."""
        self.exchange_id = exchange_id
        if self.whole is None:
            self.pager.show([line(("asking for it ...", DIM))])
        self.desk.ask("detail", lambda feed: gather(feed, exchange_id), self._show, self._failed)

    def _failed(self, error: Exception) -> None:
        self.whole = None
        self.pager.show([line((clean(str(error)), WARNING))])

    def _show(self, whole: Whole) -> None:
        if whole.exchange.id != self.exchange_id:
            return
        self.whole, self._views, self._packets = whole, {}, None
        self._head.exchange = whole.exchange
        self._head.refresh()
        exchange = whole.exchange
        there = ["request", "timing", "connection", "packets"]
        there += ["response"] if exchange.response is not None else []
        there += ["messages"] if whole.messages else []
        self._tabs.there = tuple(there)
        self._fill()

    def show_tab(self, name: str) -> None:
        """Shows a part."""
        self._tabs.at = name
        self._fill()

    def on_tab_asked(self, event: TabAsked) -> None:
        """A name was clicked."""
        event.stop()
        self.show_tab(event.name)

    @property
    def tab(self) -> str:
        """The part that is shown."""
        return self._tabs.at

    def _fill(self) -> None:
        self._tabs.refresh()
        if self.whole is None:
            return
        if self.tab == "packets" and self._packets is None:
            asked = self.whole.exchange.id
            self.pager.show([line(("asking for its packets ...", DIM))])
            self.desk.ask("packets", lambda feed: packets(feed, asked), lambda found: self._took(asked, found))
            return
        self.pager.show(list(self._lines(self.whole)))

    def _took(self, asked: str, found: list[Line]) -> None:
        if self.whole is not None and self.whole.exchange.id == asked:
            self._packets = found
            if self.tab == "packets":
                self.pager.show(found)

    def _lines(self, whole: Whole) -> Iterator[Line]:
        exchange = whole.exchange
        match self.tab:
            case "request":
                yield from detail.request(exchange, self._views.get("request"))
                yield from _noted(exchange)
            case "response" if exchange.response is None:
                yield line((f"No response: {exchange.outcome.replace('_', ' ')}", exchange.outcome))
                if exchange.error:
                    yield line(clean(exchange.error))
                yield from _noted(exchange)
            case "response":
                yield from detail.response(exchange, self._views.get("response"))
                yield from _noted(exchange)
            case "timing":
                yield from waterfall(whole.exchange, whole.meanwhile, max(self.pager.size.width - 4, 20))
            case "messages":
                yield from self._messages(whole)
            case "connection":
                yield from self._connection(whole)
            case _:
                yield from self._packets or []

    def _messages(self, whole: Whole) -> Iterator[Line]:
        if not whole.messages:
            yield line(("It is no stream: it has no messages.", DIM))
            return
        yield line((detail.messages_title(whole.exchange), TITLE))
        yield from detail.messages(whole.messages[:MESSAGES])
        total = (whole.exchange.messages_sent or 0) + (whole.exchange.messages_received or 0)
        if total > len(whole.messages):
            yield line((f"… the first {len(whole.messages):,} of {total:,}; x exports all", DIM))

    def _connection(self, whole: Whole) -> Iterator[Line]:
        yield from detail.head(whole.exchange)
        yield line()
        if whole.connection is None:
            yield line(("Nothing is known of its connection (yet).", DIM))
        else:
            yield line(("Connection", TITLE))
            yield from detail.connection(whole.connection)
        if whole.exchange.notes:
            yield line()
            yield line(("Notes", TITLE))
            yield from detail.notes(whole.exchange)

    # keys

    def action_close(self) -> None:
        """Back to where this was reached from."""
        self.pager.needle = ""
        if self._back:
            self.load(self._back.pop())
            self.linked = bool(self._back)
        else:
            self.linked = False
            self.post_message(Closed())

    def action_tab(self, by: int) -> None:
        """The next part that is there."""
        at = TABS.index(self.tab)
        for step in range(1, len(TABS) + 1):
            name = TABS[(at + by * step) % len(TABS)]
            if name in self._tabs.there:
                self.show_tab(name)
                return

    def action_next(self, by: int) -> None:
        """The next request of the list, without going back."""
        self._back.clear()
        self.post_message(StepAsked(by))

    def on_link_opened(self, event: LinkOpened) -> None:
        """A call that this one waited for."""
        event.stop()
        if self.exchange_id is not None:
            self._back.append(self.exchange_id)
        self.linked = True
        self.post_message(ExchangeAsked(event.exchange_id))

    @property
    def half(self) -> Half | None:
        """Request or response, whichever is looked at."""
        if self.whole is None:
            return None
        exchange = self.whole.exchange
        return exchange.request if self.tab == "request" or exchange.response is None else exchange.response

    def action_view(self) -> None:
        """The next way to look at the body."""
        half = self.half
        if half is None or not half.body or self.tab not in ("request", "response"):
            return
        from ui.views import suitable

        names = suitable(half.body, detail.content_type(half))
        now = self._views.get(self.tab) or names[0]
        self._views[self.tab] = names[(names.index(now) + 1) % len(names)] if now in names else names[0]
        self._fill()
        self.post_message(Said(f"body as {self._views[self.tab]}"))

    def action_copy(self) -> None:
        """Copies something of it."""
        if self.exchange_id is not None:
            self.post_message(CopyAsked(self.exchange_id))

    def action_find(self) -> None:
        """Looks for a text in it."""
        self.post_message(FindAsked(self.pager))

    def action_page(self) -> None:
        """The text in the user's pager."""
        self.post_message(TextAsked(self.pager.text))

    def action_save(self) -> None:
        """The body as a file."""
        half = self.half
        if half is not None and self.whole is not None:
            self.post_message(SaveAsked(self.whole.exchange, half))


def _noted(exchange: Exchange) -> Iterator[Line]:
    if exchange.notes:
        yield line()
        yield from (line(*_dimmed(part)) for part in detail.notes(exchange))


def _dimmed(part: Line) -> list[tuple[str, str]]:
    return [(part.text, DIM)]


def packets(feed: Feed, exchange_id: str) -> list[Line]:
    """The packets of an exchange layer by layer, or why there are none."""
    try:
        data = feed.packets(exchange_id)
    except FeedError as error:
        return [line((clean(str(error)), DIM))]
    from ui.terminal.packets import layers

    return list(layers(data))
