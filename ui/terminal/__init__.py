"""The terminal UI, over nothing but a `tapper.feed.interface.Feed`."""

from __future__ import annotations

import gc
import importlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.feed.interface import Feed


def prepare() -> None:
    """Begins to load the UI beside what the caller has to do first, as opening a session.

    Until it is there memory is not searched for what could be freed: there is nothing, and the search would take a
    tenth of the time until the first rows are seen.
    """
    gc.disable()
    threading.Thread(target=importlib.import_module, args=("ui.terminal.app",), name="prepare", daemon=True).start()


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
    app.begun = stay
    try:
        app.run()
    finally:
        app.desk.close()
        gc.unfreeze()


def stay() -> None:
    """What is there now stays: a search for what could be freed passes it by, where it would hold up a key for long."""
    gc.freeze()
    gc.enable()
