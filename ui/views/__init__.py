"""Body views: one small file each, registered in the table below; what fits first is shown first.

A new view is one new file with a `VIEW` and one entry of `VIEWS`.
"""

from __future__ import annotations

from typing import Any

from ui.views import events, form, graphql, hexdump, image, json, ndjson, protobuf, text
from ui.views.body import MAX_BYTES, Body, Shown, View

__all__ = ["VIEWS", "Shown", "show", "suitable"]

VIEWS: tuple[View, ...] = (
    events.VIEW,
    protobuf.VIEW,
    ndjson.VIEW,
    graphql.VIEW,
    json.VIEW,
    form.VIEW,
    image.VIEW,
    text.VIEW,
    hexdump.VIEW,
)
"""From the most special to the one that shows everything."""


def suitable(data: bytes, content_type: str | None = None) -> tuple[str, ...]:
    """Names of the views that suit a body, best first; "hex" is always the last."""
    body, _ = _body(data, content_type, cut=False)
    return tuple(view.name for view in VIEWS if view.fits(body))


def show(
    data: bytes,
    content_type: str | None = None,
    *,
    cut: bool = False,
    view: str | None = None,
    message: Any = None,
) -> Shown:
    """Shows a body.

    Args:
        data: the body as captured, content coding removed.
        content_type: of its header, with parameters if known.
        cut: its end was not captured.
        message: descriptor of its type, of a message of Protocol Buffers.
        view: name of a view to use; None, or one that can't show this body: the first that can.

    Raises:
        ValueError: there is no view of that name.
    """
    body, notes = _body(data, content_type, cut, message)
    chosen = [candidate for candidate in VIEWS if candidate.name == view]
    if view is not None and not chosen:
        raise ValueError(f"no view {view!r}; there are {', '.join(candidate.name for candidate in VIEWS)}")
    for candidate in (*chosen, *(fitting for fitting in VIEWS if fitting.fits(body))):
        if (result := candidate.render(body)) is not None:
            return Shown(result.view, result.lines, result.lexer, notes + result.notes)
    raise AssertionError("hex shows everything")


def _body(data: bytes, content_type: str | None, cut: bool, message: Any = None) -> tuple[Body, tuple[str, ...]]:
    notes: tuple[str, ...] = ("the end of the body was not captured",) if cut else ()
    if len(data) > MAX_BYTES:
        notes += (f"only the first {MAX_BYTES >> 20} MiB of {len(data):,} bytes are shown",)
    return Body(data[:MAX_BYTES], content_type or "", cut or len(data) > MAX_BYTES, message), notes
