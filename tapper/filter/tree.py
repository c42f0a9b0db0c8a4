"""The typed tree of a filter, the one meaning behind text, flags and SQL; and its text again.

Every condition is true or false: a comparison with something absent is false, and `!` is the complement. Nodes are
plain values: equal trees mean the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tapper.filter.units import duration_text, time_text

OPERATORS = ("==", "<", "<=", ">", ">=")
"""Of `Compare`; `a != b` is `Not(Compare("==", a, b))`."""
FLIPPED = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
FUNCTIONS = {
    "contains": "has the text somewhere in it",
    "startsWith": "begins with the text",
    "endsWith": "ends with the text",
    "matches": "a part of it matches the regular expression (RE2)",
}
"""Of `Match`: methods of text that give true or false."""


class Kind(Enum):
    """Types, by CEL's names."""

    BOOL = "bool"
    NUMBER = "int"
    TEXT = "string"
    TIME = "timestamp"
    DURATION = "duration"
    NOTES = "list(string)"
    HEADERS = "map(string, string)"
    ID = "uuid"
    """Of a literal only: the id that it is compared with is text to everything else."""

    @property
    def words(self) -> str:
        """For messages."""
        return _WORDS[self]


_WORDS = {
    Kind.BOOL: "true or false",
    Kind.NUMBER: "a number",
    Kind.TEXT: "text",
    Kind.TIME: "a time",
    Kind.DURATION: "a duration",
    Kind.NOTES: "a list of notes",
    Kind.HEADERS: "a map of headers",
    Kind.ID: "an id",
}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value. Times are ns since the epoch, durations ns."""

    value: bool | int | float | str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Ref:
    """A field by its name in the table of fields; `key`: the header of that name (lower case) in a map of headers."""

    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Characters of a text, bytes of a body, number of notes."""

    of: Ref


Operand = Literal | Ref | Size


@dataclass(frozen=True, slots=True)
class Const:
    """Always so."""

    value: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """A field that is true or false."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Has:
    """The field is known; of a header: there is one."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Compare:
    """`left` is never a literal. Absent operands: false."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to one of the values."""

    left: Operand
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One of FUNCTIONS. The argument of `matches` is a literal that RE2 understands."""

    function: str
    subject: Ref
    argument: Literal | Ref


@dataclass(frozen=True, slots=True)
class Noted:
    """The note (see `tapper.model.words.NOTES`) is on the record."""

    note: str


@dataclass(frozen=True, slots=True)
class Not:
    """The complement."""

    term: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    terms: tuple[Node, ...]


Atom = Const | Flag | Has | Compare | OneOf | Match | Noted
Node = Atom | Not | And | Or

TRUE: Final = Const(True)
FALSE: Final = Const(False)


def negate(node: Node) -> Node:
    """The complement, without a Not where there is a shorter one."""
    match node:
        case Not(term):
            return term
        case Const(value):
            return Const(not value)
        case _:
            return Not(node)


def all_of(terms: list[Node]) -> Node:
    """Their conjunction, flat."""
    flat: list[Node] = []
    for term in terms:
        flat += term.terms if isinstance(term, And) else (term,)
    flat = [term for term in flat if term != TRUE]
    if FALSE in flat:
        return FALSE
    return flat[0] if len(flat) == 1 else And(tuple(flat)) if flat else TRUE


def any_of(terms: list[Node]) -> Node:
    """Their disjunction, flat."""
    flat: list[Node] = []
    for term in terms:
        flat += term.terms if isinstance(term, Or) else (term,)
    flat = [term for term in flat if term != FALSE]
    if TRUE in flat:
        return TRUE
    return flat[0] if len(flat) == 1 else Or(tuple(flat)) if flat else FALSE


def refs(node: Node) -> list[Ref]:
    """The fields that a tree asks for, in order, with repeats; those of `Noted` left out."""
    match node:
        case Flag(ref) | Has(ref):
            return [ref]
        case Compare(_, left, right):
            return _operand_refs(left) + _operand_refs(right)
        case OneOf(left, _):
            return _operand_refs(left)
        case Match(_, subject, argument):
            return _operand_refs(subject) + _operand_refs(argument)
        case Not(term):
            return refs(term)
        case And(terms) | Or(terms):
            return [ref for term in terms for ref in refs(term)]
        case _:
            return []


def _operand_refs(operand: Operand) -> list[Ref]:
    match operand:
        case Ref():
            return [operand]
        case Size(of):
            return [of]
        case _:
            return []


def text_of(node: Node | Operand) -> str:
    """The filter text; parsed again it gives the same tree."""
    match node:
        case Const(value):
            return "true" if value else "false"
        case Flag(ref):
            return text_of(ref)
        case Has(Ref(name, None)):
            return f"has({name})"
        case Has(Ref(name, key)):
            return f"{quoted(key or '')} in {name}"
        case Compare(operator, left, right):
            return f"{text_of(left)} {operator} {text_of(right)}"
        case OneOf(left, values):
            return f"{text_of(left)} in [{', '.join(map(text_of, values))}]"
        case Match(function, subject, argument):
            return f"{text_of(subject)}.{function}({text_of(argument)})"
        case Noted(note):
            return f"{quoted(note)} in notes"
        case Not(Compare("==", left, right)):
            return f"{text_of(left)} != {text_of(right)}"
        case Not(Flag() | Match() | Const() | Has(Ref(_, None)) as term):
            return f"!{text_of(term)}"
        case Not(term):
            return f"!({text_of(term)})"
        case And(terms):
            return " && ".join(f"({text_of(t)})" if isinstance(t, Or) else text_of(t) for t in terms)
        case Or(terms):
            return " || ".join(text_of(t) for t in terms)
        case Ref(name, key):
            return name if key is None else f"{name}[{quoted(key)}]"
        case Size(of):
            return f"size({text_of(of)})"
        case Literal(value, Kind.TIME):
            return f"timestamp({quoted(time_text(int(value)))})"
        case Literal(value, Kind.DURATION):
            return duration_text(int(value))
        case Literal(bool(value), _):
            return "true" if value else "false"
        case Literal(str(value), _):
            return quoted(value)
        case Literal(value, _):
            return repr(value)


def quoted(text: str) -> str:
    """Text as a filter has it."""
    return json.dumps(text, ensure_ascii=False)
