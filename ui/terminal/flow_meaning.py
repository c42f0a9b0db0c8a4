"""What became of a connection in words: what its state usually means, what to look at."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widget import Widget

from tapper.model.text import clean, count, size
from tapper.model.words import STATES

if TYPE_CHECKING:
    from textual.app import RenderResult

    Row = dict[str, Any]

MEANS = {
    "unanswered": "Usually a network policy or firewall drops it, the address belongs to no pod any more, or its node"
    " is gone. Look at the NetworkPolicies of both sides, and whether the Service has endpoints.",
    "refused": "Usually nothing listens on that port: the process crashed or is not up yet, the port of the Service is"
    " wrong, or it has no ready endpoint.",
    "reset": "Usually the process ended or crashed meanwhile, or one end gave up: a proxy's idle timeout, a client's"
    " deadline, a full backlog.",
}
"""What a state usually means, and what to look at."""


class Meaning(Widget):
    """The connection at the cursor in words."""

    DEFAULT_CSS = "Meaning { height: 4; border-top: solid $panel; color: $text-muted; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.row: Row | None = None

    def on_resize(self) -> None:
        """Always as high as the longest words need, so that the list above stays as it is; never most of the screen."""
        needed = max(len(wrap(words(state), max(self.size.width, 10))) for state in MEANS)
        self.styles.height = 1 + min(needed, max(self.screen.size.height // 3, 3))

    def render(self) -> RenderResult:
        """What it is, what that usually means."""
        row = self.row
        if row is None:
            return Content("")
        name = f", TLS to {clean(row['server_name'])}" if row["server_name"] else ""
        lost = f", {count(row['gaps'])} gaps ({size(row['gap_bytes'])}B not captured)" if row["gaps"] else ""
        state, _, rest = words(row["state"], f"{name}{lost}").partition(" ")
        return Content.styled(f"{state} ", "bold") + Content(rest)


def words(state: str, more: str = "") -> str:
    """What a state is, what more there is, what it usually means."""
    return f"{state}: {STATES.get(state, '')}{more}. {MEANS.get(state, '')}"
