"""Shows a feed in the browser: serves the page, says its URL, waits for Ctrl-C."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tapper.cli.problems import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.values import Web
    from tapper.collector.api.serving import Address
    from tapper.feed.interface import Feed


def browse(feed: Feed, options: Web, where: str = "") -> None:
    """Shows what a filter leaves of a feed until Ctrl-C."""
    try:
        with page(feed, options, where):
            threading.Event().wait()
    except KeyboardInterrupt:
        say("")


@contextmanager
def page(feed: Feed, options: Web, where: str = "", *, ends: str = "Ctrl-C ends") -> Iterator[Address]:
    """Serves the page of a feed while the block runs; says the URL, opens a browser if there is one.

    Args:
        where: the filter that the page begins with.
    """
    from tapper.collector.api.serving import served

    with served(feed, port=options.port, page=built_page()) as address:
        say(f"web      {address.url(where)}     {ends}")
        if options.browser and _has_screen():
            import webbrowser

            # in a thread: some browsers let the caller wait
            threading.Thread(target=webbrowser.open, args=(address.url_once(where),), daemon=True).start()
        yield address


def built_page() -> Path | None:
    """Where the build left the web view."""
    import ui

    root = Path(ui.__file__).parent / "web" / "dist"
    return root if root.is_dir() else None


def _has_screen() -> bool:
    """Whether a browser would open a window; without, it might be one for the terminal, over what is shown there."""
    if not sys.stderr.isatty():
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
