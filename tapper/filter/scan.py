"""First look at a filter's text: bounds, and its literals.

The CEL grammar knows no bare durations (`200ms`) nor sizes (`10K`), and its pattern for strings takes exponential time
on some. So literals are read here, in linear time, and masked by a plain literal of the same length: what the parser
sees has every token at its place in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tapper.filter.error import FilterError
from tapper.filter.tree import Kind, Literal
from tapper.filter.units import duration_ns, size_bytes

MAX_TEXT = 8192
"""Characters. Long enough for a list of some hundred ids; parsing so much takes some tenths of a second."""
MAX_DEPTH = 50
"""Nested brackets: what is behind the parser recurses by them, some frames each."""

_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* )
    | (?P<string> (?P<prefix> [rRbB]{0,2} ) (?P<quote> \"{3} | '{3} | ["'] ) )
    | (?P<number> (?<![\w.]) (?: [0-9] | \.[0-9] ) (?: [eE][+-](?=[0-9]) | [\w.] )* )
    | (?P<word> [^\W0-9]\w* )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = {
    '"': re.compile(r'((?:[^"\\\r\n]|\\.)*)"'),
    "'": re.compile(r"((?:[^'\\\r\n]|\\.)*)'"),
    '"""': re.compile(r'((?:[^"\\]|\\.|"(?!""))*)"""', re.DOTALL),
    "'''": re.compile(r"((?:[^'\\]|\\.|'(?!''))*)'''", re.DOTALL),
}
_RAW = {
    '"': re.compile(r'([^"\r\n]*)"'),
    "'": re.compile(r"([^'\r\n]*)'"),
    '"""': re.compile(r'((?:[^"]|"(?!""))*)"""', re.DOTALL),
    "'''": re.compile(r"((?:[^']|'(?!''))*)'''", re.DOTALL),
}
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"`?])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_SIMPLE = dict(zip("abfnrtv\\'\"`?", "\a\b\f\n\r\t\v\\'\"`?", strict=True))
_INTEGER = re.compile(r"(?:0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})[uU]?", re.ASCII)
_FLOAT = re.compile(r"(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40}|[0-9]{1,40}(?=[eE]))(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_CLASS = re.compile(r"([1-9])[xX]{2}")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Scanned:
    """A filter's text ready for the parser."""

    text: str
    masked: str
    """As long as the text; each literal became digits or a string of `_`, each comment spaces."""
    literals: dict[int, tuple[Literal, int]]
    """Literals and their lengths by position."""


def scan(text: str) -> Scanned:
    """Find the literals.

    Raises:
        FilterError: too long or too deep, a string or bracket that is not closed, a number that is none.
    """
    if len(text) > MAX_TEXT:
        raise FilterError(f"a filter has at most {MAX_TEXT} characters, this has {len(text)}", text, MAX_TEXT)
    surrogate = re.search("[\ud800-\udfff]", text)
    if surrogate:
        raise FilterError("this is no character", text, surrogate.start())
    masked: list[str] = []
    literals: dict[int, tuple[Literal, int]] = {}
    brackets: list[tuple[str, int]] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None  # noqa: S101 -- the last alternative matches anything
        end = token.end()
        match token.lastgroup:
            case "comment":
                masked.append(" " * (end - at))
            case "string":
                value, end = _string(text, at, token["prefix"], token["quote"])
                if text[end : end + 1] in ('"', "'"):  # masked, the two could read as one
                    raise FilterError("an operator is missing between two texts", text, end)
                literals[at] = Literal(value, Kind.TEXT), end - at
                masked.append('"' + "_" * (end - at - 2) + '"')
            case "number":
                literals[at] = _number(text, at, token["number"]), end - at
                masked.append("0" * (end - at))
            case "open":
                brackets.append((token["open"], at))
                if len(brackets) > MAX_DEPTH:
                    raise FilterError(f"more than {MAX_DEPTH} brackets within each other", text, at)
                masked.append(token["open"])
            case "close":
                _close(text, at, brackets)
                masked.append(token["close"])
            case _:
                masked.append(token[0])
        at = end
    if brackets:
        bracket, position = brackets[-1]
        raise FilterError(f"this {bracket} is never closed", text, position)
    return Scanned(text, "".join(masked), literals)


def _close(text: str, at: int, brackets: list[tuple[str, int]]) -> None:
    if not brackets:
        raise FilterError(f"this {text[at]} closes nothing", text, at)
    opened, _ = brackets.pop()
    if _BRACKETS[opened] != text[at]:
        raise FilterError(f"{_BRACKETS[opened]} is expected here, to close {opened}", text, at)


def _string(text: str, at: int, prefix: str, quote: str) -> tuple[str, int]:
    raw = "r" in prefix.lower()
    if "b" in prefix.lower() or len(prefix) > 1:
        raise FilterError('text is written "..." or r"..."; bodies are compared with text too', text, at, len(prefix))
    start = at + len(prefix) + len(quote)
    found = (_RAW if raw else _PLAIN)[quote].match(text, start)
    if found is None:
        raise FilterError("this text is never closed", text, at, len(prefix) + len(quote))
    return (found[1] if raw else _unescape(text, start, found[1])), found.end()


def _unescape(text: str, start: int, value: str) -> str:
    def character(found: re.Match[str]) -> str:
        simple, two, four, eight, octal, _ = found.groups()
        if simple:
            return _SIMPLE[simple]
        digits = two or four or eight
        code = int(digits, 16) if digits else int(octal, 8) if octal else -1
        if code < 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise FilterError(
                f'{found[0]} is no escape; r"..." takes backslashes as they are',
                text,
                start + found.start(),
                len(found[0]),
                "\\" + found[0] if found[6] is not None else None,
            )
        return chr(code)

    return _ESCAPE.sub(character, value)


def _number(text: str, at: int, word: str) -> Literal:
    if _INTEGER.fullmatch(word):
        digits = word.rstrip("uU")
        value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
        if value < 2**64:
            return Literal(value, Kind.NUMBER)
        raise FilterError("this number is too large", text, at, len(word))
    if _FLOAT.fullmatch(word):
        real = float(word)
        if real != float("inf"):
            return Literal(real, Kind.NUMBER)
        raise FilterError("this number is too large", text, at, len(word))
    nanoseconds = duration_ns(word)
    if nanoseconds is not None:
        return Literal(nanoseconds, Kind.DURATION)
    size = size_bytes(word)
    if size is not None:
        return Literal(size, Kind.NUMBER)
    status = _CLASS.fullmatch(word)
    if status:
        low = int(status[1]) * 100
        message = f"{word} is no number; write status >= {low} && status < {low + 100}"
        raise FilterError(message, text, at, len(word))
    raise FilterError(
        "this is no number; units of durations are ns us ms s m h, of sizes K M G",
        text,
        at,
        len(word),
        _with_nearest_unit(word),
    )


_UNIT_WORDS = {
    "h": ("hr", "hrs", "hour", "hours"),
    "m": ("min", "mins", "minute", "minutes"),
    "s": ("sec", "secs", "second", "seconds", "S"),
    "ms": ("msec", "msecs", "millis", "MS"),
    "us": ("usec", "usecs", "micros"),
    "K": ("k", "kb", "kB", "Kb"),
    "M": ("mb", "Mb", "mB"),
    "G": ("g", "gb", "Gb"),
}


def _with_nearest_unit(word: str) -> str | None:
    amount = word.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = next((unit for unit, words in _UNIT_WORDS.items() if word[len(amount) :] in words), None)
    return amount + unit if unit and re.fullmatch(r"[0-9.]+", amount) else None
