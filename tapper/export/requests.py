"""Requests in the formats of `tapper.export`, written to a binary stream."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from tapper.feed.rows import EXCHANGE_ROW, PAYLOAD_ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tapper.feed.interface import Feed, Query
    from tapper.model.records import Exchange

FULL = pa.schema([*EXCHANGE_ROW, *PAYLOAD_ROW])
"""With heads and bodies."""
PROTOCOLS = 100
"""More than there are."""


def write(feed: Feed, query: Query, chosen: str, sink: BinaryIO) -> list[str]:
    """Writes what a query gives; what there is to say about it."""
    match chosen:
        case "har":
            return _write_har(feed, query, sink)
        case "csv":
            from tapper.export import sheet

            sheet.write(_tables(feed, query, EXCHANGE_ROW), sink, EXCHANGE_ROW)
        case "parquet":
            from tapper.export import parquet

            parquet.write(_tables(feed, query, FULL), sink, FULL)
        case "yaml":
            from tapper.export import yamldocs

            yamldocs.write(_tables(feed, query, FULL), sink)
        case "json":
            from tapper.export import jsonl

            jsonl.write_array(_tables(feed, query, FULL), sink)
        case _:
            write_lines(_tables(feed, query, FULL), sink)
    return []


def http_only(where: str) -> str:
    """The filter that also leaves what a HAR has no entries for."""
    from tapper.export.har import HTTP
    from tapper.filter import narrowed

    return narrowed(where, f"protocol in [{', '.join(map(json.dumps, HTTP))}]")


def _write_har(feed: Feed, query: Query, sink: BinaryIO) -> list[str]:
    from tapper.export import har

    found = feed.values("protocol", query.where, query.span, PROTOCOLS).to_pylist()
    left_out = {one["value"]: one["count"] for one in found if one["value"] not in har.HTTP}
    tables = _tables(feed, replace(query, where=http_only(query.where)), FULL)
    har.write(har.exchanges(tables, feed.messages), sink, left_out)
    return [har.telling(left_out)] if left_out else []


def write_lines(tables: Iterable[pa.Table], sink: BinaryIO) -> None:
    """Lines of JSON, given on with each table."""
    from tapper.export import jsonl

    jsonl.write(tables, sink)


def write_one(exchange: Exchange, chosen: str, sink: BinaryIO) -> None:
    """One request with its messages."""
    from tapper.export.single import document

    match chosen:
        case "har":
            from tapper.export import har

            is_http = exchange.protocol in har.HTTP
            har.write([exchange] if is_http else [], sink, {} if is_http else {exchange.protocol: 1})
        case "yaml":
            from tapper.export import yamldocs

            sink.write(yamldocs.dump(document(exchange)))
        case _:
            indent = 2 if chosen == "json" else None
            sink.write(json.dumps(document(exchange), indent=indent).encode() + b"\n")


def _tables(feed: Feed, query: Query, schema: pa.Schema) -> Iterator[pa.Table]:
    return (table.cast(schema) for table in feed.batches(replace(query, columns=tuple(schema.names))))
