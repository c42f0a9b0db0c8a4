"""The endpoints of an index: made, hinted at, seen at times; what of them is new for the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tapper.identity.claims import ALWAYS_BEFORE, STILL
from tapper.identity.columns import grown
from tapper.identity.endpoint import Endpoint, Hints
from tapper.identity.names import host_name, parse_address
from tapper.model.schema import NAME_FIELDS

if TYPE_CHECKING:
    from tapper.identity.columns import Ids, Times
    from tapper.identity.names import Claim

ENDPOINT_COLUMNS = ("id", "ip", *NAME_FIELDS)


class Endpoints:
    """Those that rows may still get, by id; ids only grow.

    Args:
        first_id: id of the first one.
    """

    def __init__(self, first_id: int) -> None:
        self._next = first_id
        self._changed: dict[int, Endpoint] = {}
        self.forget()

    def forget(self) -> None:
        """Gives none of those that there were again."""
        self._by_id: dict[int, Endpoint] = {}
        self.base = self._next
        """No row gets an endpoint with a lower id from now on."""
        self._first = np.full(1024, STILL, np.int64)  # by id - base: when rows of it begin and end
        self._last = np.full(1024, ALWAYS_BEFORE, np.int64)

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, number: int) -> Endpoint:
        return self._by_id[number]

    def add(self, ip: str, port: int, claim: Claim | None) -> Endpoint:
        """A new one."""
        endpoint = Endpoint(self._next, ip, port, claim)
        self._next += 1
        if endpoint.id - self.base == len(self._first):
            self._first = grown(self._first, STILL)
            self._last = grown(self._last, ALWAYS_BEFORE)
        self._by_id[endpoint.id] = endpoint
        self._changed[endpoint.id] = endpoint
        return endpoint

    def seen(self, ids: Ids, times: Times) -> None:
        """Rows of these times are theirs."""
        np.minimum.at(self._first, ids - self.base, times)
        np.maximum.at(self._last, ids - self.base, times)

    def span(self, number: int) -> tuple[int, int]:
        """When its first and its last row are."""
        return int(self._first[number - self.base]), int(self._last[number - self.base])

    def claimed(self, endpoint: Endpoint, claim: Claim | None) -> None:
        """Something else is claimed of it."""
        endpoint.claim = claim
        self._changed[endpoint.id] = endpoint

    def hint(self, number: int, source: str, text: str) -> None:
        """Traffic gave it a host name, which counts where no claim is trusted more."""
        endpoint = self._by_id.get(number)
        name = host_name(text)
        if name is None or endpoint is None or (endpoint.claim is not None and endpoint.claim.outranks_hints):
            return
        if endpoint.hints is None:
            endpoint.hints = Hints()
        if endpoint.hints.add(source, name):
            self._changed[number] = endpoint

    def may_get_a_name(self, number: int) -> bool:
        """Whether it is one of the inside that nobody claims; it may be claimed yet."""
        endpoint = self._by_id.get(number)
        return endpoint is not None and endpoint.claim is None and parse_address(endpoint.ip).is_private

    def changes(self) -> pa.Table:
        """Rows (columns of the store's endpoint table) of those that are new or changed since the last call."""
        rows = [endpoint.row() for endpoint in self._changed.values()]
        self._changed.clear()
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(ENDPOINT_COLUMNS)
        types = [pa.int32(), *[pa.utf8()] * (len(ENDPOINT_COLUMNS) - 1)]
        return pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=list(ENDPOINT_COLUMNS))
