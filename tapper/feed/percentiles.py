"""Percentiles of the latencies of each edge: exact ones of all calls, or estimates whose cost is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt

    from tapper.feed.selection import Selection
    from tapper.store.session import Session

SHARES = {"p50_ns": 0.5, "p95_ns": 0.95, "p99_ns": 0.99}


class Ends(NamedTuple):
    """SQL for the nodes of a row `e` of exchanges, and the joins that it needs."""

    src: str
    dst: str
    joins: str


PLAIN = Ends("e.src", "e.dst", "")
"""Where each node is one endpoint, whose id is then the node's number."""

_EXACT = f"""
SELECT {{src}} AS src, {{dst}} AS dst, e.protocol AS protocol,
  quantile_disc(e.latency_ns, {list(SHARES.values())}) AS quantiles
FROM exchange e {{joins}} WHERE {{condition}} GROUP BY ALL"""

# By classes of latency that differ by 0.5 %, whose number is bounded however many calls there are.
_ESTIMATED = f"""
SELECT src, dst, protocol,
  [{", ".join(f"min(highest) FILTER (up_to >= {q} * n)" for q in SHARES.values())}] AS quantiles
FROM (
  SELECT src, dst, protocol, highest, sum(n) OVER (PARTITION BY src, dst, protocol ORDER BY class) AS up_to,
    sum(n) OVER (PARTITION BY src, dst, protocol) AS n
  FROM (
    SELECT {{src}} AS src, {{dst}} AS dst, e.protocol AS protocol,
      CAST(floor(log2(greatest(e.latency_ns, 1)) * 139) AS INTEGER) AS class,
      max(e.latency_ns) AS highest, count(*) AS n
    FROM exchange e {{joins}} WHERE {{condition}} AND e.latency_ns IS NOT NULL GROUP BY ALL
  )
) GROUP BY ALL"""


@dataclass(frozen=True, slots=True)
class Packing:
    """An edge and a latency as one number of 63 bits: src, dst, protocol, latency in ns, from the highest bit down.

    Sorting such numbers takes two thirds of the time that DuckDB needs to group the rows and to find their quantiles.
    """

    protocols: list[str]
    protocol_at: int
    """The lowest bit of the protocol's place in `protocols`; the latency is below it."""
    dst_at: int
    src_at: int

    @classmethod
    def of(cls, sums: pa.Table, endpoints: pa.Table) -> Self | None:
        """One for calls with these protocols and `max_ns` between endpoints with these ids; None: too many bits."""
        protocols = sorted(pc.unique(sums["protocol"]).to_pylist())
        protocol_at = (pc.max(sums["max_ns"]).as_py() or 0).bit_length()
        dst_at = protocol_at + len(protocols).bit_length()
        id_bits = (pc.max(endpoints["id"]).as_py() or 0).bit_length()
        return None if dst_at + 2 * id_bits > 63 else cls(protocols, protocol_at, dst_at, dst_at + id_bits)

    def expression(self, ends: Ends) -> tuple[str, list[str]]:
        """It in SQL, of a row `e`, and its parameters."""
        parts = [f"(CAST({ends.src} AS BIGINT) << {self.src_at})", f"(CAST({ends.dst} AS BIGINT) << {self.dst_at})"]
        named = self.protocols if len(self.protocols) > 1 else []  # where there is only one, it need not be read
        if named:
            places = "".join(f" WHEN ? THEN {place << self.protocol_at}" for place in range(len(named)))
            parts.append(f"CASE e.protocol{places} END")
        return " | ".join([*parts, "e.latency_ns"]), named

    def quantiles(self, packed: npt.NDArray[np.int64]) -> pa.Table | None:
        """By edge; as DuckDB's `quantile_disc`. None: some latency is negative, which can't be packed."""
        packed = np.sort(packed)
        if packed.size and packed[0] < 0:
            return None
        edge = packed >> self.protocol_at
        first = np.flatnonzero(np.diff(edge, prepend=-1))
        count = np.diff(first, append=len(edge))
        edge = edge[first]
        dst = edge >> self.dst_at - self.protocol_at
        columns = {
            "src": (edge >> self.src_at - self.protocol_at).astype(np.int32),
            "dst": _low(dst, self.src_at - self.dst_at).astype(np.int32),
            "protocol": pa.array(self.protocols, pa.utf8()).take(pa.array(_low(edge, self.dst_at - self.protocol_at))),
        }
        for name, share in SHARES.items():
            place = first + np.ceil(count * share).astype(np.int64) - 1
            columns[name] = _low(packed[place], self.protocol_at)
        return pa.table(columns)


def _low(numbers: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
    return numbers & (1 << bits) - 1


def exact(session: Session, calls: Selection, ends: Ends, packing: Packing | None) -> pa.Table:
    """src, dst, protocol, p50_ns, p95_ns, p99_ns of each edge that has a latency, if all of them fit in the memory."""
    made = None
    if packing is not None:
        packed, parameters = packing.expression(ends)
        query = (
            f"SELECT {packed} AS packed FROM exchange e {ends.joins}"
            f" WHERE {calls.condition} AND e.latency_ns IS NOT NULL"
        )
        made = packing.quantiles(session.query(query, [*parameters, *calls.parameters])["packed"].to_numpy())
    if made is None:
        made = _listed(session.query(_EXACT.format(condition=calls.condition, **ends._asdict()), calls.parameters))
    return made


def estimated(session: Session, calls: Selection, ends: Ends) -> pa.Table:
    """As `exact`, at most 0.5 % above; of any number of calls."""
    return _listed(session.query(_ESTIMATED.format(condition=calls.condition, **ends._asdict()), calls.parameters))


def _listed(table: pa.Table) -> pa.Table:
    listed = [pc.list_element(table["quantiles"], place) for place in range(len(SHARES))]
    return pa.table([*table.select(["src", "dst", "protocol"]).columns, *listed], ["src", "dst", "protocol", *SHARES])
