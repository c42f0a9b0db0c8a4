"""The map as a picture: laid out and drawn by Graphviz where it is installed; SVG also without it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tapper.model.text import clean
from tapper.servicemap.dot import dot
from tapper.servicemap.graph import largest
from tapper.servicemap.svg import svg as own_svg

if TYPE_CHECKING:
    from tapper.servicemap.graph import ServiceMap

MAX_NODES, MAX_EDGES = 300, 600
"""More can't be read in one picture; the caption says how many are hidden."""
_TIMEOUT_S = 20.0


class PictureError(Exception):
    """No picture can be made; the message says why and what to do."""


def svg(servicemap: ServiceMap) -> bytes:
    """An SVG document; from Graphviz if it is there and copes, else in a simpler layout of our own."""
    part = largest(servicemap, MAX_NODES, MAX_EDGES)
    try:
        return _drawn(part, "svg")
    except PictureError:
        return own_svg(part).encode()


def png(servicemap: ServiceMap) -> bytes:
    """A PNG image at 144 dots per inch.

    Raises:
        PictureError: Graphviz is missing, or failed.
    """
    return _drawn(largest(servicemap, MAX_NODES, MAX_EDGES), "png")


def _drawn(servicemap: ServiceMap, form: str) -> bytes:
    try:
        return _graphviz(dot(servicemap, newrank=False), form)
    except PictureError:
        return _graphviz(dot(servicemap), form)


def _graphviz(text: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise PictureError(
            "PNG needs Graphviz, and its program `dot` was not found: install it (apt install graphviz, "
            "dnf install graphviz, brew install graphviz), or export as svg"
        )
    options = ["-Gdpi=144"] if form == "png" else []
    try:
        done = subprocess.run(  # noqa: S603
            [program, f"-T{form}", *options],
            input=text.encode(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PictureError(f"Graphviz took more than {_TIMEOUT_S:.0f} s: narrow the map with a filter") from None
    except OSError as error:
        raise PictureError(f"{program} can't be run: {error.strerror}") from None
    if done.returncode != 0 or not done.stdout:
        said = clean(done.stderr.decode(errors="replace").strip()[:300])
        raise PictureError(f"Graphviz failed: {said or f'exit code {done.returncode}'}")
    return done.stdout
