"""What is typed fast is done in its order: each key before the next is looked at.

Left to the widgets, a key passes from one's queue to the next one's: what is typed fast after `/` would go to the list,
what is typed after a menu's key to the menu that closes.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from textual.message_pump import MessagePump
from textual.screen import ModalScreen
from textual.widgets import Input

from ui.terminal.menu import Menu

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.dom import DOMNode
    from textual.events import Key

LONGEST_S = 1.0
"""A key waits for what the key before it has opened, or closed, so long at most."""


class KeyOrder:
    """Of one app."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    async def done(self, event: Key) -> bool:
        """Does at once what the key means here; False: it is for the line that is typed in."""
        app = self._app
        await _when(lambda: app.screen.is_mounted)
        if isinstance(app.focused, Input) and event.is_printable:
            return False
        if isinstance(app.screen, Menu) and app.screen.choose(event.character):
            return True
        bound = app.screen.active_bindings.get(event.key)
        return bound is not None and bound.enabled and await app.run_action(bound.binding.action, bound.node)

    async def settled(self) -> None:
        """Waits until a line or menu is through with the key, and whom it tells, up to the screen."""
        app, screen = self._app, self._app.screen
        if not isinstance(screen, ModalScreen) and not isinstance(app.focused, Input):
            return
        for node in (app.focused or screen).ancestors_with_self:
            if not await _through(node) or node is screen:
                return


async def _through(node: DOMNode) -> bool:
    """Waits until it has done what waits for it; whether it is still there."""
    done = asyncio.Event()
    if not isinstance(node, MessagePump) or not node.call_later(done.set):
        return False
    await _when(lambda: done.is_set() or not node.is_attached)
    return done.is_set()


async def _when(there: Callable[[], bool]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_S):
            while not there():
                await asyncio.sleep(0)
