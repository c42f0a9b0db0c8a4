"""The terminal UI: screens over one feed, and what they share: the filter, the keys of every screen, what is said."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import ModalScreen
from textual.widgets import ContentSwitcher, Input

from tapper.feed.interface import ALWAYS, FeedError, Span
from tapper.model.text import clean
from ui.terminal import actions, themes
from ui.terminal.bars import KeyLine, PaneAsked, TopLine
from ui.terminal.desk import Desk
from ui.terminal.driver import TerminalDriver
from ui.terminal.filter_line import FilterLine
from ui.terminal.flows import ORDERS as FLOW_ORDERS
from ui.terminal.flows import FlowsPane
from ui.terminal.health import HealthPane
from ui.terminal.map import ORDERS as MAP_ORDERS
from ui.terminal.map import MapPane
from ui.terminal.menu import Ask, Choice, Keys, Menu, Palette
from ui.terminal.pager import Pager
from ui.terminal.requests import ORDERS, RequestsPane
from ui.terminal.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.driver import Driver

    from tapper.feed.interface import Feed, Health, Summary
    from tapper.model.records import Exchange, Half
    from ui.terminal.messages import ExchangeAsked, FilterAsked

POLL_S = 0.25
"""How often the feed is asked whether anything changed."""
FACTS_S = 1.0
"""How often counts and health are asked for while it changes."""
PATIENCE_S = 0.2
"""An answer that takes longer is said to be waited for."""
MENU_S = 1.0
"""A key waits for the menu that opens, or for the letter typed before it, so long at most."""
SAID_S = 6.0
"""How long something said stays."""


class TapperApp(App[None]):
    """Shows a feed."""

    CSS = """
    Screen { layout: vertical; }
    #panes { height: 1fr; }
    """
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
        self.span_ = ALWAYS
        self.progress: Callable[[], str | None] = lambda: None
        """Tells how far reading is; None when done."""
        self.over: Callable[[], bool] = lambda: False
        """Tells whether it is time to leave."""
        self._revision = 0
        self._facts_at = 0.0
        self._facts_stale = True
        self._said_at = 0.0
        self._seen_filters, self._filter_at = [where], 0
        self._top = TopLine(title)
        self._line = FilterLine(self.desk, self.state)
        self._key_line = KeyLine()
        self.requests = RequestsPane(self.desk, self.state, where)

    def get_driver_class(self) -> type[Driver]:
        """One whose terminal may go away."""
        usual = super().get_driver_class()
        return TerminalDriver if usual is LinuxDriver else usual

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._top
        yield self._line
        with ContentSwitcher(initial="requests", id="panes"):
            yield self.requests
            yield MapPane(self.desk, self.state, self.where)
            yield FlowsPane(self.desk, self.where)
            yield HealthPane(self.desk)
        yield self._key_line

    def on_mount(self) -> None:
        """Asks for what is first seen."""
        self.animation_level = "none"
        themes.register(self)
        themes.use(self, self.state.theme)
        self._line.show(self.where)
        self.screen.set_focus(self.requests.rows)
        self.set_interval(POLL_S, self.poll)
        self.poll()

    async def on_event(self, event: events.Event) -> None:
        """Does what a key is bound to before the next key is looked at.

        Left to the widgets, a key passes from one's queue to the next one's: what is typed fast after `/` would go to
        the list.
        """
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        await self._until_there()
        line = self.focused if isinstance(self.focused, Input) else None
        bound = not event.is_printable if line else not isinstance(self.screen, ModalScreen)
        if bound and (await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key)):
            return
        await super().on_event(event)
        if line is not None:
            typed = asyncio.Event()
            line.call_later(typed.set)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(typed.wait(), MENU_S)

    async def _until_there(self) -> None:
        """Waits until a menu that the key before has opened can take keys."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MENU_S):
                while not self.screen.is_mounted:
                    await asyncio.sleep(0)

    # what changes by itself

    def poll(self) -> None:
        """Asks whether anything changed."""
        if self.over():
            self.exit()
            return
        self.desk.ask("revision", lambda feed: feed.revision(), self._revised)
        now = time.monotonic()
        if self._key_line.said and now - self._said_at > SAID_S:
            self._key_line.said = ""
            self._key_line.remove_class("warning")
            self._key_line.refresh()
        busy, progress = self.desk.busy_s > PATIENCE_S, self.progress()
        if (busy, progress) != (self._top.busy, self._top.progress):
            self._top.busy, self._top.progress = busy, progress
            self._top.refresh()
        if now - self._facts_at >= FACTS_S:
            self._facts_at = now
            self.desk.ask("health", lambda feed: feed.health(), lambda found: self._informed(health=found))
            if self._facts_stale or (self._top.health is not None and self._top.health.live):
                self._facts_stale = False
                self.desk.ask("summary", lambda feed: feed.summary(), lambda found: self._informed(summary=found))

    def _revised(self, revision: int) -> None:
        if revision != self._revision:
            first = self._revision == 0
            self._revision, self._facts_stale = revision, True
            if not first:
                self.pane.refresh_rows()

    def _informed(self, *, health: Health | None = None, summary: Summary | None = None) -> None:
        told = (health or self._top.health, summary or self._top.summary)
        if told != (self._top.health, self._top.summary):
            self._top.health, self._top.summary = told
            self._top.refresh()
        if health is not None:
            self.requests.rows.grows = health.live or self.progress() is not None

    def told(self, error: Exception) -> None:
        """Says what went wrong."""
        if isinstance(error, FeedError) or type(error).__name__ == "FilterError":
            self.say(str(error), warning=True)
        else:
            self.say(f"an error of tapper itself: {type(error).__name__}: {error}", warning=True)

    def say(self, words: str, *, warning: bool = False) -> None:
        """Says something in the last line, for a moment."""
        self._key_line.said, self._said_at = clean(words), time.monotonic()
        self._key_line.set_class(warning, "warning")
        self._key_line.refresh()

    def title_changed(self) -> None:
        """The last line says how many match, how many are new, which keys there are."""
        first: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            first.setdefault(active.binding.action, active.binding)
        keys = tuple((key_name(binding.key), binding.description) for binding in first.values() if binding.show)
        note = self.pane.note
        if (keys, note) != (self._key_line.keys, self._key_line.note):
            self._key_line.keys, self._key_line.note = keys, note
            self._key_line.refresh()

    def on_descendant_focus(self) -> None:
        """Other keys."""
        self.call_later(self.title_changed)

    # screens

    @property
    def pane(self) -> Any:
        """The one that is seen."""
        return self.query_one(f"#{self.query_one('#panes', ContentSwitcher).current}")

    def action_pane(self, name: str) -> None:
        """Shows another."""
        switcher = self.query_one("#panes", ContentSwitcher)
        switcher.current = name
        self._top.pane = name
        self._top.refresh()
        self.pane.refresh_rows()
        self.screen.set_focus(self.pane.rows)
        self.title_changed()

    def on_pane_asked(self, event: PaneAsked) -> None:
        """A name in the top line was clicked."""
        self.action_pane(event.name)

    def on_exchange_asked(self, event: ExchangeAsked) -> None:
        """Shows one in full."""
        self.action_pane("requests")
        self.requests.open(event.exchange_id)

    # filter

    def action_filter(self) -> None:
        """Types a filter."""
        self._line.begin()

    def on_filter_asked(self, event: FilterAsked) -> None:
        """A filter was typed or chosen."""
        self.filter_by(event.where)
        if event.pane is not None:
            self.action_pane(event.pane)
        self.screen.set_focus(self.pane.rows)

    def filter_by(self, where: str, *, remember: bool = True) -> None:
        """Filters every screen."""
        if where == self.where:
            return
        self.where = where
        if remember:
            self._seen_filters = [*self._seen_filters[: self._filter_at + 1], where]
            self._filter_at = len(self._seen_filters) - 1
            self.state.used(where)
            self.state.write()
        self._line.show(where)
        for pane in self.query_one("#panes", ContentSwitcher).children:
            pane.set_query(where=where)  # type: ignore[attr-defined]

    def action_history(self, by: int) -> None:
        """Back and forth among the filters of this run."""
        at = self._filter_at + by
        if 0 <= at < len(self._seen_filters):
            self._filter_at = at
            self.filter_by(self._seen_filters[at], remember=False)

    def action_away(self, leave: bool = False) -> None:
        """Clears the filter; at the root `q` quits."""
        if self.where:
            self.filter_by("")
        elif self.pane.id != "requests":
            self.action_pane("requests")
        elif leave:
            self.exit()

    # menus

    def action_keys(self) -> None:
        """The keys of this screen."""
        known: dict[tuple[str, str], list[str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.description:
                known.setdefault((binding.action, binding.description), []).append(key_name(binding.key))
        self.push_screen(Keys("keys here", [(" ".join(keys), words) for (_, words), keys in known.items()]))

    def action_palette(self) -> None:
        """Commands by name."""
        choices = actions.commands(self)
        self.push_screen(Palette([choice for choice, _ in choices]), lambda value: _call(choices, value))

    def action_order(self) -> None:
        """Which column orders the list."""
        order = self.requests.query_.order
        keys = {"time": "t", "latency_ns": "l", "status": "s", "response_body_bytes": "z", "src_name": "f"}
        keys |= {"dst_name": "o", "target": "r", "protocol": "p", "request_body_bytes": "n", "authority": "h"}
        choices = [
            Choice(column, title.lower(), keys[column], "now; again: the other way" if column == order else "")
            for title, column in ORDERS.items()
            if column in keys
        ]

        def chosen(column: str | None) -> None:
            if column:
                self.requests.action_order(column)

        self.push_screen(Menu("order by", choices), chosen)

    def action_order_map(self) -> None:
        """What the map is sorted by."""
        choices = [Choice(name, name, "hcp9ft"[number]) for number, name in enumerate(MAP_ORDERS)]
        self.push_screen(Menu("order by", choices), lambda name: self.pane.set_order(name) if name else None)

    def action_order_flows(self) -> None:
        """What connections are sorted by."""
        choices = [Choice(column, title.lower()) for title, column in FLOW_ORDERS.items()]
        self.push_screen(Menu("order by", choices), lambda name: self.pane.set_order(name) if name else None)

    def action_span(self) -> None:
        """Which range of time."""
        last = self._top.summary.last_ns if self._top.summary else None
        choices = [Choice("0", "all", "0")]
        choices += [Choice(str(m), f"last {m} min", str(n)) for n, m in enumerate((1, 5, 15, 30, 60), 1)]

        def chosen(minutes: str | None) -> None:
            if minutes is not None:
                self.span_ = Span(last - int(minutes) * 60_000_000_000) if minutes != "0" and last else ALWAYS
                for pane in self.query_one("#panes", ContentSwitcher).children:
                    pane.set_span(self.span_)  # type: ignore[attr-defined]

        self.push_screen(Menu("time range", choices), chosen)

    def action_saved(self) -> None:
        """Filters kept by name."""
        choices = [Choice(where, name, more=where) for name, where in sorted(self.state.saved.items())]
        if self.where:
            choices.append(Choice("\0", "keep this filter ...", "+"))
        if not choices:
            self.say("no filter is kept yet: / types one, then * keeps it by a name")
            return

        def chosen(where: str | None) -> None:
            if where == "\0":
                self.push_screen(Ask("name of this filter", words=self.where), self._keep_filter)
            elif where is not None:
                self.filter_by(where)

        self.push_screen(Menu("saved filters", choices), chosen)

    def _keep_filter(self, name: str | None) -> None:
        if name and name.strip():
            self.state.saved[name.strip()] = self.where
            self.state.write()
            self.say(f"kept as {name.strip()}; * brings it back")

    def action_find(self) -> None:
        """Looks for a text in what is shown in full."""
        pager = self.focused if isinstance(self.focused, Pager) else self.requests.detail.pager

        def typed(needle: str | None) -> None:
            if needle is not None:
                found = pager.find(needle)
                self.say(f"{found} lines have it, n goes on" if found else f"{needle} is not in it")

        self.push_screen(Ask("search", pager.needle), typed)

    def action_export(self) -> None:
        """Writes what the filter lets through, or the map, into a file."""
        actions.export(self)

    # of one exchange

    def copy_of(self, exchange_id: str) -> None:
        """Copies something of it."""
        self.desk.ask("copy", lambda feed: feed.exchange(exchange_id), self._copy)

    def _copy(self, exchange: Exchange) -> None:
        actions.copy(self, exchange)

    def save_body(self, exchange: Exchange, half: Half) -> None:
        """Its body as a file."""
        actions.save_body(self, exchange, half)

    def page_text(self, text: str) -> None:
        """A text in the user's pager."""
        actions.page_text(self, text)

    def on_unmount(self) -> None:
        """Remembers."""
        self.state.write()


def key_name(key: str) -> str:
    """As people write it."""
    names = {
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
    return names.get(key, key.replace("ctrl+", "^"))


def _call(choices: list[tuple[Choice, Callable[[], Any]]], value: str | None) -> None:
    for choice, action in choices:
        if choice.value == value:
            action()
            return
