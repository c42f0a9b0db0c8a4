"""The terminal UI driven without a terminal: keys, and waiting until every question they led to is answered."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.widgets import Input

from ui.terminal.app import TapperApp
from ui.terminal.state import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from tapper.feed.interface import Feed


async def settled(pilot: Pilot[Any]) -> None:
    """Waits until nothing is asked any more and all is painted."""
    app = pilot.app
    assert isinstance(app, TapperApp)
    quiet = 0
    while quiet < 3:
        await pilot.pause()
        quiet = quiet + 1 if app.desk.idle else 0
        await asyncio.sleep(0)
    for line in app.screen.query(Input):
        line.cursor_blink = False
    await pilot.pause()


async def until(pilot: Pilot[Any], condition: Any) -> None:
    """Waits for a condition, thirty seconds at most."""
    async with asyncio.timeout(30):
        while not condition():
            await pilot.pause(0.01)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Presses keys; a longer word is typed letter by letter after a `=`."""
    for key in keys:
        await pilot.press(*(["space" if c == " " else c for c in key[1:]] if key[0] == "=" and len(key) > 1 else [key]))
        await settled(pilot)


@asynccontextmanager
async def driven(
    feed: Feed, *keys: str, size: tuple[int, int] = (120, 36), **options: Any
) -> AsyncIterator[Pilot[Any]]:
    """The app over a feed, after these keys."""
    app = TapperApp(feed, **{"state": State(), **options})
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            await press(pilot, *keys)
            yield pilot
    finally:
        app.desk.close()


def screen(pilot: Pilot[Any]) -> str:
    """What is on the screen, as text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
