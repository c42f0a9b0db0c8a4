"""Forms: fields of application/x-www-form-urlencoded, parts of multipart/form-data."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from tapper.model.text import size
from ui.views.body import Body, Shown, View, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_PARTS = 1_000
_PREVIEW = 200
"""Bytes of a part that are shown."""


def fits(body: Body) -> bool:
    """By its type only: almost any text would parse as a form."""
    return body.media_type == "application/x-www-form-urlencoded" or body.media_type.startswith("multipart/")


def render(body: Body) -> Shown | None:
    """A line for each field; None if it has no fields."""
    if body.media_type.startswith("multipart/"):
        return _multipart(body)
    text = body.text()
    if text is None or not text.strip():
        return None
    return shown("form", _fields(text.strip()))


def _fields(text: str) -> Iterator[str]:
    for field in text.split("&"):
        name, separator, value = field.partition("=")
        if field:
            yield unquote_plus(name) + (f" = {unquote_plus(value)}" if separator else "")


def _multipart(body: Body) -> Shown | None:
    named = body.parameter("boundary")
    # The type often comes without its parameters; the body's first line tells the boundary as well.
    boundary = b"--" + named.encode("utf-8", "replace") if named else body.data.split(b"\r\n", 1)[0][:72]
    if not boundary.startswith(b"--") or len(boundary) < 3 or boundary not in body.data:
        return None
    parts = body.data.split(boundary, _MAX_PARTS + 1)[1:]
    notes = () if len(parts) <= _MAX_PARTS else (f"only the first {_MAX_PARTS:,} parts are shown",)
    return shown("form", _parts(parts[:_MAX_PARTS]), notes=notes)


def _parts(parts: list[bytes]) -> Iterator[str]:
    for part in parts:
        if part.startswith(b"--"):
            return
        head, _, content = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        yield f"--- {size(len(content))}"
        for line in head.split(b"\r\n", 20)[:20]:
            yield line.decode("utf-8", "backslashreplace")
        if content:
            yield ""
            preview = content[:_PREVIEW].decode("utf-8", "backslashreplace")
            yield from preview.split("\n", 10)[:10]
            if len(content) > _PREVIEW:
                yield "…"


VIEW = View("form", fits, render)
