"""Maps in every format by name, and pictures with and without Graphviz."""

from __future__ import annotations

import json
import random
import shutil
import stat
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tapper.export.map import FORMATS, render
from tapper.export.picture import PictureError
from tests.servicemap.maps import edge, node, servicemap

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.servicemap.graph import ServiceMap

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def two() -> ServiceMap:
    return servicemap([node("<web>", None), node("orders", None)], [edge(0, 1, "http", 9, 5)])


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
@pytest.mark.parametrize("form", FORMATS)
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


@needs_dot
def test_namespaces_that_all_call_each_other_are_drawn_by_graphviz() -> None:
    # Its usual ranking gives up on such maps ("trouble in init_rank", seen with 2.43).
    for seed in range(3):
        chance = random.Random(seed)
        nodes = [node(f"svc-{number}", chance.choice(["a", "b", "c", "d", None])) for number in range(60)]
        edges = []
        for number in range(150):
            src = chance.randrange(59)
            edges.append(edge(src, min(59, src + 1 + int(chance.expovariate(0.05))), f"p{number}", 100, 5))
        assert render(servicemap(nodes, edges), "svg").startswith(STARTS["svg"])
