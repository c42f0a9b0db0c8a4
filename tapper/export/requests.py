"""Requests in the formats of `tapper.export`, written to a binary stream."""

from __future__ import annotations

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


def write(feed: Feed, query: Query, chosen: str, sink: BinaryIO) -> list[str]:
    """Writes what a query gives; what there is to say about it."""
    match chosen:
        case "har":
            from tapper.export import har

            left_out = har.write(har.exchanges(_tables(feed, query, FULL), feed.messages), sink)
            return [f"HAR holds HTTP only; left out: {number:,} {name}" for name, number in left_out.most_common()]
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

            har.write([exchange], sink)
        case "yaml":
            from tapper.export import yamldocs

            sink.write(yamldocs.dump(document(exchange)))
        case _:
            import json

            indent = 2 if chosen == "json" else None
            sink.write(json.dumps(document(exchange), indent=indent).encode() + b"\n")


def _tables(feed: Feed, query: Query, schema: pa.Schema) -> Iterator[pa.Table]:
    return (table.cast(schema) for table in feed.batches(replace(query, columns=tuple(schema.names))))
