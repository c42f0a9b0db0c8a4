"""What could be typed next at the cursor of a filter: fields, their functions, operators and known values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapper.filter.catalog import ALIASES, TABLES
from tapper.filter.tree import FUNCTIONS, Kind, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tapper.filter.catalog import Field, Record

MAX_CANDIDATES = 100
"""More than a screen can show."""
LOOK_BACK = 500
"""Characters before the cursor that are looked at: a token and what it belongs to."""

_TOKEN = re.compile(
    r"""
      (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<open> ["'] .* )
    | (?P<word> [A-Za-z_][\w.]* )
    | (?P<value> [0-9][\w.]* )
    | (?P<operator> == | != | <= | >= | && | \|\| | [-<>!()\[\],] )
    | (?P<space> \s+ )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` would replace the characters from `start` to `end`."""

    text: str
    start: int
    end: int
    kind: str
    """field, function, operator, value, header"""
    doc: str = ""


def complete(
    text: str,
    cursor: int | None = None,
    record: Record = "exchange",
    values: Callable[[str], Iterable[str]] | None = None,
) -> list[Candidate]:
    """Candidates at the cursor (None: at the end), best first, at most MAX_CANDIDATES.

    Args:
        text: the filter as far as it is typed.
        cursor: characters before it.
        record: what the filter is on.
        values: gives values seen of a text field, by its full name; `request.headers`: names of headers seen.
    """
    cursor = len(text) if cursor is None else min(max(cursor, 0), len(text))
    tokens = [
        (str(m.lastgroup), m[0]) for m in _TOKEN.finditer(text[max(0, cursor - LOOK_BACK) : cursor]) if m[0].strip()
    ]
    table = TABLES[record]
    after_space = cursor > 0 and text[cursor - 1].isspace()
    partial = ""
    if tokens and (tokens[-1][0] == "open" or (tokens[-1][0] in ("word", "value") and not after_space)):
        partial = tokens.pop()[1]
    found = _candidates(tokens, partial, table, record, values)
    start = cursor - len(partial)
    wanted = partial.strip("\"'").lower()
    begins = [c for c in found if c[0].strip('"').lower().startswith(wanted)]
    inside = [c for c in found if wanted in c[0].lower() and c not in begins]
    return [Candidate(written, start, cursor, kind, doc) for written, kind, doc in (begins + inside)[:MAX_CANDIDATES]]


_Found = list[tuple[str, str, str]]


def _candidates(
    tokens: list[tuple[str, str]],
    partial: str,
    table: dict[str, Field],
    record: Record,
    values: Callable[[str], Iterable[str]] | None,
) -> _Found:
    in_text = partial.startswith(('"', "'"))
    before = [word for _, word in tokens[-3:]]
    subject = _field(_compared(tokens), table, record)
    if before[-1:] == ["["] and len(before) > 1 and (field := _field(before[-2], table, record)):
        return [(f"{quoted(name)}]", "header", "") for name in (values(field.name) if values else _HEADERS)]
    if subject is not None:
        found = [(quoted(value), "value", "") for value in _values(subject, values)]
        return found if in_text else found + _literals(subject) + _fields(table, record, subject.kind)
    if in_text:
        return [(f'"{note}" in notes', "value", doc) for note, doc in _notes(table)]
    if tokens and _ends_operand(tokens[-1]):
        return _operators(_field(tokens[-1][1], table, record))
    base, _, _ = partial.rpartition(".")
    field = _field(base, table, record) if base else None
    if field is not None and field.kind is Kind.TEXT:
        return [(f'{base}.{name}("', "function", doc) for name, doc in FUNCTIONS.items()]
    functions = [("has(", "function", "the field is known"), ("size(", "function", "characters or bytes of it")]
    return _fields(table, record) + functions


def _field(name: str | None, table: dict[str, Field], record: Record) -> Field | None:
    return table.get(ALIASES[record].get(name, name)) if name else None


def _compared(tokens: list[tuple[str, str]]) -> str | None:
    """The word that a value at the end would be compared with."""
    words = [word for _, word in tokens]
    if len(words) >= 2 and words[-1] in _COMPARISONS:
        return words[-2]
    if "[" in words:
        at = len(words) - 1 - words[::-1].index("[")
        if at >= 2 and words[at - 1] == "in" and "]" not in words[at:] and words[-1] in ("[", ","):
            return words[at - 2]
    if len(words) >= 2 and words[-1] == "(":
        base, _, function = words[-2].rpartition(".")
        return base if function in FUNCTIONS else None
    return None


def _ends_operand(token: tuple[str, str]) -> bool:
    kind, word = token
    return kind in ("text", "value") or (kind == "word" and word != "in") or word in (")", "]")


def _values(field: Field, values: Callable[[str], Iterable[str]] | None) -> list[str]:
    seen = list(values(field.name)) if values and field.kind is Kind.TEXT and not field.closed else []
    return list(dict.fromkeys([*seen, *field.values]))


def _literals(field: Field) -> _Found:
    match field.kind:
        case Kind.TIME:
            return [('timestamp("', "function", "a time with its zone")]
        case Kind.DURATION:
            return [(value, "value", "") for value in ("10ms", "100ms", "1s", "10s")]
        case Kind.NUMBER if field.name == "status":
            return [(value, "value", "") for value in ("200", "400", "404", "500", "503")]
        case _:
            return []


def _fields(table: dict[str, Field], record: Record, kind: Kind | None = None) -> _Found:
    found = [(field.name, "field", field.doc) for field in table.values() if kind in (None, field.kind)]
    found += [
        (alias, "field", table[name].doc) for alias, name in ALIASES[record].items() if kind in (None, table[name].kind)
    ]
    return found


def _notes(table: dict[str, Field]) -> list[tuple[str, str]]:
    from tapper.model import words

    return [(note, words.NOTES[note][1]) for note in table["notes"].values]


def _operators(field: Field | None) -> _Found:
    joins = [("&&", "operator", "and"), ("||", "operator", "or")]
    if field is None or field.kind is Kind.BOOL:
        return joins
    if field.kind in (Kind.NOTES, Kind.HEADERS):
        return []
    comparisons = [(operator, "operator", "") for operator in _COMPARISONS]
    return [*comparisons, ("in [", "operator", "one of")]


_HEADERS = (
    "accept",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "host",
    "location",
    "origin",
    "referer",
    "retry-after",
    "server",
    "set-cookie",
    "traceparent",
    "user-agent",
    "x-forwarded-for",
    "x-request-id",
)
