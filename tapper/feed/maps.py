"""The service map of a session: nodes, and edges with the figures of their calls and connections, made by SQL at once.

The number of a node is the id of the first of its endpoints, so that it stays the same as more is seen.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tapper.feed import pages
from tapper.feed.interface import FeedError, Map, Span
from tapper.feed.rows import TIMELINE
from tapper.feed.selection import Selection, resolved, select
from tapper.identity.names import SOURCES
from tapper.model.edges import EDGE, LEVELS, NODE
from tapper.model.words import FAILED, NOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.store.session import Session

MAX_ADDRESSES = 16  # of one node, as NODE says
MAX_BUCKETS = 10_000
MAX_EXACT = 2_000_000  # calls whose latencies surely fit in DuckDB's memory, all at once, for exact percentiles
SECOND = 1_000_000_000

FIELDS = {
    "service": ("service", "workload", "pod", "process"),
    "workload": ("workload", "pod", "service", "process"),
    "pod": ("pod", "service", "workload", "process"),
    "address": (),
}
"""What a node of a level stands for: the first of these that is known, else the name or the address."""

PRIVATE = (
    r"^(10\.|127\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\."
    r"|f[cd]..:|fe[89ab].:|::1$)"
)
"""Addresses of the inside (RFC 1918, 3927, 4193, 4291, 6598): with a name there it is a service, elsewhere external."""

_STREAM = f"(e.notes & {NOTES['stream'][0]}) <> 0"
_CALL = f"(e.notes & {NOTES['stream'][0]}) = 0"
_FAILED = f"e.outcome IN ({', '.join(repr(o) for o in FAILED)})"

_ENDS = "JOIN numbered a ON a.id = e.src JOIN numbered b ON b.id = e.dst"

# Sums over all rows are grouped by plain columns, which is fast, and then once more, few rows now, by what is wanted:
# with FILTER and the join on every row the whole takes three times as long.
_SUMS = f"""
SELECT e.src, e.dst, e.protocol, e.outcome, {_STREAM} AS stream, count(*) AS n, max(e.latency_ns) AS max_ns,
  sum(coalesce(e.request_head_bytes, 0) + coalesce(e.request_body_bytes, 0)) AS sent,
  sum(coalesce(e.response_head_bytes, 0) + coalesce(e.response_body_bytes, 0)) AS received,
  sum(coalesce(e.messages_sent, 0) + coalesce(e.messages_received, 0)) AS messages,
  min(e.time) AS first, max(e.time) AS last
FROM exchange e WHERE {{condition}} GROUP BY ALL"""

_CALLS = f"""
SELECT a.node AS src, b.node AS dst, e.protocol AS protocol,
  sum(n) FILTER (NOT stream) AS calls,
  sum(n) FILTER (NOT stream AND {_FAILED}) AS errors,
  sum(n) FILTER (NOT stream AND e.outcome = 'client_error') AS client_errors,
  max(max_ns) FILTER (NOT stream) AS max_ns,
  sum(sent) AS bytes_sent, sum(received) AS bytes_received,
  sum(n) FILTER (stream) AS streams,
  sum(n) FILTER (stream AND e.outcome = 'open') AS open_streams,
  sum(messages) FILTER (stream) AS stream_messages,
  min(first) AS first, max(last) AS last
FROM ({_SUMS}) e {_ENDS} GROUP BY ALL"""

_EXACT = f"""
SELECT a.node AS src, b.node AS dst, e.protocol AS protocol, quantile_disc(e.latency_ns, [0.5, 0.95, 0.99]) AS quantiles
FROM exchange e {_ENDS} WHERE {{condition}} AND {_CALL} GROUP BY ALL"""

# By classes of latency that differ by 0.5 %, whose number is bounded however many calls there are.
_ESTIMATED = f"""
SELECT src, dst, protocol,
  [{", ".join(f"min(highest) FILTER (up_to >= {q} * n)" for q in (0.5, 0.95, 0.99))}] AS quantiles
FROM (
  SELECT src, dst, protocol, highest, sum(n) OVER (PARTITION BY src, dst, protocol ORDER BY class) AS up_to,
    sum(n) OVER (PARTITION BY src, dst, protocol) AS n
  FROM (
    SELECT a.node AS src, b.node AS dst, e.protocol AS protocol,
      CAST(floor(log2(greatest(e.latency_ns, 1)) * 139) AS INTEGER) AS class,
      max(e.latency_ns) AS highest, count(*) AS n
    FROM exchange e {_ENDS} WHERE {{condition}} AND {_CALL} AND e.latency_ns IS NOT NULL GROUP BY ALL
  )
) GROUP BY ALL"""

_FLOWS = f"""
SELECT a.node AS src, b.node AS dst, CASE e.protocol WHEN 'unknown' THEN e.transport ELSE e.protocol END AS protocol,
  count(*) AS connections,
  count(*) FILTER (e.state = 'refused') AS refused,
  count(*) FILTER (e.state = 'unanswered') AS unanswered,
  count(*) FILTER (e.state = 'reset') AS reset,
  min(e.time) AS first, max(e.last_time) AS last
FROM connection e {_ENDS} WHERE {{flows_condition}} GROUP BY ALL"""

_COUNTS = [f.name for f in EDGE if f.type == pa.int64() and not f.nullable]

_EDGES = f"""
WITH calls AS ({_CALLS}), latencies AS ({{latencies}}), flows AS ({_FLOWS})
SELECT src, dst, protocol, {", ".join(f"coalesce({c}, 0)::BIGINT AS {c}" for c in _COUNTS)},
  quantiles[1]::BIGINT AS p50_ns, quantiles[2]::BIGINT AS p95_ns, quantiles[3]::BIGINT AS p99_ns, max_ns,
  least(calls.first, flows.first) AS first, greatest(calls.last, flows.last) AS last
