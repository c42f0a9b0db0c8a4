"""Columns of numbers: grouped by a key, grown."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    _Number = TypeVar("_Number", np.int32, np.int64)
    Ids = npt.NDArray[np.int32]
    Times = npt.NDArray[np.int64]


def groups(keys: npt.NDArray[np.int64], values: npt.NDArray[np.intp]) -> Iterable[tuple[int, npt.NDArray[np.intp]]]:
    """The values by key."""
    if not keys.size:
        return
    if (keys == keys[0]).all():
        yield int(keys[0]), values
        return
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    cuts = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
    for start, end in pairwise(cuts):
        yield int(keys[start]), values[start:end]


def grown(array: npt.NDArray[_Number], fill: int) -> npt.NDArray[_Number]:
    """Twice as long; what is new has that value."""
    return np.concatenate([array, np.full(len(array), fill, array.dtype)])
