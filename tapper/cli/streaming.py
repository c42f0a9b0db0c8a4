"""Prints requests as they come: lines of JSON, or a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from tapper.cli.values import LISTS, format_of

if TYPE_CHECKING:
    import pyarrow as pa

    from tapper.cli.terminal import Terminal
    from tapper.cli.values import Listing


class Printer:
    """Into one output; each batch is there for whoever reads it before the next is waited for."""

    def __init__(self, sink: BinaryIO, output: Terminal, listing: Listing) -> None:
        from tapper.cli.table import Table
        from ui.columns import COLUMNS, TABLE, WIDE

        self._sink = sink
        self.format = format_of(listing.format, listing.output, LISTS)
        self.columns: tuple[str, ...] = COLUMNS
        self.shown = 0
        if self.format == "jsonl":
            from tapper.export.requests import FULL

            self.columns = tuple(FULL.names)
        else:
            columns = WIDE if self.format == "wide" else TABLE
            self._table = Table(columns, output, cut=self.format == "table")

    def print(self, rows: pa.Table) -> None:
        """Rows with `columns`."""
        if self.format == "jsonl":
            from tapper.export.requests import write_lines

            write_lines([rows], self._sink)
        else:
            self._sink.writelines(f"{line}\n".encode() for line in self._table.lines(rows))
        self._sink.flush()
        self.shown += rows.num_rows
