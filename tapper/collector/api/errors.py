"""What can go wrong with a request: its status, and the document that says so."""

from __future__ import annotations

from typing import Any

from tapper.feed.interface import AmbiguousError, FeedError, NotFoundError, SlowError
from tapper.filter import FilterError
from tapper.store.errors import StoreError, TooSlowError

CODES = {
    "parameter": (400, "a parameter is not known, missing, or can't be what it is"),
    "filter": (400, "the filter can't be understood; position and length count its characters"),
    "refused": (400, "what was asked for can't be had; the message says why"),
    "token": (401, "no valid token and no session"),
    "origin": (403, "the request came from another site, or by a name that is not this server's"),
    "not_found": (404, "there is no such record or path"),
    "method": (405, "the path is not asked by this method; the header Allow names those that it is"),
    "late": (408, "the request did not come in time"),
    "ambiguous": (409, "a shortened id fits several records, of which `ids` has some"),
    "too_large": (413, "the request is too large"),
    "failed": (500, "the server could not answer; the message says why"),
    "busy": (503, "too many requests at once; try again"),
    "slow": (504, "the answer took too long; ask for less"),
}
"""Status and meaning of each code."""


class RequestError(Exception):
    """A request that can't be answered."""

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def describe(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """Status and document of an error; None: it is none that a request can cause."""
    match error:
        case RequestError():
            return document(error.code, str(error), hint=error.hint)
        case FilterError():
            return document(
                "filter",
                error.message,
                position=error.position,
                length=error.length,
                hint=error.suggestion,
            )
        case NotFoundError():
            return document("not_found", str(error))
        case AmbiguousError():
            return document("ambiguous", str(error), ids=list(error.ids))
        case SlowError() | TooSlowError():
            return document("slow", str(error))
        case FeedError():
            return document("refused", str(error))
        case StoreError():
            return document("failed", str(error))
    return None


def document(code: str, message: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Status and document of a code; what is None is left out."""
    known = {name: value for name, value in more.items() if value is not None}
    return CODES[code][0], {"error": {"code": code, "message": message, **known}}
