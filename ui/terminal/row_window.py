"""Which rows of a long list are held: those in sight and some around them."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

AHEAD = 100
"""Rows held above and below what is seen, so that a page key finds them."""


class RowWindow:
    """Some rows of `total`, from number `start` on."""

    def __init__(self) -> None:
        self.total = 0
        self.start = 0
        self.rows: list[Row] = []
        self._asked: tuple[int, int] | None = None
        self._known = False
        """Whether it was told yet what there is."""

    def take(self, total: int, start: int, rows: list[Row]) -> None:
        """Holds these instead."""
        self.total, self.start, self.rows = total, start, rows
        self._asked, self._known = None, True

    def forget(self) -> None:
        """Holds none: there will be others."""
        self.total, self.start, self.rows = 0, 0, []
        self._asked, self._known = None, False

    @property
    def waits(self) -> bool:
        """Whether rows are asked for that have not come."""
        return not self._known or self._asked is not None

    def row(self, number: int) -> Row | None:
        """That row, if it is held."""
        at = number - self.start
        return self.rows[at] if 0 <= at < len(self.rows) else None

    def around(self, top: int, height: int, *, follow: bool) -> tuple[int, int]:
        """What should be held while `height` rows are seen from `top` on: first and how many."""
        last = max(self.total - height, 0)
        return max((last if follow else min(top, last)) - AHEAD, 0), height + 2 * AHEAD

    def missing(self, top: int, height: int, *, follow: bool) -> tuple[int, int] | None:
        """What to ask for, once, as rows in sight or nearly are not held; None: nothing."""
        near = max(top - height, 0), min(top + 2 * height, self.total)
        if self._known and self.start <= near[0] and near[1] <= self.start + len(self.rows):
            return None
        wanted = self.around(top, height, follow=follow)
        if wanted == self._asked:
            return None
        self._asked = wanted
        return wanted
