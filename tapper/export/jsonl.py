"""JSON lines: a document a line, written as tables come; and the same as one JSON array."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from tapper.export.shape import Documents

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


def write(tables: Iterable[pa.Table], sink: BinaryIO) -> int:
    """Writes all rows, and flushes after each table so that whoever reads a pipe has them; the number of rows."""
    documents, written = Documents(), 0
    for table in tables:
        for lines in documents.lines(table):
            sink.write(lines)
        sink.flush()
        written += table.num_rows
    return written


def write_array(tables: Iterable[pa.Table], sink: BinaryIO) -> int:
    """Writes all rows as a JSON array, one a line; the number of rows."""
    documents, written = Documents(), 0
    sink.write(b"[")
    for table in tables:
        for lines in documents.lines(table):
            # A newline within a string is escaped: each one here ends a document.
            sink.write(b"\n" if written == 0 else b",\n")
            sink.write(lines[:-1].replace(b"\n", b",\n"))
            written += lines.count(b"\n")
    sink.write(b"\n]\n")
    return written
