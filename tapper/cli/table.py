"""Requests as a table: columns that fit the width, outcomes with sign and colour, latencies with bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.columns import GAP, Column, fitted, plain_rows
from ui.formatting import colour, truncate, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from tapper.cli.terminal import Terminal


class Table:
    """Prints pages of rows under one heading; widths are settled by the first page."""

    def __init__(self, columns: Sequence[Column], output: Terminal, *, cut: bool = True) -> None:
        self._columns = tuple(columns)
        self._output = output
        self._cut = cut
        self._widths: list[int] = []

    def lines(self, page: pa.Table) -> Iterator[str]:
        """Lines of a page, the heading before the first."""
        rows = plain_rows(page)
        cells = [[column.text(row) for column in self._columns] for row in rows]
        if not self._widths:
            self._settle(cells)
            yield self._output.paint(self._line([column.title for column in self._columns]), bold=True)
        for row, texts in zip(rows, cells, strict=True):
            yield self._output.paint(self._line(texts), colour(row["outcome"]))

    def _line(self, texts: Sequence[str]) -> str:
        shown = []
        for column, text, cells in zip(self._columns, texts, self._widths, strict=True):
            if cells < 0:
                continue
            kept = truncate(text, cells, column.where) if self._cut and self._output.width is not None else text
            pad = " " * max(cells - width(kept), 0)
            shown.append(pad + kept if column.right else kept + pad)
        return GAP.join(shown).rstrip()

    def _settle(self, cells: list[list[str]]) -> None:
        wanted = [
            min(max([column.least, *(width(row[number]) for row in cells)]), column.most)
            for number, column in enumerate(self._columns)
        ]
        if self._output.width is not None and self._cut:
            wanted = fitted(self._columns, wanted, self._output.width)
        self._widths = wanted
