"""Functions (`size(x)`, `timestamp("...")`) and methods of fields (`path.contains("x")`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.filter.comparison import check_pair
from tapper.filter.error import nearest
from tapper.filter.tree import FUNCTIONS, Has, Kind, Literal, Match, Ref, Size
from tapper.filter.typed import Typed
from tapper.filter.units import duration_ns, time_ns

if TYPE_CHECKING:
    from tapper.filter.typed import Context

CALLS = {
    "has": "the field is known",
    "size": "characters of a text, bytes of a body, number of notes",
    "timestamp": "a time, with its zone",
    "duration": "a duration, which can as well be written bare",
}


def called(context: Context, whole: Typed, name: Typed, arguments: list[Typed]) -> Typed:
    """What `name(arguments)` is; `whole` and `name` are their places."""
    function = context.written(name)
    if function in FUNCTIONS:
        raise context.wrong(name, f"{function} is asked of a field: target.{function}(...)")
    if function not in CALLS:
        raise context.wrong(name, f"there is no function {function}", nearest(function, (*CALLS, *FUNCTIONS)))
    _check_count(context, whole, function, arguments, 1)
    argument = arguments[0]
    match function:
        case "size":
            return _size(context, whole, argument)
        case "has":
            if not isinstance(argument.what, Ref) or argument.kind is Kind.HEADERS:
                raise context.wrong(argument, "has() asks for a field, or for a header by its name")
            return Typed(Has(argument.what), Kind.BOOL, whole.start, whole.end)
        case "timestamp":
            kind, value = Kind.TIME, time_ns(context.text_literal(argument))
            usage = "a time is written with its zone: 2026-01-31T12:00:00Z, 2026-01-31T12:00:00.5+01:00"
        case _:
            kind, value = Kind.DURATION, duration_ns(context.text_literal(argument))
            usage = "a duration is written 1.5s, 200ms, 1h30m; units are ns us ms s m h"
    if value is None:
        raise context.wrong(argument, usage)
    return Typed(Literal(value, kind), kind, whole.start, whole.end)


def asked(context: Context, whole: Typed, of: Typed, name: Typed, arguments: list[Typed]) -> Typed:
    """What `of.name(arguments)` is."""
    function = context.written(name)
    if function == "size":
        _check_count(context, whole, function, arguments, 0)
        return _size(context, whole, of)
    if function not in FUNCTIONS:
        raise context.wrong(name, f"there is no function {function}", nearest(function, (*FUNCTIONS, "size")))
    if of.kind is Kind.NOTES:
        raise context.wrong(of, "notes are asked for by in", '"gap" in notes')
    if not isinstance(of.what, Ref) or of.kind is not Kind.TEXT:
        raise context.wrong(of, f"{function}() is asked of fields that are text; this is {of.words}")
    _check_count(context, whole, function, arguments, 1)
    argument = arguments[0]
    if function == "matches":
        _check_pattern(context, argument)
    if argument.kind is not Kind.TEXT or not isinstance(argument.what, Literal | Ref):
        raise context.wrong(argument, f"{function}() takes text; this is {argument.words}")
    check_pair(context, of, argument)
    return Typed(Match(function, of.what, argument.what), Kind.BOOL, whole.start, whole.end)


def _check_count(context: Context, whole: Typed, function: str, arguments: list[Typed], count: int) -> None:
    if len(arguments) != count:
        wanted = "one argument" if count else "no argument"
        raise context.wrong(whole, f"{function}() takes {wanted}, here are {len(arguments)}")


def _size(context: Context, whole: Typed, of: Typed) -> Typed:
    if not isinstance(of.what, Ref) or of.kind not in (Kind.TEXT, Kind.NOTES):
        raise context.wrong(of, f"size() is asked of text, bodies and notes; this is {of.words}")
    return Typed(Size(of.what), Kind.NUMBER, whole.start, whole.end)


def _check_pattern(context: Context, argument: Typed) -> None:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(context.text_literal(argument), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "not understood"
        raise context.wrong(argument, f"this is no regular expression (RE2): {reason}") from None
