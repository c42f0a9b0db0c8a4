"""The terminal UI: screens over one feed, and what they share: the filter, the keys of every screen, what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.drivers.linux_driver import LinuxDriver

from tapper.feed.interface import FeedError
from ui.terminal import themes
from ui.terminal.desk import Desk
from ui.terminal.driver import TerminalDriver
from ui.terminal.filter_line import FilterLine
from ui.terminal.filter_trail import FilterTrail
from ui.terminal.key_line import KeyLine
from ui.terminal.key_order import KeyOrder
from ui.terminal.panes import Panes
from ui.terminal.state import State
from ui.terminal.top_line import TopLine
from ui.terminal.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.await_complete import AwaitComplete
    from textual.binding import BindingType
    from textual.driver import Driver

    from tapper.feed.interface import Feed
    from ui.terminal import messages
    from ui.terminal.requests import RequestsPane

POLL_S = 0.25
"""How often the feed is asked whether anything changed."""
BEGUN_S = 1.0
"""So long after the start all that stays is there."""


class TapperApp(App[None]):
    """Shows a feed."""

    CSS = "Screen { layout: vertical; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "pane('requests')", "requests", show=False),
        Binding("2", "pane('map')", "map", show=False),
        Binding("3", "pane('flows')", "flows", show=False),
        Binding("4", "pane('health')", "health", show=False),
        Binding("slash", "filter", "filter"),
        Binding("colon,ctrl+p", "palette", "commands"),
        Binding("question_mark,f1", "keys", "keys"),
        Binding("left_square_bracket", "history(-1)", "filter before", show=False),
        Binding("right_square_bracket", "history(1)", "filter after", show=False),
        Binding("asterisk", "saved", "saved filters", show=False),
        Binding("escape", "away", "clear the filter / back", show=False),
        Binding("q", "away(True)", "back, quit", show=False),
        Binding("ctrl+q,ctrl+c", "quit", "quit", show=False),
    ]

    def __init__(self, feed: Feed, *, where: str = "", title: str = "", state: State | None = None) -> None:
        super().__init__()
        self.state = State() if state is None else state
        self.desk = Desk(feed, self.told)
        self.where = where
        self.progress: Callable[[], str | None] = lambda: None
        """Tells how far reading is; None when done."""
        self.over: Callable[[], bool] = lambda: False
        """Tells whether it is time to leave."""
        self.begun: Callable[[], None] = lambda: None
        """Called once, when all that stays is there."""
        self._trail = FilterTrail(where)
        self._key_order = KeyOrder(self)
        self._top = TopLine(title)
        self._line = FilterLine(self.desk, self.state)
        self._key_line = KeyLine()
        self.watching = Watching(self.desk, self._top, self._changed, self._informed)
        self.panes = Panes(self.desk, self.state, where)
        themes.register(self)
        themes.use(self, self.state.theme)

    def get_driver_class(self) -> type[Driver]:
        """One whose terminal may go away."""
        usual = super().get_driver_class()
        return TerminalDriver if usual is LinuxDriver else usual

    def compose(self) -> ComposeResult:
        """From top to bottom; screens that are not seen yet come when they are asked for."""
        yield self._top
        yield self._line
        yield self.panes
        yield self._key_line

    def on_mount(self) -> None:
        """Asks for what is first seen."""
        self.animation_level = "none"
        self._line.show(self.where)
        self.screen.set_focus(self.requests.rows)
        self.requests.refresh_rows()
        self.set_interval(POLL_S, self.poll)
        self.set_timer(BEGUN_S, lambda: self.begun())

    async def on_event(self, event: events.Event) -> None:
        """Does what a key asks for before the next key is looked at."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if not await self._key_order.done(event):
            await super().on_event(event)
        await self._key_order.settled()

    # what changes by itself

    def poll(self) -> None:
        """Asks whether anything changed."""
        if self.over():
            self.exit()
            return
        self._key_line.hush()
        self.watching.look(self.progress())

    def _changed(self) -> None:
        self.pane.refresh_rows()

    def _informed(self) -> None:
        self.requests.rows.grows = self.watching.live

    # what is said

    def told(self, error: Exception) -> None:
        """Says what went wrong."""
        if isinstance(error, FeedError) or type(error).__name__ == "FilterError":
            self.say(str(error), warning=True)
        else:
            self.say(f"an error of tapper itself: {type(error).__name__}: {error}", warning=True)

    def on_failed(self, event: messages.Failed) -> None:
        """A question of a screen could not be answered."""
        self.told(event.error)

    def say(self, words: str, *, warning: bool = False) -> None:
        """Says something in the last line, for a moment."""
        self._key_line.say(words, warning=warning)

    def on_said(self, event: messages.Said) -> None:
        """A screen has something to say."""
        self.say(event.words, warning=event.warning)

    def on_note_changed(self) -> None:
        """How many match, how many are new."""
        self._key_line.show_note(self.pane.note)

    def on_descendant_focus(self) -> None:
        """Other keys."""
        self.call_later(self._told_keys)

    def pop_screen(self) -> AwaitComplete:
        """The keys are those of what is below again."""
        popped = super().pop_screen()
        self.call_later(self._told_keys)
        return popped

    def _told_keys(self) -> None:
        self._key_line.show_keys(self.screen.active_bindings.values())
        self._key_line.show_note(self.pane.note)

    # screens

    @property
    def pane(self) -> Any:
        """The one that is seen."""
        return self.panes.seen

    @property
    def requests(self) -> RequestsPane:
        """The first."""
        return self.panes.requests

    async def action_pane(self, name: str) -> None:
        """Shows another."""
        await self.panes.show(name)
        self._top.pane = name
        self._top.refresh()
        self._told_keys()

    async def on_pane_asked(self, event: messages.PaneAsked) -> None:
        """A name in the top line was clicked."""
        await self.action_pane(event.name)

    async def on_exchange_asked(self, event: messages.ExchangeAsked) -> None:
        """Shows one in full."""
        await self.action_pane("requests")
        await self.requests.open(event.exchange_id)

    # filter

    def action_filter(self) -> None:
        """Types a filter."""
        self._line.begin()

    async def on_filter_asked(self, event: messages.FilterAsked) -> None:
        """A filter was typed or chosen."""
        self.filter_by(event.where)
        if event.pane is not None:
            await self.action_pane(event.pane)
        self.screen.set_focus(self.pane.rows)

    def filter_by(self, where: str, *, remember: bool = True) -> None:
        """Filters every screen."""
        if where == self.where:
            return
        self.where = where
        if remember:
            self._trail.add(where)
            self.state.used(where)
            self.state.write()
        self._line.show(where)
        self.panes.filter_by(where)

    def action_history(self, by: int) -> None:
        """Back and forth among the filters of this run."""
        self.filter_by(self._trail.go(by), remember=False)

    async def action_away(self, leave: bool = False) -> None:
        """Clears the filter; at the root `q` quits."""
        if self.where:
            self.filter_by("")
        elif self.pane.id != "requests":
            await self.action_pane("requests")
        elif leave:
            self.exit()

    # menus

    def action_keys(self) -> None:
        """The keys of this screen."""
        from ui.terminal.keys_help import Keys

        self.push_screen(Keys("keys here", self.screen.active_bindings.values()))

    def action_palette(self) -> None:
        """Commands by name."""
        from ui.terminal.commands import choose

        choose(self)

    def action_span(self) -> None:
        """Which range of time."""
        from ui.terminal.choosing import span

        span(self)

    def action_saved(self) -> None:
        """Filters kept by name."""
        from ui.terminal.choosing import kept_filter

        kept_filter(self)

    def action_export(self) -> None:
        """Writes what the filter lets through, or the map, into a file."""
        from ui.terminal.exporting import export

        export(self)

    def on_find_asked(self, event: messages.FindAsked) -> None:
        """Looks for a text in what is shown in full."""
        from ui.terminal.choosing import find

        find(self, event.pager)

    # of one exchange

    def on_copy_asked(self, event: messages.CopyAsked) -> None:
        """Copies something of it."""
        from ui.terminal.actions import copy

        wanted = event.exchange_id
        self.desk.ask("copy", lambda feed: feed.exchange(wanted), lambda exchange: copy(self, exchange))

    def on_save_asked(self, event: messages.SaveAsked) -> None:
        """Its body as a file."""
        from ui.terminal.actions import save_body

        save_body(self, event.exchange, event.half)

    def on_text_asked(self, event: messages.TextAsked) -> None:
        """A text in the user's pager."""
        from ui.terminal.actions import page_text

        page_text(self, event.text)

    def on_unmount(self) -> None:
        """Remembers."""
        self.state.write()
