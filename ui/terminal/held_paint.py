"""Holds painting up for a moment, while what is to be painted is still asked for: it would only flicker."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

LONGEST_S = 0.1
"""Whatever is missing then is painted as missing."""


class HeldPaint:
    """For one widget."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._held = ExitStack()
        self._holds = False

    def begin(self) -> None:
        """Nothing is painted from here on."""
        self.end()
        self._holds = True
        self._held.enter_context(self._widget.app.batch_update())
        self._widget.set_timer(LONGEST_S, self.end)

    def end(self) -> None:
        """All is painted."""
        self._held.close()
        if self._holds and self._widget.is_attached:
            self._widget.screen.check_idle()  # it looked away meanwhile
        self._holds = False
