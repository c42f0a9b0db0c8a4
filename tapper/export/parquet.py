"""Parquet: the columns as they are, for DuckDB, pandas, Polars, Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pyarrow.parquet as pq

from tapper.model.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


def write(tables: Iterable[pa.Table], sink: BinaryIO, schema: pa.Schema) -> int:
    """Writes all rows; the number of rows.

    Args:
        tables: all of that schema; whether columns may be null can differ.
        sink: written from start to end, never sought.
        schema: of the tables: a file without rows has columns too.
    """
    written = 0
    described = schema.with_metadata({"tapper.schema_version": str(SCHEMA_VERSION)})
    with pq.ParquetWriter(sink, described, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.cast(described))
            written += table.num_rows
    return written
