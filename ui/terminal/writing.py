"""Exports from the terminal UI: files, whole or not at all, the user's alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from tapper.export.whole import whole
from tapper.feed.interface import FeedError
from tapper.model.text import count, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.feed.interface import Feed, Query, Span

LISTS = {
    "har": ("h", "for a browser's developer tools"),
    "jsonl": ("l", "a record a line"),
    "json": ("j", "one array"),
    "yaml": ("y", "to read"),
    "csv": ("c", "for spreadsheets, no bodies"),
    "parquet": ("p", "for DuckDB, pandas"),
}
MAPS = {
    "svg": ("s", "a picture"),
    "png": ("p", "a picture"),
    "graphml": ("g", "Gephi, yEd"),
    "dot": ("d", "Graphviz"),
    "mermaid": ("m", "Markdown"),
    "json": ("j", "node-link"),
    "csv": ("c", "a row for each edge"),
}
"""Format -> its key and what it is for."""


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    try:
        with whole(path) as file:
            yield file
    except OSError as error:
        raise FeedError(f"{path} can't be written: {error.strerror}") from error


def write_list(feed: Feed, form: str, path: Path, query: Query) -> str:
    """What a query gives, in a format of LISTS; says what was done."""
    from tapper.export import requests

    with _written(path) as file:
        said = requests.write(feed, query, form, file)
    return "; ".join([f"wrote {path}: {size(path.stat().st_size)}B", *said])


def write_map(feed: Feed, form: str, path: Path, level: str, where: str, span: Span) -> str:
    """The map in a format of MAPS; says what was done."""
    from tapper.export.map import render
    from tapper.export.picture import PictureError
    from tapper.servicemap.graph import build

    found = feed.edges(level, where, span)
    made = build(found.nodes, found.edges, level=found.level, start_ns=found.span.start, end_ns=found.span.end)
    try:
        data = render(made, form)
    except PictureError as error:
        raise FeedError(str(error)) from error
    with _written(path) as file:
        file.write(data)
    return f"wrote {path}: {count(found.edges.num_rows)} edges, {size(len(data))}B"
