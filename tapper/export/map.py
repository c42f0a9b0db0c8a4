"""The service map in every format, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.export.picture import png, svg
from tapper.servicemap.dot import dot
from tapper.servicemap.fold import fold_outside
from tapper.servicemap.graph import build
from tapper.servicemap.graphml import graphml
from tapper.servicemap.mermaid import mermaid
from tapper.servicemap.nodelink import nodelink
from tapper.servicemap.table import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.feed.interface import Map
    from tapper.servicemap.graph import ServiceMap

FORMATS: dict[str, Callable[[ServiceMap], str | bytes]] = {
    "json": nodelink,
    "graphml": graphml,
    "dot": dot,
    "mermaid": lambda whole: mermaid(fold_outside(whole)),
    "csv": table,
    "svg": lambda whole: svg(fold_outside(whole)),
    "png": lambda whole: png(fold_outside(whole)),
}
"""What people look at has like outside hosts folded; what programs read is whole."""


def graph(found: Map) -> ServiceMap:
    """The graph of the tables that a feed gives."""
    return build(found.nodes, found.edges, level=found.level, start_ns=found.span.start, end_ns=found.span.end)


def render(servicemap: ServiceMap, form: str) -> bytes:
    """The map as a file of that format.

    Args:
        servicemap: the map.
        form: of FORMATS.

    Raises:
        PictureError: a picture can't be made.
        ValueError: no such format.
    """
    if form not in FORMATS:
        raise ValueError(f"no map format {form!r}; there are {', '.join(FORMATS)}")
    made = FORMATS[form](servicemap)
    return made.encode() if isinstance(made, str) else made
