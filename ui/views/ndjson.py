"""JSON values one a line, as logs and streaming APIs send them."""

from __future__ import annotations

from ui.views.body import Body, Shown, View, shown, split_lines

_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-seq",
)


def fits(body: Body) -> bool:
    """By its type only: lines of JSON in other types are shown well as JSON."""
    return body.media_type in _TYPES


def render(body: Body) -> Shown | None:
    """Lines as they are, without empty ones; None if it is binary."""
    text = body.text()
    if text is None:
        return None
    return shown("ndjson", (line for line in split_lines(text.replace("\x1e", "")) if line.strip()), lexer="json")


VIEW = View("ndjson", fits, render)
