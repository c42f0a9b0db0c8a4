"""The filters of this run in their order, to go back and forth among, as among the pages of a browser."""

from __future__ import annotations


class FilterTrail:
    """One of them is used."""

    def __init__(self, where: str) -> None:
        self._seen = [where]
        self._at = 0

    def add(self, where: str) -> None:
        """Another is used from here on; those ahead are forgotten."""
        self._seen = [*self._seen[: self._at + 1], where]
        self._at = len(self._seen) - 1

    def go(self, by: int) -> str:
        """The one so many steps further, or the last one in that direction."""
        self._at = min(max(self._at + by, 0), len(self._seen) - 1)
        return self._seen[self._at]
