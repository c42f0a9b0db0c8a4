"""Where a filter is typed: completion of fields and of values seen, the error under the wrong word, history."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from ui.terminal.candidates import Candidates
from ui.terminal.filter_problem import Problem
from ui.terminal.messages import FilterAsked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tapper.feed.interface import Feed
    from tapper.filter import Candidate, FilterError, Record
    from ui.terminal.desk import Desk
    from ui.terminal.state import State

VALUES = 50
"""Of a field, that are asked of the feed for completion."""


class FilterInput(Input):
    """The line itself."""

    DEFAULT_CSS = "FilterInput, FilterInput:focus { border: none; height: 1; padding: 0; background: transparent; }"


class FilterLine(Vertical):
    """A line to type in, what could come next below it."""

    DEFAULT_CSS = """
    FilterLine { height: auto; }
    FilterLine > #row { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", "complete", priority=True),
        Binding("enter", "use", "filter", priority=True),
        Binding("escape", "leave", "leave as it was", priority=True),
        Binding("down", "move(1)", "next candidate, newer", show=False, priority=True),
        Binding("up", "move(-1)", "candidate before, older", show=False, priority=True),
    ]

    def __init__(self, desk: Desk, state: State, record: Record = "exchange") -> None:
        super().__init__()
        self.desk, self.state, self.record = desk, state, record
        self.applied = ""
        self._past: int | None = None
        self._given = ""
        self._input = FilterInput(placeholder="filter: / or click", select_on_focus=False, compact=True)
        self._candidates, self._problem = Candidates(), Problem()

    def compose(self) -> ComposeResult:
        """Line, error, candidates."""
        yield self._input
        yield self._problem
        yield self._candidates

    def show(self, where: str) -> None:
        """The filter in use."""
        self.applied = self._given = where
        self._input.value = where
        self._input.cursor_position = len(where)
        self._problem.show(None, 0)
        self._candidates.show([])

    def begin(self) -> None:
        """Goes there to type."""
        self._past = None
        self.screen.set_focus(self._input)  # at once: letters typed meanwhile must not be taken for keys of the list
        self._look()

    @property
    def typing(self) -> bool:
        """Whether it has the keys."""
        return self._input.has_focus

    def on_input_changed(self, event: Input.Changed) -> None:
        """Looks what could come next, and whether it can be understood."""
        event.stop()
        if self.typing and event.value != self._given:
            self._given = event.value
            self._look()

    def _look(self) -> None:
        text, cursor, record = self._input.value, self._input.cursor_position, self.record
        self.desk.ask(
            "filter", lambda feed: _looked(feed, text, cursor, record), lambda found: self._seen(text, *found)
        )

    def _seen(self, text: str, found: list[Candidate], error: FilterError | None) -> None:
        if not self.typing or text != self._input.value:
            return
        # a word that is still being typed is not wrong yet
        at_end = error is not None and error.position + error.length >= len(text)
        self._problem.show(None if at_end and found else error, -self._input.scroll_offset.x)
        self._candidates.show(found)

    def action_move(self, by: int) -> None:
        """Among candidates while something is typed; in an empty line through filters used before."""
        if self._candidates.found and self._past is None and self._input.value.strip():
            self._candidates.move(by)
            return
        history = self.state.history
        at = len(history) if self._past is None else self._past
        at = min(max(at + by, 0), len(history))
        self._past = at
        self._given = history[at] if at < len(history) else ""
        self._input.value = self._given
        self._input.cursor_position = len(self._given)
        self._candidates.show([])
        if at == len(history):
            self._past = None

    def action_take(self) -> None:
        """Takes the candidate."""
        if self._candidates.found:
            chosen = self._candidates.found[self._candidates.at]
            text = self._input.value
            self._input.value = text[: chosen.start] + chosen.text + text[chosen.end :]
            self._input.cursor_position = chosen.start + len(chosen.text)

    def action_use(self) -> None:
        """Filters, if it can be understood."""
        from tapper.filter import FilterError, parse

        text = self._input.value.strip()
        try:
            parse(text, self.record)
        except FilterError as error:
            shift = len(self._input.value) - len(self._input.value.lstrip())
            self._problem.show(error, shift - self._input.scroll_offset.x)
            self._candidates.show([])
            return
        self.show(text)
        self.post_message(FilterAsked(text))

    def action_leave(self) -> None:
        """Leaves it as it was."""
        self.show(self.applied)
        self.post_message(FilterAsked(self.applied))


def _looked(feed: Feed, text: str, cursor: int, record: Record) -> tuple[list[Candidate], FilterError | None]:
    from tapper.filter import FilterError, complete, parse

    error = None
    try:
        parse(text, record)
    except FilterError as problem:
        error = problem
    found = complete(text, cursor, record, lambda field: _values(feed, field)) if text.strip() else []
    typed = text[found[0].start : cursor] if found else ""
    return [c for c in found if c.text != typed], error


def _values(feed: Feed, field: str) -> Iterable[str]:
    """Values seen of a field; of one that means either end, those of both."""
    from tapper.feed.rows import EXCHANGE_ROW

    column = field.replace(".", "_")
    columns = [column] if column in EXCHANGE_ROW.names else [f"{end}_{column}" for end in ("src", "dst")]
    for name in columns:
        if name in EXCHANGE_ROW.names:
            yield from (value for value in feed.values(name, limit=VALUES)["value"].to_pylist() if value)
