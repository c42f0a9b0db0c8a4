"""JSON, indented: tokens as they were sent (numbers, escapes, repeated keys), a cut body as far as it goes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ui.views.body import Body, Shown, View, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""[ \t\r\n]+ | (?P<token> "[^"\\]*+(?:\\.[^"\\]*+)*+"? | [][{},:] | -?[0-9][0-9.eE+-]* | [A-Za-z]+ )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = frozenset({"true", "false", "null", "NaN", "Infinity"})
_MAX_INDENT = 40
"""Deeper levels are not indented further: nesting is cheap to send."""


def fits(body: Body) -> bool:
    """By its type; without a telling one, by its first byte."""
    kind = body.media_type
    if kind.endswith(("/json", "+json")):
        return True
    return kind in ("", "text/plain", "application/octet-stream") and body.data.lstrip()[:1] in (b"{", b"[")


def render(body: Body) -> Shown | None:
    """Indented by two; None if it is no JSON."""
    text = body.text()
    if text is None or not text.strip():
        return None
    problem = None if body.cut else wrong(text)
    if problem and not body.media_type.endswith("json"):
        return None
    lines = indented(text, body.cut)
    if lines is None:
        return None
    return shown("json", lines, lexer="json", notes=(f"not valid JSON: {problem}",) if problem else ())


def wrong(text: str) -> str | None:
    """What makes the text invalid JSON; None if nothing does (or it nests too deep to say)."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except (RecursionError, ValueError):
        return None
    return None


def indented(text: str, cut: bool = False) -> list[str] | None:
    """The lines of JSON text; None if something in it is no JSON token (at a cut, the last one may be broken)."""
    tokens = _tokens(text, cut)
    return None if tokens is None else list(_lines(tokens))


def _tokens(text: str, cut: bool) -> list[str] | None:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        position = match.end()
        token = match["token"]
        if token is None:
            continue
        if token[0].isalpha() and token not in _WORDS and not (cut and position == len(text)):
            return None
        tokens.append(token)
    return tokens


def _lines(tokens: list[str]) -> Iterator[str]:
    depth, line, previous = 0, "", ""
    for part in tokens:
        if part in "}]":
            depth = max(depth - 1, 0)
            if previous not in "{[" or not previous:
                yield line
                line = _indent(depth)
        elif previous and previous in "{[,":
            yield line
            line = _indent(depth)
        elif previous and depth == 0 and part not in ":,":
            yield line
            line = ""
        line += ": " if part == ":" else part
        if part in "{[":
            depth += 1
        previous = part
    if line:
        yield line


def _indent(depth: int) -> str:
    return "  " * min(depth, _MAX_INDENT)


VIEW = View("json", fits, render)
