"""CSV for spreadsheets: narrow columns under their flat names, an exchange a line.

Decided: a text that a spreadsheet would compute (`=`, `+`, `-`, `@` at its start) gets a `'` before it, which
spreadsheets take as "this is text" and don't show. What a stranger sent must not run where the file is opened. Numbers,
times and ids are never changed. Programs that need every byte read JSON lines or Parquet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tapper.model.text import FORMULA
from tapper.model.words import note_names

if TYPE_CHECKING:
    from collections.abc import Iterable


def write(tables: Iterable[pa.Table], sink: BinaryIO, schema: pa.Schema) -> int:
    """Writes all rows under one heading line; nested columns and bodies are left out. The number of rows.

    Args:
        tables: all of one schema.
        sink: written from start to end, never sought.
        schema: of the tables: a file without rows has a heading too.
    """
    written = 0
    with pyarrow.csv.CSVWriter(sink, _flat(schema.empty_table()).schema) as writer:
        for table in tables:
            writer.write_table(_flat(table))
            sink.flush()
            written += table.num_rows
    return written


def _flat(table: pa.Table) -> pa.Table:
    columns = {
        field.name: _column(field, table[field.name])
        for field in table.schema
        if not pa.types.is_nested(field.type) and not pa.types.is_binary(field.type)
    }
    return pa.table(columns)


def _column(field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if field.name == "notes":
        bits = column.combine_chunks().dictionary_encode()
        names = pa.array([" ".join(note_names(value)) for value in bits.dictionary.to_pylist()], pa.utf8())
        return pc.take(names, bits.indices)
    if pa.types.is_dictionary(field.type):
        column = column.cast(field.type.value_type)
    if pa.types.is_timestamp(field.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_string(column.type):
        return pc.if_else(
            pc.match_substring_regex(column, FORMULA), pc.binary_join_element_wise("'", column, ""), column
        )
    if isinstance(field.type, pa.UuidType):
        return _uuid_text(column)
    return column


def _uuid_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    digits = pa.array([value.hex() for value in column.combine_chunks().storage.to_pylist()], pa.utf8())
    return pc.replace_substring_regex(digits, "^(.{8})(.{4})(.{4})(.{4})", r"\1-\2-\3-\4-")
