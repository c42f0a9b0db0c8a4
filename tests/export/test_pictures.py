"""Maps in every format by name, and pictures with and without Graphviz."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from tapper.export import MAP_FORMATS
from tapper.export.map import render
from tapper.export.picture import PictureError
from tapper.model.edges import EDGE, NODE
from tapper.servicemap.graph import ServiceMap, build

if TYPE_CHECKING:
    from pathlib import Path

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def two() -> ServiceMap:
    nodes = [
        {"node": n, "name": name, "namespace": None, "kind": "service", "addresses": [], "name_source": "dns"}
        for n, name in enumerate(["<web>", "orders"])
    ]
    figures = {f.name: 9 for f in EDGE} | {"src": 0, "dst": 1, "protocol": "http"}
    return build(pa.Table.from_pylist(nodes, schema=NODE), pa.Table.from_pylist([figures], schema=EDGE))


STARTS = {
    "json": b"{",
    "graphml": b"<graphml ",
    "dot": b"digraph ",
    "mermaid": b"flowchart LR\n",
    "csv": b"src,src_namespace,",
    "svg": b"<?xml ",
    "png": b"\x89PNG\r\n",
}


@needs_dot
@pytest.mark.parametrize("form", MAP_FORMATS)
def test_every_format_is_made(form: str) -> None:
    assert render(two(), form).startswith(STARTS[form])


def test_an_unknown_format_is_told() -> None:
    with pytest.raises(ValueError, match="no map format 'gif'; there are json, graphml"):
        render(two(), "gif")


def _text(document: bytes) -> str:
    return "".join(ElementTree.fromstring(document).itertext())


def test_without_graphviz_svg_is_our_own_and_png_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "<web>" in _text(render(two(), "svg"))
    with pytest.raises(PictureError, match=r"apt install graphviz.*or export as svg"):
        render(two(), "png")


def test_a_broken_graphviz_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho no fonts >&2\nexit 3\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "<web>" in _text(render(two(), "svg"))
    with pytest.raises(PictureError, match="Graphviz failed: no fonts"):
        render(two(), "png")


@needs_dot
def test_a_map_by_json_keeps_names_as_they_are() -> None:
    assert [node["name"] for node in json.loads(render(two(), "json"))["nodes"]] == ["<web>", "orders"]
