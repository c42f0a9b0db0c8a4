"""Percentiles of the latencies of each edge: exact ones of all calls, or estimates whose cost is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
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
FROM exchange e {{joins}} WHERE {{condition}} AND e.latency_ns IS NOT NULL GROUP BY ALL"""

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


def exact(session: Session, calls: Selection, ends: Ends) -> pa.Table:
    """src, dst, protocol, p50_ns, p95_ns, p99_ns of each edge that has a latency, if all of them fit in the memory."""
    return _asked(session, _EXACT, calls, ends)


def estimated(session: Session, calls: Selection, ends: Ends) -> pa.Table:
    """As `exact`, at most 0.5 % above; of any number of calls."""
    return _asked(session, _ESTIMATED, calls, ends)


def _asked(session: Session, query: str, calls: Selection, ends: Ends) -> pa.Table:
    table = session.query(query.format(condition=calls.condition, **ends._asdict()), calls.parameters)
    listed = [pc.list_element(table["quantiles"], place) for place in range(len(SHARES))]
    return pa.table([*table.select(["src", "dst", "protocol"]).columns, *listed], ["src", "dst", "protocol", *SHARES])
