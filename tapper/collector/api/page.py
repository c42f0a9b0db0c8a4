"""The web view's files, as the build left them: its page for every path that is not a file, hashed assets for ever."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from aiohttp import web

from tapper.collector.api.errors import RequestError
from tapper.collector.api.security import PAGE_HEADERS

if TYPE_CHECKING:
    from pathlib import Path

INDEX = "index.html"
ASSETS = "assets"
"""Of the build; the names of the files in there have a hash of what they hold."""
FOREVER = "public, max-age=31536000, immutable"

MISSING = (
    b"<!doctype html><meta charset=utf-8><title>tapper</title><p>The web view was not built into this installation."
    b" <code>make build</code> builds it. The API is at <code>/api/v1</code>."
)


class Page:
    """The files below a directory, read when they are asked for; those that were there at the start only."""

    def __init__(self, root: Path | None) -> None:
        self._files: dict[str, Path] = {}
        if root is not None and (root / INDEX).is_file():
            files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
            self._files = {path.relative_to(root).as_posix(): path for path in files}

    def answer(self, path: str) -> web.StreamResponse:
        """The file of a path (without the leading slash)."""
        name = path if path in self._files else INDEX
        if name != path and path.startswith(f"{ASSETS}/"):
            raise RequestError("not_found", "no such file; the page may be of another version: load it again")
        headers = dict(PAGE_HEADERS)
        if not self._files:
            return web.Response(body=MISSING, content_type="text/html", headers=headers)
        if name.startswith(f"{ASSETS}/"):
            headers["Cache-Control"] = FOREVER
        headers["Content-Type"] = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.FileResponse(self._files[name], headers=headers)
