"""Prints requests as they come: lines of JSON, or a table."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from tapper.cli.options import LISTS, format_of
from tapper.cli.terminal import terminal

if TYPE_CHECKING:
    import pyarrow as pa

    from tapper.cli.options import Listing


class Printer:
    """Into one output; each batch is there for whoever reads it before the next is waited for."""

    def __init__(self, file: IO[str], listing: Listing) -> None:
        from tapper.cli.table import COLUMNS, TABLE, WIDE, Table

        self._file = file
        self.format = format_of(listing.format, listing.output, LISTS)
        self.columns: tuple[str, ...] = COLUMNS
        self.shown = 0
        if self.format == "jsonl":
            from tapper.cli.formats import LINE_COLUMNS

            self.columns = LINE_COLUMNS
        else:
            columns = WIDE if self.format == "wide" else TABLE
            self._table = Table(columns, terminal(file), cut=self.format == "table")

    def print(self, rows: pa.Table) -> None:
        """Rows with `columns`."""
        if self.format == "jsonl":
            from tapper.cli.formats import json_lines

            self._file.writelines(json_lines(rows))
        else:
            self._file.writelines(f"{line}\n" for line in self._table.lines(rows))
        self._file.flush()
        self.shown += rows.num_rows
