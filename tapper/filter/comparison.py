"""Comparisons and `in`: what may be compared with what, and what that means."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tapper.filter.catalog import EitherEnd, EndColumn, Headers
from tapper.filter.error import nearest
from tapper.filter.tree import (
    FALSE,
    FLIPPED,
    Compare,
    Has,
    Kind,
    Literal,
    Node,
    Noted,
    OneOf,
    Operand,
    Ref,
    Size,
    any_of,
    negate,
    text_of,
)
from tapper.filter.units import duration_ns, duration_text, time_ns

if TYPE_CHECKING:
    from tapper.filter.typed import Context, Typed


def compared(context: Context, operator: str, left: Typed, right: Typed) -> Node:
    """The tree of `left operator right`, also for `!=` and `in`."""
    match operator:
        case "in":
            return _member(context, left, right)
        case "==":
            return _equal(context, left, right)
        case "!=":
            return negate(_equal(context, left, right))
        case _:
            for side in (left, right):
                if side.kind is Kind.BOOL or side.what is None:
                    raise context.wrong(side, f"{operator} does not go with {side.words}")
            return _compare(context, operator, left, right)


def check_pair(context: Context, left: Typed, right: Typed) -> None:
    """What can't be compared with each other whatever the types.

    A header and an endpoint's name lie in different tables that no store compares row by row. A field with itself would
    be the values of the two ends, or of several headers of one name, in all pairs.
    """
    if left.what == right.what:
        raise context.wrong(right, "this is compared with itself")
    sources = (context.source(left), context.source(right))
    if any(isinstance(s, Headers) for s in sources) and any(isinstance(s, EndColumn | EitherEnd) for s in sources):
        raise context.wrong(right, "a header can be compared with text, not with a name of an endpoint")


def _equal(context: Context, left: Typed, right: Typed) -> Node:
    for side, other in ((left, right), (right, left)):
        if other.what is None:
            if not isinstance(side.what, Ref) or side.kind is Kind.HEADERS:
                raise context.wrong(side, "only fields are compared with null")
            return negate(Has(side.what))
        if isinstance(other.what, Literal) and other.kind is Kind.BOOL and side.condition is not None:
            return side.condition if other.what.value else negate(side.condition)
    return _compare(context, "==", left, right)


def _compare(context: Context, operator: str, left: Typed, right: Typed) -> Node:
    for side in (left, right):
        _check_single(context, side)
    if isinstance(left.what, Literal):
        left, right, operator = right, left, FLIPPED[operator]
    if isinstance(left.what, Literal):
        raise context.wrong(left, "one side of a comparison is a field; this compares two constants")
    _check_kinds(context, left, right)
    for side in (left, right):
        if not isinstance(side.what, Operand):
            raise context.wrong(side, "conditions are joined by && and ||, and compared with true and false alone")
    check_pair(context, left, right)
    value = _value_of(context, left, right) if operator == "==" else right.what
    assert isinstance(left.what, Operand)  # noqa: S101 -- seen to just before
    assert isinstance(value, Operand)  # noqa: S101
    return Compare(operator, left.what, value)


def _member(context: Context, left: Typed, right: Typed) -> Node:
    if right.kind is Kind.HEADERS and isinstance(right.what, Ref):
        return Has(Ref(right.what.name, context.text_literal(left).lower()))
    if right.kind is Kind.NOTES and isinstance(right.what, Ref):
        note, field = context.text_literal(left), context.field(right.what.name)
        _check_known(context, left, note, "notes", field.values if field else ())
        return Noted(note)
    if not isinstance(right.what, tuple):
        instead = f"{context.written(right)}.contains({context.written(left)})" if right.kind is Kind.TEXT else None
        raise context.wrong(right, f"in takes a list [...], notes or headers; this is {right.words}", instead)
    _check_single(context, left)
    plain = isinstance(left.what, Ref | Size) and left.kind is not Kind.BOOL
    if not plain or not all(isinstance(item.what, Literal) for item in right.what):
        return any_of([_equal(context, left, item) for item in right.what])
    literals: list[Literal] = []
    for item in right.what:
        _check_kinds(context, left, item)
        value = _value_of(context, left, item)
        literals += [value] if isinstance(value, Literal) else []
    assert isinstance(left.what, Ref | Size)  # noqa: S101 -- that is what plain says
    return OneOf(left.what, tuple(literals)) if literals else FALSE


def _check_single(context: Context, side: Typed) -> None:
    written = context.written(side)
    if side.kind is Kind.NOTES:
        raise context.wrong(side, "notes are asked for by in", '"gap" in notes')
    if side.kind is Kind.HEADERS:
        raise context.wrong(side, "headers are asked for by name", f'{written}["content-type"]')
    if isinstance(side.what, tuple):
        raise context.wrong(side, "a list goes with in", f"in {written}" if len(written) < 40 else "in [...]")


def _check_kinds(context: Context, left: Typed, right: Typed) -> None:
    if left.kind is right.kind:
        return
    message = f"{context.written(left)} is {left.words}, this is {right.words}"
    raise context.wrong(right, message, _converted(left.kind, right))


def _check_known(context: Context, at: Typed, value: str, name: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = nearest(value, known)
        raise context.wrong(at, f"{name} can be {', '.join(known)}", f'"{near}"' if near else None)


def _value_of(context: Context, left: Typed, right: Typed) -> object:
    """The right side of an equality, if it is one that the left can have."""
    if not isinstance(left.what, Ref) or not isinstance(right.what, Literal):
        return right.what
    field, value = context.field(left.what.name), right.what.value
    if field and field.closed:
        _check_known(context, right, str(value), field.name, field.values)
    if field and field.name == "id":
        try:
            return Literal(str(uuid.UUID(str(value))), Kind.ID)
        except ValueError:
            message = "an id has 32 hex digits; id.startsWith(...) takes a part of it"
            raise context.wrong(right, message) from None
    return right.what


def _converted(wanted: Kind | None, value: Typed) -> str | None:
    """The literal as it would have to be written for the other type."""
    if not isinstance(value.what, Literal):
        return None
    amount = value.what.value
    match wanted, value.kind:
        case Kind.NUMBER, Kind.TEXT if str(amount).isascii() and str(amount).isdecimal():
            return str(amount)
        case Kind.TEXT, Kind.NUMBER | Kind.DURATION:
            return f'"{text_of(value.what)}"'
        case Kind.DURATION, Kind.NUMBER:
            return f"{amount}ms"
        case Kind.DURATION, Kind.TEXT:
            nanoseconds = duration_ns(str(amount))
            return None if nanoseconds is None else duration_text(nanoseconds)
        case Kind.TIME, Kind.TEXT if time_ns(str(amount)) is not None:
            return f'timestamp("{amount}")'
        case _:
            return None
