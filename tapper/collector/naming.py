"""Rows for those who follow wait a little for the names of their ends.

A pod speaks before the cluster tells which address it has: its first rows are committed with an end that has no name
yet. Lists get the name once it is known; what is streamed is shown once and would keep the bare address.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt

    from tapper.identity.index import Identity

ENDS = ("src", "dst", "dialled")
MAX_ROWS = 65_536
"""That wait; beyond, they are given as they are."""
MAX_KNOWN = 65_536
"""Endpoints of which it is known since when they are waited for; beyond, all are waited for anew."""


@dataclass(slots=True)
class Waiting:
    """For the recorder's thread. `patience`: seconds that one endpoint is waited for, counted from its first row."""

    identity: Identity
    patience: float
    _until: dict[int, float] = field(default_factory=dict)
    _held: list[pa.Table] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether any row waits."""
        return bool(self._held)

    def ripe(self, rows: pa.Table | None) -> tuple[pa.Table | None, bool]:
        """Rows to give now, of these and of those that waited; whether one of them waited."""
        held, self._held = self._held, []
        if rows is None and not held:
            return None, False
        whole = pa.concat_tables([*held, *([rows] if rows is not None else [])])
        if not self.patience or whole.num_rows > MAX_ROWS:
            return whole, bool(held)
        now = time.monotonic()
        ends = [whole[end].to_numpy().astype(np.float64) for end in ENDS]  # of no end: NaN
        distinct = np.unique(np.concatenate(ends))
        waits = [number for number in distinct[~np.isnan(distinct)].astype(int).tolist() if self._waits(number, now)]
        if not waits:
            return whole, bool(held)
        late: npt.NDArray[np.bool_] = np.logical_or.reduce([np.isin(end, waits) for end in ends])
        self._held = [whole.filter(pa.array(late))]
        return whole.filter(pa.array(~late)), bool(held)

    def _waits(self, number: int, now: float) -> bool:
        if not self.identity.may_get_a_name(number):
            return False
        if len(self._until) >= MAX_KNOWN:
            self._until.clear()
        return self._until.setdefault(number, now + self.patience) > now
