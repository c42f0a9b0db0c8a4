"""The newest holder of each address and since when, as columns: most rows of a batch are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tapper.identity.claims import STILL
from tapper.identity.columns import grown

if TYPE_CHECKING:
    import numpy.typing as npt

    from tapper.identity.columns import Ids, Times

UNSEEN = -1
ANY_PORT = -1


class Newest:
    """By number of the address (slot), and by port where claims speak of one."""

    def __init__(self) -> None:
        self._ids: Ids = np.full(1024, UNSEEN, np.int32)  # on any port ...
        self._since: Times = np.full(1024, STILL, np.int64)  # ... and since when
        self._ports: dict[int, tuple[int, int]] = {}  # the same by slot << 16 | port ...
        self._port_table: tuple[npt.NDArray[np.int64], Ids, Times] | None = None  # ... as sorted columns

    def make_room(self, slot: int) -> None:
        """For an address more."""
        if slot == len(self._ids):
            self._ids = grown(self._ids, UNSEEN)
            self._since = grown(self._since, STILL)

    def keep(self, slot: int, port: int, endpoint: int, since: int) -> None:
        """Another one is it, from a time on (ns); STILL: each row is to be looked up."""
        if port == ANY_PORT:
            self._ids[slot], self._since[slot] = endpoint, since
        else:
            self._ports[slot << 16 | port] = endpoint, since
            self._port_table = None

    def drop(self, slot: int, port: int) -> None:
        """Claims no longer speak of a port."""
        if self._ports.pop(slot << 16 | port, None) is not None:
            self._port_table = None

    def of(self, slots: npt.NDArray[np.int64], ports: npt.NDArray[np.uint16]) -> tuple[Ids, Times]:
        """Of each row: the newest holder of its address and port, and since when."""
        ids: Ids = self._ids[slots]
        since: Times = self._since[slots]
        if self._ports:
            keys, newest, port_since = self._table_of_ports()
            wanted = slots << 16 | ports
            places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            known = keys[places] == wanted
            ids = np.where(known, newest[places], ids)
            since = np.where(known, port_since[places], since)
        return ids, since

    def _table_of_ports(self) -> tuple[npt.NDArray[np.int64], Ids, Times]:
        if self._port_table is None:
            keys = np.fromiter(self._ports, np.int64, len(self._ports))
            values = np.array(list(self._ports.values()), np.int64)
            order = np.argsort(keys)
            self._port_table = keys[order], values[order, 0].astype(np.int32), values[order, 1]
        return self._port_table
