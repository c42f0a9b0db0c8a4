"""Connections and streams that were seen twice: known by the calls on them, so that they are counted once too."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from tapper.collector.join import Joined

MAX_KNOWN = 65_536
"""Connections and streams remembered: they are told of again while they last, and these are the newest."""


class Merged:
    """What to leave out, and whom a client's connection really led to."""

    def __init__(self) -> None:
        self._of_server: OrderedDict[int, None] = OrderedDict()
        self._of_client: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._streams: OrderedDict[bytes, None] = OrderedDict()

    def learn(self, joined: Joined) -> None:
        """Takes what came of a join."""
        for server, client, end, port in joined.connections:
            _remember(self._of_server, server, None)
            _remember(self._of_client, client, (end, port))
        for one in joined.streams.to_pylist():
            _remember(self._streams, one.bytes, None)

    def forget(self, below: int) -> None:
        """Forgets who answered where their endpoints have ids below this one."""
        for client in [client for client, (end, _) in self._of_client.items() if end < below]:
            del self._of_client[client]

    def connections(self, table: pa.Table) -> pa.Table:
        """The rows that stay, those of clients with who answered as their server."""
        ids = table["id"].to_numpy()
        known = np.array([i in self._of_server for i in ids.tolist()], bool)
        if known.any():
            table = table.filter(pa.array(~known))
            ids = ids[~known]
        answered = [self._of_client.get(i) for i in ids.tolist()]
        if not any(answered):
            return table
        for number, name in enumerate(("dst", "dst_port")):
            at = table.schema.get_field_index(name)
            kind = table.schema.field(at).type
            told = pa.array([None if a is None else a[number] for a in answered], kind)
            table = table.set_column(at, table.schema.field(at), pc.coalesce(told, table[name]))
        return table

    def messages(self, table: pa.Table) -> pa.Table:
        """The rows of streams that are kept."""
        if not self._streams:
            return table
        ids = table["exchange"].to_pylist()
        return table.filter(pa.array([one.bytes not in self._streams for one in ids], pa.bool_()))


def _remember(known: OrderedDict, key: object, value: object) -> None:  # type: ignore[type-arg]
    known[key] = value
    known.move_to_end(key)
    if len(known) > MAX_KNOWN:
        known.popitem(last=False)