FROM calls LEFT JOIN latencies USING (src, dst, protocol) {{join}} JOIN flows USING (src, dst, protocol)
ORDER BY src, dst, protocol"""

_NODES_OF_EDGES = f"""
SELECT node, any_value(name) AS name, any_value(namespace) AS namespace, arg_min(kind, id) AS kind,
  list_slice(list_sort(list(DISTINCT ip)), 1, {MAX_ADDRESSES}) AS addresses,
  arg_min(name_source, list_position({list(SOURCES)}, name_source)) AS name_source
FROM numbered WHERE node IN (SELECT src FROM edges UNION SELECT dst FROM edges) GROUP BY node ORDER BY node"""


def _nodes(level: str) -> str:
    """A query for every endpoint: id, and node, name, namespace, kind of its node."""
    fields = FIELDS[level]
    if not fields:
        return (
            "SELECT id, ip, name_source, min(id) OVER (PARTITION BY ip) AS node, ip AS name, NULL AS namespace,"
            " 'address' AS kind FROM endpoint"
        )
    named = f"coalesce({', '.join(fields)}, name)"
    kinds = "".join(f" WHEN {field} IS NOT NULL THEN '{field}'" for field in fields)
    kind = (
        f"CASE{kinds} WHEN name_source = 'address' THEN 'address' WHEN regexp_matches(ip, '{PRIVATE}') THEN 'service'"
        " ELSE 'external' END"
    )
    return (
        f"SELECT id, ip, name_source, min(id) OVER (PARTITION BY namespace, {named}) AS node, {named} AS name,"
        f" namespace, {kind} AS kind FROM endpoint"
    )


@contextmanager
def _numbered(session: Session, level: str) -> Iterator[None]:
    if level not in LEVELS:
        raise FeedError(f"no such level: {level}; known are {', '.join(LEVELS)}")
    # a table, not a view: over small numbers without holes DuckDB joins by position
    cursor = session.cursor()
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE numbered AS {_nodes(level)}")
    try:
        yield
    finally:
        cursor.execute("DROP TABLE IF EXISTS temp.numbered")


def edges(session: Session, level: str, where: str, span: Span) -> Map:
    """See Feed.edges."""
    with _numbered(session, level), resolved(session, select(where, span)) as selection:
        flows, join = _flows(where, span, selection)

        approximate = pages.number(session, "exchange", selection) > MAX_EXACT
        latencies = (_ESTIMATED if approximate else _EXACT).format(condition=selection.condition)
        table = session.query(
            _EDGES.format(
                condition=selection.condition, latencies=latencies, flows_condition=flows.condition, join=join
            ),
            (*selection.parameters, *selection.parameters, *flows.parameters),
        )
        with session.registered(edges=table):
            nodes = session.query(_NODES_OF_EDGES)
    over = _looked_at(table, span)
    seconds = max((over.end or 0) - (over.start or 0), SECOND) / SECOND
    table = table.append_column("rate", pc.divide(table["calls"].cast(pa.float64()), seconds))
    return Map(_as(nodes, NODE), _as(table, EDGE), level, over, approximate)


def _flows(where: str, span: Span, selection: Selection) -> tuple[Selection, str]:
    """Which connections count, and the kind of JOIN: those with no call are there only if the filter speaks of them."""
    from tapper.filter import FilterError

    try:
        return select(where, span, "connection"), "FULL"
    except FilterError:
        of_calls = f"e.id IN (SELECT e.connection FROM exchange e WHERE {selection.condition})"
        return Selection(of_calls, selection.parameters), "LEFT"


def _looked_at(table: pa.Table, span: Span) -> Span:
    if not table.num_rows:
        return span
    first, last = pc.min(table["first"]).value, pc.max(table["last"]).value
    return Span(first if span.start is None else span.start, last if span.end is None else span.end)


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.select(schema.names).cast(schema)


def timeline(
    session: Session, level: str, where: str, span: Span, buckets: int, nodes: tuple[int, int] | None
) -> pa.Table:
    """See Feed.timeline."""
    if not 0 < buckets <= MAX_BUCKETS:
        raise FeedError(f"from 1 to {MAX_BUCKETS} buckets can be had")
    with _numbered(session, level), resolved(session, select(where, span)) as selection:
        ends = session.query(
            f"SELECT min(e.time) AS first, max(e.time) AS last, count(*) AS n FROM exchange e"
            f" WHERE {selection.condition}",
            selection.parameters,
        )
        if not ends["first"][0].is_valid:
            return TIMELINE.empty_table()
        start = ends["first"][0].value if span.start is None else span.start
        end = ends["last"][0].value + 1 if span.end is None else span.end
        width = max(1, -(-(end - start) // buckets))
        quantile = "approx_quantile" if ends["n"][0].as_py() > MAX_EXACT else "quantile_disc"
        edge = "TRUE" if nodes is None else f"a.node = {int(nodes[0])} AND b.node = {int(nodes[1])}"
        table = session.query(
            f"SELECT a.node AS src, b.node AS dst, e.protocol AS protocol,"
            f" ((epoch_ns(e.time) - {start}) // {width})::INTEGER AS bucket,"
            f" make_timestamp_ns({start} + bucket::BIGINT * {width}) AS time,"
            f" count(*) AS calls, count(*) FILTER ({_FAILED}) AS errors, {quantile}(e.latency_ns, 0.95) AS p95_ns"
            f" FROM exchange e {_ENDS} WHERE {selection.condition} AND {_CALL} AND {edge}"
            " GROUP BY ALL ORDER BY src, dst, protocol, bucket",
            selection.parameters,
        )
    return _as(table, TIMELINE)
