"""JSON lines, JSON, YAML, CSV and Parquet of the same rows, read back by the usual readers."""

from __future__ import annotations

import csv
import io
import json
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.export import jsonl, parquet, sheet, single, yamldocs
from tapper.model import schema
from tests.export.samples import ID, IMAGE, LOOKUP, NO_ANSWER, ORDER, ROW, WHOLE, message, record, table


def lines(*tables: pa.Table) -> list[dict[str, Any]]:
    sink = io.BytesIO()
    assert jsonl.write(tables, sink) == sum(t.num_rows for t in tables)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_document_in_full() -> None:
    (made,) = lines(table(ORDER))
    assert made == {
        "id": str(ID),
        "revision": 0,
        "time": "2023-11-14T22:13:20.123456789Z",
        "protocol": "http",
        "version": "1.1",
        "operation": "POST",
        "target": "/orders?q=a%20b&flag",
        "authority": "orders.shop:8080",
        "status": 503,
        "status_text": None,
        "outcome": "server_error",
        "error": None,
        "send_ns": 300_000,
        "wait_ns": 1_798_000_000,
        "receive_ns": 100_001,
        "latency_ns": 1_798_400_001,
        "src": {
            "ip": "10.0.1.4",
            "port": 40_001,
            "name": "web",
            "name_source": "file",
            "namespace": "shop",
            "service": "web",
            "workload": None,
            "version": None,
            "pod": None,
            "container": None,
            "node": None,
            "process": None,
        },
        "dst": {
            "ip": "10.96.0.7",
            "port": 8080,
            "name": "orders",
            "name_source": "dns",
            "namespace": None,
            "service": "orders",
            "workload": None,
            "version": None,
            "pod": None,
            "container": None,
            "node": None,
            "process": None,
        },
        "view": "client",
        "server": {"latency_ns": None, "wait_ns": None},
        "dialled": {"ip": None, "port": None, "name": None},
        "request": {
            "head_bytes": 180,
            "body_bytes": 12,
            "content_bytes": 12,
            "content_type": "application/json",
            "seq": None,
            "headers": ORDER["request_headers"],
            "trailers": [],
            "body": '{"item": 17}',
            "body_encoding": None,
        },
        "response": {
            "head_bytes": 120,
            "body_bytes": 40,
            "content_bytes": 60,
            "content_type": "text/plain",
            "seq": None,
            "headers": ORDER["response_headers"],
            "trailers": ORDER["response_trailers"],
            "body": "no payments größe\n",
            "body_encoding": None,
            "reason": "Service Unavailable",
            "interim": [103],
        },
        "connection": 2**63 + 5,
        "stream": None,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": None,
        "messages_sent": None,
        "messages_received": None,
        "first_message": None,
        "last_message": None,
        "notes": ["redacted", "reused"],
    }


def test_only_the_columns_that_are_there() -> None:
    (made,) = lines(table(ORDER).select(["latency_ns", "dst_service", "dst_port"]))
    assert made == {"latency_ns": 1_798_400_001, "dst": {"service": "orders", "port": 8080}}
    assert list(lines(table(ORDER, fields=ROW))[0]["request"]) == [
        "head_bytes",
        "body_bytes",
        "content_bytes",
        "content_type",
        "seq",
    ]


def test_binary_is_base64_and_says_so() -> None:
    (made,) = lines(table(IMAGE))
    assert (made["response"]["body"], made["response"]["body_encoding"]) == ("iVBOR/8=", "base64")
    assert (made["request"]["body"], made["request"]["body_encoding"]) == (None, None)


def test_a_single_record_has_the_shape_of_a_row() -> None:
    internal = {"revision", "first_message", "last_message"}
    for row in (ORDER, IMAGE):
        (made,) = lines(table(row))
        alone = single.document(record(row))
        assert alone.pop("messages") == []
        for half in ("request", "response"):
            del made[half]["seq"]
        assert json.loads(json.dumps(alone)) == {name: made[name] for name in made if name not in internal}
    assert single.document(record(NO_ANSWER))["response"] is None


def test_messages_of_a_single_record() -> None:
    made = single.document(record(ORDER, message(0, "sent", "text", b"hi"), message(1, "received", "binary", b"\xff")))
    assert [(m["index"], m["direction"], m["body"], m["body_encoding"]) for m in made["messages"]] == [
        (0, "sent", "hi", None),
        (1, "received", "/w==", "base64"),
    ]


def test_many_rows_of_many_tables_in_their_order() -> None:
    rows = [ORDER | {"connection": number, "response_body": b"x" * 5_000} for number in range(100)]
    tables = [table(*rows[:40]), table(), table(*rows[40:])]
    assert [made["connection"] for made in lines(*tables)] == list(range(100))
    big = table(*(ORDER | {"connection": n} for n in range(20_000)), fields=pa.schema([WHOLE.field("connection")]))
    assert [made["connection"] for made in lines(big.slice(3))] == list(range(3, 20_000))


