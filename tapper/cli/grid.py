"""Cells in columns that fit the terminal, for tables whose rows are all known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.formatting import truncate, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.cli.terminal import Terminal

GAP = "  "
LEAST = 12
"""Cells that a column keeps."""


def grid(
    titles: Sequence[str],
    rows: Sequence[tuple[Sequence[str], str]],
    output: Terminal,
    right: Sequence[int] = (),
    spare: Sequence[int] = (),
    names: Sequence[int] = (),
) -> Iterator[str]:
    """Cells in columns as wide as their content; on a narrow terminal the widest shrink, then the spare ones go.

    Args:
        right: columns that end in line.
        spare: columns that go, in this order.
        names: columns of names, which are cut where they still differ.
    """
    widths = [max([width(title), *(width(cells[n]) for cells, _ in rows)]) for n, title in enumerate(titles)]
    if output.width is not None:
        widths = _fitted(widths, output.width, spare)
    yield output.paint(_line(titles, widths, right, ()), bold=True)
    for cells, colour in rows:
        yield output.paint(_line(cells, widths, right, names), colour)


def _fitted(widths: list[int], room: int, spare: Sequence[int]) -> list[int]:
    """Widths that fit as well as they can; 0: the column is left out."""
    shrunk = list(widths)
    for gone in range(len(spare) + 1):
        shrunk = [0 if n in spare[:gone] else cells for n, cells in enumerate(widths)]
        over = sum(shrunk) + len(GAP) * (sum(map(bool, shrunk)) - 1) - room
        while over > 0 and max(shrunk) > LEAST:
            shrunk[shrunk.index(max(shrunk))] -= 1
            over -= 1
        if over <= 0:
            break
    return shrunk


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int], names: Sequence[int]) -> str:
    parts = []
    for number, (text, room) in enumerate(zip(cells, widths, strict=True)):
        if not room:
            continue
        kept = truncate(text, room, "name" if number in names else "end")
        pad = " " * max(room - width(kept), 0)
        parts.append(pad + kept if number in right else kept + pad)
    return GAP.join(parts).rstrip()
