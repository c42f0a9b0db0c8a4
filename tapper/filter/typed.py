"""A piece of filter text with its meaning, and the complaint about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapper.filter.catalog import ALIASES, TABLES
from tapper.filter.error import FilterError
from tapper.filter.tree import Const, Flag, Kind, Literal, Ref, Size

if TYPE_CHECKING:
    from tapper.filter.catalog import Field, Record, Source
    from tapper.filter.tree import Node, Operand


@dataclass(frozen=True, slots=True)
class Typed:
    """`what` is None for null, a tuple for a list; both have no kind."""

    what: Operand | Node | tuple[Typed, ...] | None
    kind: Kind | None
    start: int
    end: int

    @property
    def words(self) -> str:
        """Its type, for messages."""
        if self.kind:
            return self.kind.words
        return "null" if self.what is None else "a list"

    @property
    def condition(self) -> Node | None:
        """As something that is true or false; None: it is not."""
        match self.what:
            case Ref() as ref:
                return Flag(ref) if self.kind is Kind.BOOL else None
            case Literal(value, _):
                return Const(value) if isinstance(value, bool) else None
            case Size() | tuple() | None:
                return None
            case node:
                return node


@dataclass(frozen=True, slots=True)
class Context:
    """The whole text, and what records it is about."""

    text: str
    record: Record

    def wrong(self, at: Typed, message: str, suggestion: str | None = None) -> FilterError:
        """The error to raise."""
        return FilterError(message, self.text, at.start, at.end - at.start, suggestion)

    def written(self, at: Typed) -> str:
        """It as it stands in the text."""
        return self.text[at.start : at.end]

    def field(self, name: str) -> Field | None:
        """The field of that name or alias."""
        return TABLES[self.record].get(ALIASES[self.record].get(name, name))

    def source(self, at: Typed) -> Source | None:
        """Where its value is; None: it is no field."""
        match at.what:
            case Ref(name) | Size(Ref(name)):
                return TABLES[self.record][name].source
            case _:
                return None

    def text_literal(self, at: Typed) -> str:
        """The text that is written there.

        Raises:
            FilterError: it is something else.
        """
        match at.what:
            case Literal(str(text), _):
                return text
            case _:
                raise self.wrong(at, f'a text "..." is expected here; this is {at.words}')