def test_large_bodies_are_made_into_text_in_small_parts() -> None:
    row = ORDER | {"response_body": b"x" * (6 << 20)}
    assert [len(made["response"]["body"]) for made in lines(table(row, row, row, row))] == [6 << 20] * 4


@pytest.mark.parametrize("count", [0, 1, 5])
def test_json_array(count: int) -> None:
    sink = io.BytesIO()
    parts = [table(*[ORDER] * count).slice(start, 2) for start in range(0, count, 2)]
    assert jsonl.write_array(parts, sink) == count
    assert [made["id"] for made in json.loads(sink.getvalue())] == [str(ID)] * count


def test_json_is_quiet_in_a_terminal_and_loses_nothing() -> None:
    text = 'a\x1b[31m\x00"\\\x7f\x9b\u202e\u2028\ufeff\U000e0041訂單 größe'
    sink = io.BytesIO()
    jsonl.write([table(ORDER | {"target": text, "response_body": text.encode()})], sink)
    shown = sink.getvalue().decode()
    assert all(char.isprintable() for char in shown[:-1])
    assert "訂單 größe" in shown
    made = json.loads(shown)
    assert (made["target"], made["response"]["body"]) == (text, text)


@settings(max_examples=50, deadline=None)
@given(st.text(), st.binary(max_size=50), st.none() | st.text())
def test_any_value_comes_back_as_it_was(text: str, body: bytes, name: str | None) -> None:
    row = ORDER | {"target": text, "request_body": body, "request_headers": [{"name": name, "value": text}]}
    (made,) = lines(table(row))
    assert made["target"] == text
    assert made["request"]["headers"] == [{"name": name, "value": text}]
    assert {k: made["request"][k] for k in ("body", "body_encoding")} == single.body(body)


def test_yaml_is_the_same_document() -> None:
    sink = io.BytesIO()
    rows = table(ORDER, IMAGE, LOOKUP, ORDER | {"response_body": b"one\ntwo\n", "target": "\x1b\u202e: no"})
    assert yamldocs.write([rows], sink) == 4
    text = sink.getvalue().decode()
    assert list(yaml.safe_load_all(text)) == lines(rows)
    assert "  body: |\n    one\n    two\n" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def read_csv(*tables: pa.Table, fields: pa.Schema = ROW) -> list[dict[str, str]]:
    sink = io.BytesIO()
    sheet.write(tables, sink, fields)
    return list(csv.DictReader(io.StringIO(sink.getvalue().decode(), newline="")))


def test_csv() -> None:
    made = read_csv(table(ORDER, fields=ROW), table(LOOKUP, fields=ROW))
    first = made[0]
    assert list(first) == ROW.names
    assert (first["id"], first["time"]) == (str(ID), "2023-11-14T22:13:20.123456789Z")
    assert (first["status"], first["latency_ns"], first["dst_service"]) == ("503", "1798400001", "orders")
    assert (first["error"], first["notes"], first["connection"]) == ("", "redacted reused", str(2**63 + 5))
    assert made[1]["target"] == "'=cmd|'/c calc'!A0"


def test_csv_leaves_out_what_no_cell_can_hold() -> None:
    assert "request_headers" not in read_csv(table(ORDER), fields=WHOLE)[0]
    assert "response_body" not in read_csv(table(ORDER), fields=WHOLE)[0]
    sink = io.BytesIO()
    assert sheet.write([], sink, ROW) == 0
    assert sink.getvalue().decode().strip().replace('"', "") == ",".join(ROW.names)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ('a","=1\n=2', 'a","=1\n=2'),
        ("/a=1", "/a=1"),
        ("*", "*"),
        ("\x00=1", "'\x00=1"),
    ],
)
def test_csv_cells_are_no_formulas(text: str, cell: str) -> None:
    assert read_csv(table(ORDER | {"target": text}, fields=ROW))[0]["target"] == cell


def test_parquet() -> None:
    sink = io.BytesIO()
    assert parquet.write([table(ORDER, IMAGE), table(LOOKUP)], sink, WHOLE) == 3
    made = pq.read_table(io.BytesIO(sink.getvalue()))
    assert made.column_names == WHOLE.names
    assert made.schema.metadata[b"tapper.schema_version"] == str(schema.SCHEMA_VERSION).encode()
    assert made["time"].cast(pa.int64()).to_pylist()[0] == ORDER["time"]
    first = made["id"][0].as_py()
    assert (uuid.UUID(bytes=first) if isinstance(first, bytes) else first) == ID
    assert made["request_headers"].to_pylist()[0] == ORDER["request_headers"]
    empty = io.BytesIO()
    assert parquet.write([], empty, WHOLE) == 0
    assert pq.read_schema(io.BytesIO(empty.getvalue())).names == WHOLE.names


def test_parquet_is_read_by_duckdb(tmp_path: Any) -> None:
    import duckdb

    path = tmp_path / "x.parquet"
    with path.open("wb") as sink:
        parquet.write([table(ORDER)], sink, WHOLE)
    found = duckdb.sql(f"SELECT id::VARCHAR, target, epoch_ns(time) FROM '{path}'").fetchall()
    assert found == [(str(ID), ORDER["target"], ORDER["time"])]
