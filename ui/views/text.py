"""Any text, line by line; markup is shown as written, never rendered."""

from __future__ import annotations

from ui.views.body import Body, Shown, View, shown, split_lines

_LEXERS = {
    "html": "html",
    "xhtml+xml": "html",
    "xml": "xml",
    "css": "css",
    "javascript": "javascript",
    "x-javascript": "javascript",
    "yaml": "yaml",
    "x-yaml": "yaml",
    "graphql": "graphql",
    "markdown": "markdown",
}


def fits(body: Body) -> bool:
    """Whether it is text at all."""
    return bool(body.data) and body.text() is not None


def render(body: Body) -> Shown | None:
    """Lines as they are; None if it is binary."""
    text = body.text()
    return None if text is None else shown("text", split_lines(text), lexer=_lexer(body.media_type))


def _lexer(kind: str) -> str | None:
    subtype = kind.partition("/")[2]
    return _LEXERS.get(subtype) or ("xml" if subtype.endswith("+xml") else None)


VIEW = View("text", fits, render)
