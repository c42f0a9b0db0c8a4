"""What is chosen for every screen: a range of time, a filter kept by name, a text to look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.feed.interface import ALWAYS, Span
from ui.terminal.ask import Ask
from ui.terminal.menu import Choice, Menu

if TYPE_CHECKING:
    from ui.terminal.app import TapperApp
    from ui.terminal.pager import Pager

MINUTES = (1, 5, 15, 30, 60)
MINUTE = 60_000_000_000
KEEP = "\0"
"""No filter: the choice to keep the one that is used."""


def span(app: TapperApp) -> None:
    """The last minutes, or all."""
    last = app.watching.last_ns
    choices = [Choice("0", "all", "0")]
    choices += [Choice(str(minutes), f"last {minutes} min", str(key)) for key, minutes in enumerate(MINUTES, 1)]

    def chosen(minutes: str | None) -> None:
        if minutes is not None:
            app.panes.look_at(Span(last - int(minutes) * MINUTE) if minutes != "0" and last else ALWAYS)

    app.push_screen(Menu("time range", choices), chosen)


def kept_filter(app: TapperApp) -> None:
    """One of the filters that have names; or a name for the one that is used."""
    choices = [Choice(where, name, more=where) for name, where in sorted(app.state.saved.items())]
    if app.where:
        choices.append(Choice(KEEP, "keep this filter ...", "+"))
    if not choices:
        app.say("no filter is kept yet: / types one, then * keeps it by a name")
        return

    def chosen(where: str | None) -> None:
        if where == KEEP:
            app.push_screen(Ask("name of this filter", words=app.where), named)
        elif where is not None:
            app.filter_by(where)

    def named(name: str | None) -> None:
        if name and name.strip():
            app.state.saved[name.strip()] = app.where
            app.state.write()
            app.say(f"kept as {name.strip()}; * brings it back")

    app.push_screen(Menu("saved filters", choices), chosen)


def find(app: TapperApp, pager: Pager) -> None:
    """A text in what is shown in full."""

    def typed(needle: str | None) -> None:
        if needle is not None:
            found = pager.find(needle)
            app.say(f"{found} lines have it, n goes on" if found else f"{needle} is not in it")

    app.push_screen(Ask("search", pager.needle), typed)
