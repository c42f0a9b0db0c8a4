"""Asks the feed whether anything changed, and for the facts that the top line tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.feed.interface import Health, Summary
    from ui.terminal.desk import Desk
    from ui.terminal.top_line import TopLine

FACTS_S = 1.0
"""How often counts and health are asked for while they change."""
PATIENCE_S = 0.2
"""An answer that takes longer is said to be waited for."""


class Watching:
    """What is known of the feed as a whole."""

    def __init__(self, desk: Desk, top: TopLine, changed: Callable[[], None], informed: Callable[[], None]) -> None:
        self.revision = 0
        self._desk, self._top = desk, top
        self._changed, self._informed = changed, informed
        self._facts_at = 0.0
        self._stale = True

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return self._top.progress is not None or (self._top.health is not None and self._top.health.live)

    @property
    def last_ns(self) -> int | None:
        """Time of the newest that there is, as far as is known."""
        return self._top.summary.last_ns if self._top.summary else None

    def look(self, progress: str | None) -> None:
        """Asks once more; `progress`: how far reading is."""
        self._desk.ask("revision", lambda feed: feed.revision(), self._revised)
        busy = self._desk.busy_s > PATIENCE_S
        if (busy, progress) != (self._top.busy, self._top.progress):
            self._top.busy, self._top.progress = busy, progress
            self._top.refresh()
            self._informed()
        now = time.monotonic()
        if now - self._facts_at >= FACTS_S:
            self._facts_at = now
            self._desk.ask("health", lambda feed: feed.health(), lambda found: self._told(health=found))
            if self._stale or self.live:
                self._stale = False
                self._desk.ask("summary", lambda feed: feed.summary(), lambda found: self._told(summary=found))

    def _revised(self, revision: int) -> None:
        if revision != self.revision:
            # the first too: a list may have been asked for before a short file was read
            self.revision, self._stale = revision, True
            self._changed()

    def _told(self, *, health: Health | None = None, summary: Summary | None = None) -> None:
        told = (health or self._top.health, summary or self._top.summary)
        if told != (self._top.health, self._top.summary):
            self._top.health, self._top.summary = told
            self._top.refresh()
            self._informed()
