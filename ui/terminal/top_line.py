"""The line at the top: what is tapped or read and how that is going, and the screens there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean, count, rate
from ui.formatting import time_of_day, truncate, width
from ui.terminal.messages import PaneAsked

if TYPE_CHECKING:
    from textual import events
    from textual.app import RenderResult

    from tapper.feed.interface import Health, Summary

PANES = ("requests", "map", "flows", "health")


class TopLine(Widget):
    """What is tapped or read, whether more comes, how fast, what is lost; the screens at the right."""

    DEFAULT_CSS = "TopLine { height: 1; background: $panel; }"

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.pane = PANES[0]
        self.health: Health | None = None
        self.summary: Summary | None = None
        self.progress: str | None = None
        """How far reading is; None: nothing is read."""
        self.busy = False
        self._tabs_at: list[tuple[int, int, str]] = []

    def facts(self) -> list[tuple[str, str]]:
        """What there is to say, in the order of its weight, with its style."""
        facts = [("tapper", "bold"), (clean(self.title or (self.health.title if self.health else "")), "bold")]
        if self.progress is not None:
            facts.append((f"◌ reading {self.progress}", "$text-accent"))
        elif self.health is not None and self.health.disconnected_ns is not None:
            facts.append((f"✗ connection lost at {time_of_day(self.health.disconnected_ns)[:8]}", "$text-error"))
        elif self.health is not None and self.health.live:
            facts.append(("● live", "$text-success"))
            if self.health.rate is not None:
                facts.append((rate(self.health.rate), ""))
        else:
            facts.append(("saved", "dim"))
        if self.summary is not None:
            facts.append((f"kept {count(self.summary.exchanges)}", ""))
            if lost := sum(agent.lost + agent.dropped for agent in self.health.agents) if self.health else 0:
                facts.append((f"lost {count(lost)}", "$text-error"))
            if any(source.problem for source in self.summary.sources):
                facts.append(("damaged", "$text-error"))
            elif self.summary.losses:
                facts.append(("incomplete", "$text-warning"))
            if not self.summary.redacted:
                facts.append(("secrets shown", "$text-warning"))
        return [(text, style) for text, style in facts if text]

    def render(self) -> RenderResult:
        """As much as fits; the names of the screens shrink to their numbers first."""
        room = self.size.width
        facts = self.facts()
        tabs = [(f" {number} {name} ", name) for number, name in enumerate(PANES, 1)]
        needed = sum(width(text) + 2 for text, _ in facts) + 2
        if needed + sum(width(text) for text, _ in tabs) > room:
            tabs = [
                (f" {number} {name} " if name == self.pane else f" {number} ", name)
                for number, name in enumerate(PANES, 1)
            ]
        across = sum(width(text) for text, _ in tabs)
        left, used = Content(" "), 1
        for text, style in facts:
            shown = truncate(text, max(room - across - used - 3, 0))
            if not shown:
                break
            left += Content.styled(shown, style) + Content("  ")
            used += width(shown) + 2
        if self.busy and used + across + 1 < room:
            left += Content.styled("◌", "dim")
            used += 1
        left += Content(" " * max(room - across - used, 0))
        self._tabs_at, at = [], room - across
        for text, name in tabs:
            left += Content.styled(text, "reverse" if name == self.pane else "dim")
            self._tabs_at.append((at, at + width(text), name))
            at += width(text)
        return left

    def on_click(self, event: events.Click) -> None:
        """Goes to the screen under the pointer."""
        for start, end, name in self._tabs_at:
            if start <= event.x < end:
                self.post_message(PaneAsked(name))
