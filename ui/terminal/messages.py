"""The vocabulary that widgets of the terminal UI talk in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tapper.model.records import Exchange, Half
    from ui.terminal.pager import Pager
    from ui.terminal.rows import RowList


class Wanted(Message):
    """A list needs rows that it does not have."""

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        self.rows = rows


class Moved(Message):
    """The cursor of a list is on another row."""

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        self.rows = rows


class Opened(Message):
    """The row at the cursor is wanted in full."""

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        self.rows = rows


class Sorted(Message):
    """A list is wanted in the order of a column (its number); again: the other way round."""

    def __init__(self, rows: RowList, column: int) -> None:
        super().__init__()
        self.rows, self.column = rows, column


class Followed(Message):
    """A list follows the newest, or no longer."""

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        self.rows = rows


class FilterAsked(Message):
    """A filter was typed or chosen; `screen`: where it is to be shown, if elsewhere than here."""

    def __init__(self, where: str, pane: str | None = None) -> None:
        super().__init__()
        self.where, self.pane = where, pane


class ExchangeAsked(Message):
    """An exchange is wanted in full."""

    def __init__(self, exchange_id: str) -> None:
        super().__init__()
        self.exchange_id = exchange_id


class StepAsked(Message):
    """The next (1) or the previous (-1) exchange of the list is wanted."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by


class LinkOpened(Message):
    """A line of text that leads to an exchange was chosen."""

    def __init__(self, exchange_id: str) -> None:
        super().__init__()
        self.exchange_id = exchange_id


class TabAsked(Message):
    """A part of a request is wanted, by its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Closed(Message):
    """The detail is no longer wanted."""


class PaneAsked(Message):
    """Another screen is wanted."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class NoteChanged(Message):
    """What a screen says in the last line may have changed."""


class Said(Message):
    """Something is to be said, for a moment."""

    def __init__(self, words: str, *, warning: bool = False) -> None:
        super().__init__()
        self.words, self.warning = words, warning


class Failed(Message):
    """A question could not be answered."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class CopyAsked(Message):
    """Something of an exchange is to be copied."""

    def __init__(self, exchange_id: str) -> None:
        super().__init__()
        self.exchange_id = exchange_id


class SaveAsked(Message):
    """A body is to be kept as a file."""

    def __init__(self, exchange: Exchange, half: Half) -> None:
        super().__init__()
        self.exchange, self.half = exchange, half


class TextAsked(Message):
    """A text is wanted in the user's pager."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FindAsked(Message):
    """Something is to be looked for in a text."""

    def __init__(self, pager: Pager) -> None:
        super().__init__()
        self.pager = pager
