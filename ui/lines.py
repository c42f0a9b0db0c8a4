"""Lines of text with styles by name, which each front end paints in its own way."""

from __future__ import annotations

from dataclasses import dataclass

TITLE, DIM, NAME, WARNING, MATCH = "title", "dim", "name", "warning", "match"
"""Styles; the words of outcomes are styles too."""

Part = str | tuple[str, str]
"""Text, or text and its style."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; clean."""

    text: str = ""
    spans: tuple[tuple[int, int, str], ...] = ()
    """From this character to before that one: this style."""
    lexer: str | None = None
    """Name of the language that colours the line."""
    link: str | None = None
    """Id of the exchange that it tells of."""


def line(*parts: Part, link: str | None = None) -> Line:
    """A line of parts that follow each other."""
    text, spans = "", []
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        if style:
            spans.append((len(text), len(text) + len(words), style))
        text += words
    return Line(text, tuple(spans), link=link)
