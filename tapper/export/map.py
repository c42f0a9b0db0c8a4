"""The service map in every format, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.export import MAP_FORMATS

if TYPE_CHECKING:
    from tapper.servicemap.graph import ServiceMap


def render(servicemap: ServiceMap, form: str) -> bytes:
    """The map as a file of that format.

    Args:
        servicemap: the map.
        form: of `tapper.export.MAP_FORMATS`.

    Raises:
        PictureError: a picture can't be made.
        ValueError: no such format.
    """
    match form:
        case "json":
            from tapper.servicemap.nodelink import nodelink as text
        case "graphml":
            from tapper.servicemap.graphml import graphml as text
        case "dot":
            from tapper.servicemap.dot import dot as text
        case "mermaid":
            from tapper.servicemap.mermaid import mermaid as text
        case "csv":
            from tapper.servicemap.table import table as text
        case "svg":
            from tapper.export.picture import svg

            return svg(servicemap)
        case "png":
            from tapper.export.picture import png

            return png(servicemap)
        case _:
            raise ValueError(f"no map format {form!r}; there are {', '.join(MAP_FORMATS)}")
    return text(servicemap).encode()
