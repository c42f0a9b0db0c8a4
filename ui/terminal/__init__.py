"""The terminal UI, over nothing but a `tapper.feed.interface.Feed`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.feed.interface import Feed


def run(
    feed: Feed,
    *,
    where: str = "",
    title: str = "",
    progress: Callable[[], str | None] | None = None,
    over: Callable[[], bool] | None = None,
) -> None:
    """Shows a feed until the user leaves; the feed stays open, for whoever gave it to close.

    Args:
        feed: what is looked at; nothing asks it any more when this returns.
        where: the filter to begin with.
        title: what is tapped or read, short; empty: as the feed's health says.
        progress: tells how far reading is ("41 %"), None when it is done; called on the UI's thread.
        over: tells whether it is time to leave; called there too.
    """
    from ui.terminal.app import TapperApp
    from ui.terminal.state import State

    app = TapperApp(feed, where=where, title=title, state=State.read())
    if progress is not None:
        app.progress = progress
    if over is not None:
        app.over = over
    try:
        app.run()
    finally:
        app.desk.close()
