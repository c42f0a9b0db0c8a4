"""Every format is read back by the tool it is for, whatever the names are."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tapper.model.text import clean
from tapper.servicemap.dot import dot
from tapper.servicemap.graphml import graphml
from tapper.servicemap.labels import short
from tapper.servicemap.mermaid import MAX_CHARACTERS, MAX_EDGES, mermaid
from tapper.servicemap.nodelink import nodelink
from tapper.servicemap.svg import svg
from tapper.servicemap.table import COLUMNS, table
from tests.servicemap.maps import SHOP_NODES, edge, node, servicemap, shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.servicemap.graph import ServiceMap

HOSTILE = [
    "",
    " ",
    '"',
    "\\",
    'a\\"',
    "\\N\\G\\l",
    "</title><script>alert(1)</script>",
    "<b>&amp;&#34;&quot;",
    "]]>",
    "two\r\nlines\u2028three",
    "\x00\x1b[31m\x7f\x9b",
    "\u202egnp.exe",
    '%%{init: {"theme":"dark"}}%%',
    'n1"]; click n1 href "javascript:alert(1)"',
    "#quot;#35;",
    "ﬂ°°35¶ß",
    "end",
    "`md`",
    "=HYPERLINK(1)",
    "a,b;c\t'd'",
    "\ufffe\U0010ffff",
    "訂單服務 größe 📦",
    "x" * 5_000,
]
NAMES = st.sampled_from(HOSTILE) | st.text(max_size=30) | st.text('"\\<>&#;%{}[]|`\n\r$', max_size=12)


def _map(names: list[str], namespace: str | None, protocol: str) -> ServiceMap:
    """Calls in a ring, every second node in the namespace."""
    nodes = [node(name, namespace if number % 2 else None) for number, name in enumerate(names)]
    count = len(names)
    edges = [edge(number, (number + 1) % count, protocol, 30, 12.4) for number in range(count)]
    return servicemap(nodes, edges)


MAPS = st.builds(_map, st.lists(NAMES, min_size=1, max_size=5, unique=True), st.none() | NAMES, NAMES)
WORST = _map(HOSTILE, HOSTILE[6], HOSTILE[7])


def _names(servicemap: ServiceMap) -> list[str]:
    return [data["name"] for _, data in servicemap.nodes()]


@settings(deadline=None)
@given(MAPS)
@example(WORST)
def test_json_is_read_by_networkx_and_nothing_is_lost(whole: ServiceMap) -> None:
    text = nodelink(whole)
    assert text.isascii()
    graph = nx.node_link_graph(json.loads(text))
    assert [data["name"] for _, data in graph.nodes(data=True)] == _names(whole)
    assert set(graph.edges(keys=True)) == set(whole.graph.edges(keys=True))


def test_json_has_the_figures_with_their_units() -> None:
    document = json.loads(nodelink(shop()))
    assert document["graph"]["seconds"] == 300
    assert document["graph"]["start"] == "2023-11-14T22:13:20.000000000Z"
    first = document["edges"][0]
    assert (first["source"], first["target"], first["key"]) == ("shop/web", "shop/orders", "http")
    assert (first["calls"], first["errors"], first["p95_ns"]) == (12_300, 258, 210_000_000)
    assert first["last"] == "2023-11-14T22:18:20.000000000Z"


@settings(deadline=None)
@given(MAPS)
@example(WORST)
def test_graphml_is_read_by_networkx_with_names_made_visible(whole: ServiceMap) -> None:
    graph = nx.read_graphml(io.BytesIO(graphml(whole).encode()))
    assert [data["label"] for _, data in graph.nodes(data=True)] == [clean(name) for name in _names(whole)]
    assert [edge[:2] for edge in graph.edges] == list(whole.graph.edges())


def test_graphml_is_what_gephi_wants() -> None:
    text = graphml(shop())
    root = ElementTree.fromstring(text)
    space = "{http://graphml.graphdrawing.org/xmlns}"
    keys = {(key.get("attr.name"), key.get("for")): key.get("attr.type") for key in root.iter(f"{space}key")}
    assert {name for name, end in keys if end == "node"} >= {"label", "x", "y", "size", "r", "g", "b", "namespace"}
    assert {name for name, end in keys if end == "edge"} >= {"label", "weight", "rate", "errors", "p95_ms", "protocol"}
    assert keys["rate", "edge"] == "double"
    assert keys["calls", "edge"] == "long"
    graph = root.find(f"{space}graph")
    assert graph is not None
    assert graph.get("edgedefault") == "directed"
    ids = [element.get("id") for element in graph.iter(f"{space}edge")]
    assert len(set(ids)) == len(ids) == 11


needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def _graphviz(text: str, form: str) -> str:
    done = subprocess.run(["dot", f"-T{form}"], input=text.encode(), capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    return done.stdout.decode()


def _texts(document: str) -> list[str]:
    space = "{http://www.w3.org/2000/svg}"
    return [
        "".join(text.itertext()).replace("\xa0", " ") for text in ElementTree.fromstring(document).iter(f"{space}text")
    ]


@needs_dot
@settings(max_examples=25, deadline=None)
@given(MAPS)
@example(WORST)
def test_dot_is_drawn_by_graphviz_with_every_name_as_it_is(whole: ServiceMap) -> None:
    graph = json.loads(_graphviz(dot(whole), "json"))
    assert len(graph["edges"]) == whole.graph.number_of_edges()
    shown = _texts(_graphviz(dot(whole), "svg"))
    for name in _names(whole):
        assert not name or short(name).strip() in [text.strip() for text in shown]


@needs_dot
def test_dot_has_a_cluster_for_each_namespace_and_dashes_what_fails() -> None:
    graph = json.loads(_graphviz(dot(shop()), "json"))
    clusters = [item["label"] for item in graph["objects"] if item["name"].startswith("cluster")]
    assert clusters == ["shop", "kube-system"]
    dashed = [edge["label"] for edge in graph["edges"] if edge.get("style") == "dashed"]
    assert dashed == ["tcp\\n✗ refused 41 of 41"]
    assert [edge["label"] for edge in graph["edges"]][:1] == ["http 41/s\\np95 210 ms, ✗ 2.1 %"]


@settings(deadline=None)
@given(MAPS)
@example(WORST)
def test_own_svg_is_xml_with_every_name_as_text(whole: ServiceMap) -> None:
    document = svg(whole)
    shown = _texts(document)
    assert all(short(name) in shown for name in _names(whole))
    tags = {element.tag.partition("}")[2] for element in ElementTree.fromstring(document).iter()}
    assert tags <= {"svg", "title", "g", "rect", "path", "text", "tspan"}


@settings(max_examples=25, deadline=None)
@given(MAPS)
@example(WORST)
def test_mermaid_is_read_by_mermaid(mermaid_parse: Callable[[str], dict[str, Any]], whole: ServiceMap) -> None:
    answer = mermaid_parse(mermaid(whole))
    assert "error" not in answer
    assert sorted(text.strip() for text in answer["nodes"]) == sorted(short(name).strip() for name in _names(whole))
    assert len(answer["edges"]) == whole.graph.number_of_edges()


def test_mermaid_of_the_shop(mermaid_parse: Callable[[str], dict[str, Any]]) -> None:
    answer = mermaid_parse(mermaid(shop()))
    assert answer["type"] == "flowchart-v2"
    assert answer["nodes"] == [row["name"] for row in SHOP_NODES]
    assert [group[0] for group in answer["groups"]] == ["shop", "kube-system"]
    assert answer["edges"][0] == ["n1", "n2", "http 41/s<br>p95 210 ms, ✗ 2.1 %", "normal"]
    assert ["n2", "n8", "tcp<br>✗ refused 41 of 41", "dotted"] in answer["edges"]


def test_mermaid_of_a_large_map_says_what_is_left_out(mermaid_parse: Callable[[str], dict[str, Any]]) -> None:
    nodes = [node(f"{'#' * 60}{number}") for number in range(400)]
    edges = [edge(number, (number * 7 + 1) % 400, "http", number) for number in range(400)]
    text = mermaid(servicemap(nodes, edges))
    assert len(text) <= MAX_CHARACTERS
    assert re.search(r"%% \d+ nodes and \d+ edges hidden", text)
    answer = mermaid_parse(text)
    assert 20 < len(answer["edges"]) <= MAX_EDGES


@settings(deadline=None)
@given(MAPS)
@example(WORST)
def test_csv_is_read_by_the_csv_module_and_no_cell_is_a_formula(whole: ServiceMap) -> None:
    rows = list(csv.DictReader(io.StringIO(table(whole), newline="")))
    assert tuple(rows[0]) == COLUMNS
    for row, (src, _, _) in zip(rows, whole.edges(), strict=True):
        name = whole.graph.nodes[src]["name"]
        assert row["src"] in (name, "'" + name)
        assert not row["src"].lstrip().startswith(("=", "+", "-", "@"))


def test_every_format_of_an_empty_map_is_valid(mermaid_parse: Callable[[str], dict[str, Any]]) -> None:
    empty = servicemap([], [])
    assert len(nx.node_link_graph(json.loads(nodelink(empty)))) == 0
    assert len(nx.read_graphml(io.BytesIO(graphml(empty).encode()))) == 0
    assert mermaid_parse(mermaid(empty))["nodes"] == []
    assert table(empty).count("\n") == 1
    assert len(_texts(svg(empty))) == 1
    assert dot(empty).startswith("digraph")
