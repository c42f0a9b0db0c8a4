"""GraphQL: the operation as it was written, its variables below; of JSON requests and of application/graphql."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ui.views.body import Body, Shown, View, shown
from ui.views.json import indented

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPERATION = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:\{|(?:query|mutation|subscription|fragment)\b)")


def fits(body: Body) -> bool:
    """By its type, or as JSON whose `query` begins as an operation does."""
    return body.media_type == "application/graphql" or _request(body) is not None


def _request(body: Body) -> dict[str, Any] | None:
    if body.cut or not body.media_type.endswith("json") or b'"query"' not in body.data:
        return None
    try:
        found = json.loads(body.text() or "")
    except (ValueError, RecursionError):
        return None
    query = found.get("query") if isinstance(found, dict) else None
    return found if isinstance(query, str) and _OPERATION.match(query) else None


def render(body: Body) -> Shown | None:
    """The operation, then its variables as JSON; None if it is none."""
    request = _request(body)
    if request is not None:
        return shown("graphql", _lines(request))
    text = body.text() if body.media_type == "application/graphql" else None
    return shown("graphql", text.splitlines()) if text and text.strip() else None


def _lines(request: dict[str, Any]) -> Iterator[str]:
    if isinstance(name := request.get("operationName"), str):
        yield f"# {name}"
    yield from request["query"].strip().splitlines()
    if request.get("variables"):
        yield ""
        yield "# variables"
        yield from indented(json.dumps(request["variables"], ensure_ascii=False)) or ()


VIEW = View("graphql", fits, render)
