"""What a feed of a real session gives, in every format."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tapper.export import har, jsonl, parquet, sheet, single, yamldocs
from tapper.export.map import FORMATS, render
from tapper.feed.interface import Query
from tapper.feed.rows import EXCHANGE_ROW, PAYLOAD_ROW
from tapper.servicemap.graph import build
from tests.feed.shop import recorded, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.session import SessionFeed

WHOLE = pa.schema([*EXCHANGE_ROW, *PAYLOAD_ROW])


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionFeed]:
    with recorded(tmp_path_factory.mktemp("shop") / "x.tap", [shop()]) as made:
        yield made


def batches(feed: SessionFeed, fields: pa.Schema = WHOLE) -> Iterator[pa.Table]:
    return feed.batches(Query(limit=0, columns=tuple(fields.names)))


def ids(feed: SessionFeed) -> list[str]:
    return [str(value.as_py()) for table in batches(feed) for value in table["id"]]


def test_every_format_has_every_exchange(feed: SessionFeed) -> None:
    wanted = ids(feed)
    assert len(wanted) == feed.count()
    sink = io.BytesIO()
    jsonl.write(batches(feed), sink)
    lines = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert [line["id"] for line in lines] == wanted
    sink = io.BytesIO()
    yamldocs.write(batches(feed), sink)
    assert list(yaml.safe_load_all(sink.getvalue())) == lines
    sink = io.BytesIO()
    sheet.write(batches(feed, EXCHANGE_ROW), sink, EXCHANGE_ROW)
    cells = list(csv.DictReader(io.StringIO(sink.getvalue().decode(), newline="")))
    assert [row["id"] for row in cells] == wanted
    assert [row["dst_name"] for row in cells] == [line["dst"]["name"] for line in lines]
    sink = io.BytesIO()
    parquet.write(batches(feed), sink, WHOLE)
    assert pq.read_table(io.BytesIO(sink.getvalue())).num_rows == len(wanted)


def test_exchanges_made_of_tables_are_those_of_the_feed(feed: SessionFeed) -> None:
    made = list(har.exchanges(batches(feed), feed.messages))
    assert made == [feed.exchange(one) for one in ids(feed)]
    assert any(one.messages for one in made)


def test_a_record_alone_says_what_its_line_says(feed: SessionFeed) -> None:
    sink = io.BytesIO()
    jsonl.write(batches(feed), sink)
    for line in map(json.loads, sink.getvalue().splitlines()):
        alone = single.document(feed.exchange(line["id"]))
        assert {name: alone[name] for name in ("time", "src", "dst", "latency_ns", "notes")} == {
            name: line[name] for name in ("time", "src", "dst", "latency_ns", "notes")
        }
        assert alone["request"]["body"] == line["request"]["body"]


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "png"])
def test_the_map_is_made(feed: SessionFeed, form: str) -> None:
    found = feed.edges()
    whole = build(found.nodes, found.edges, level=found.level, start_ns=found.span.start, end_ns=found.span.end)
    assert b"orders" in render(whole, form)
