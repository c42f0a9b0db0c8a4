"""Server-sent events (WHATWG HTML, section 9.2.6): each with its type, id and data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.views.body import Body, Shown, View, shown, split_lines
from ui.views.json import indented, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator


def fits(body: Body) -> bool:
    """By its type only."""
    return body.media_type == "text/event-stream"


def render(body: Body) -> Shown | None:
    """A heading line for each event, its data indented below."""
    text = body.text()
    return None if text is None else shown("events", _lines(text))


def _lines(text: str) -> Iterator[str]:
    number, heading, data = 0, "", list[str]()
    for line in (*split_lines(text), ""):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if heading or data:
                number += 1
                yield f"#{number}{heading}"
                yield from (f"  {part}" for part in _pretty(data))
            heading, data = "", []
        elif name == "data":
            data.append(value)
        elif name in ("event", "id", "retry"):
            heading += f"  {name}: {value}"
        else:
            heading += f"  {line}"


def _pretty(data: list[str]) -> list[str]:
    text = "\n".join(data)
    if text[:1] in ("{", "[") and wrong(text) is None:
        return indented(text) or data
    return data


VIEW = View("events", fits, render)
