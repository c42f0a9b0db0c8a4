"""The service map of a session: nodes, and edges with the figures of their calls and connections, made by SQL at once.

The number of a node is the id of the first of its endpoints, so that it stays the same as more is seen.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tapper.feed.interface import FeedError, Map, Span
from tapper.feed.percentiles import PLAIN, Ends, estimated, exact
from tapper.feed.selection import Selection, resolved, select
from tapper.identity.names import SOURCES
from tapper.model.edges import EDGE, LEVELS, NODE
from tapper.model.words import FAILED, NOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.store.session import Session

MAX_ADDRESSES = 16  # of one node, as NODE says
MAX_EXACT = 2_000_000  # calls whose latencies surely fit in DuckDB's memory, all at once, for exact percentiles
SECOND = 1_000_000_000

FIELDS = {
    "service": ("service", "workload", "pod", "process"),
    "workload": ("workload", "pod", "service", "process"),
    "version": ("workload", "service", "pod", "process"),
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
CALL = f"(e.notes & {NOTES['stream'][0]}) = 0"
FAILED_CALL = f"e.outcome IN ({', '.join(repr(o) for o in FAILED)})"

ENDS = "JOIN numbered a ON a.id = e.src JOIN numbered b ON b.id = e.dst"


def _total(one: str, other: str) -> str:
    """Both columns' sum. Sums of unsigned numbers of 64 bits would be made in 128."""
    return f"CAST(sum(CAST(coalesce(e.{one}, 0) + coalesce(e.{other}, 0) AS BIGINT)) AS BIGINT)"


# All rows are grouped by plain columns, which is fast; what is wanted is then made of the few rows that this gives.
# With FILTER and joins on every row, and all in one statement, it takes up to three times as long.
_SUMS = f"""
SELECT e.src, e.dst, e.protocol, e.outcome, CAST({_STREAM} AS INTEGER) AS stream, count(*) AS n,
  max(e.latency_ns) AS max_ns,
  {_total("request_head_bytes", "request_body_bytes")} AS bytes_sent,
  {_total("response_head_bytes", "response_body_bytes")} AS bytes_received,
  {_total("messages_sent", "messages_received")} AS messages,
  min(e.time) AS first, max(e.time) AS last
FROM exchange e WHERE {{condition}} GROUP BY ALL"""

_FLOWS = f"""
SELECT a.node AS src, b.node AS dst, CASE e.protocol WHEN 'unknown' THEN e.transport ELSE e.protocol END AS protocol,
  count(*) AS connections,
  count(*) FILTER (e.state = 'refused') AS refused,
  count(*) FILTER (e.state = 'unanswered') AS unanswered,
  count(*) FILTER (e.state = 'reset') AS reset,
  min(e.time) AS first_flow, max(e.last_time) AS last_flow
FROM connection e {ENDS} WHERE {{condition}} GROUP BY ALL"""

_KEYS = ["src", "dst", "protocol"]
_COUNTS = [f.name for f in EDGE if f.type == pa.int64() and not f.nullable]


def _nodes(level: str) -> str:
    """A query for every endpoint: id, and node, name, namespace, kind of its node."""
    fields = FIELDS[level]
    if not fields:
        return (
            "SELECT id, ip, name_source, min(id) OVER (PARTITION BY ip) AS node, ip AS name, NULL AS namespace,"
            " 'address' AS kind FROM endpoint"
        )
    named = f"coalesce({', '.join(fields)}, name)"
    if level == "version":  # a workload's versions are nodes of their own
        named = f"concat_ws(' ', {named}, version)"
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
def numbered(session: Session, level: str) -> Iterator[None]:
    """The temporary table `numbered` has the node of each endpoint meanwhile, and the session stays as it is now.

    Else what a writer commits meanwhile would be in the answers of some queries and not of others.
    """
    if level not in LEVELS:
        raise FeedError(f"no such level: {level}; known are {', '.join(LEVELS)}")
    cursor = session.cursor()
    cursor.begin()
    try:
        # a table, not a view: over small numbers without holes DuckDB joins by position
        cursor.execute(f"CREATE TEMP TABLE numbered AS {_nodes(level)}")
        yield
    finally:
        cursor.rollback()


def edges(session: Session, level: str, where: str, span: Span) -> Map:
    """See Feed.edges."""
    with resolved(session, select(where, span)) as selection, numbered(session, level):
        sums = session.query(_SUMS.format(condition=selection.condition), selection.parameters)
        approximate = (pc.sum(sums["n"]).as_py() or 0) > MAX_EXACT
        endpoints = session.query("FROM numbered ORDER BY id")
        ends = PLAIN if endpoints["id"].equals(endpoints["node"]) else Ends("a.node", "b.node", ENDS)
        latencies = (estimated if approximate else exact)(session, selection.also(CALL), ends)
        of_flows, without_calls = _flows(where, span, selection)
        flows = session.query(_FLOWS.format(condition=of_flows.condition), of_flows.parameters)
    table = _calls(sums, endpoints).join(latencies, _KEYS, join_type="left outer", use_threads=False)
    table = table.join(flows, _KEYS, join_type="full outer" if without_calls else "left outer", use_threads=False)
    table = _finished(table.sort_by([(key, "ascending") for key in _KEYS]))
    over = _looked_at(table, span)
    seconds = max((over.end or 0) - (over.start or 0), SECOND) / SECOND
    table = table.append_column("rate", pc.divide(table["calls"].cast(pa.float64()), seconds))
    return Map(_nodes_of(table, endpoints), as_schema(table, EDGE), level, over, approximate)


def _calls(sums: pa.Table, endpoints: pa.Table) -> pa.Table:
    """The figures of calls and streams by edge, from sums by endpoint, protocol, outcome and whether a stream."""
    node_of = np.zeros((pc.max(endpoints["id"]).as_py() or 0) + 1, np.int32)
    node_of[endpoints["id"].to_numpy()] = endpoints["node"].to_numpy()
    n, stream, outcome = sums["n"], sums["stream"], sums["outcome"]
    streams = pc.multiply(n, stream)
    calls = pc.subtract(n, streams)

    def those(counts: pa.ChunkedArray, *outcomes: str) -> pa.ChunkedArray:
        return pc.if_else(pc.is_in(outcome, pa.array(outcomes)), counts, 0)

    columns = {
        "src": node_of[sums["src"].to_numpy()],
        "dst": node_of[sums["dst"].to_numpy()],
        "protocol": sums["protocol"],
        "calls": calls,
        "errors": those(calls, *FAILED),
        "client_errors": those(calls, "client_error"),
        "streams": streams,
        "open_streams": those(streams, "open"),
        "stream_messages": pc.multiply(sums["messages"], stream),
        "bytes_sent": sums["bytes_sent"],
        "bytes_received": sums["bytes_received"],
        "max_ns": pc.if_else(pc.equal(stream, 0), sums["max_ns"], None),
        "first": sums["first"],
        "last": sums["last"],
    }
    how = {"max_ns": "max", "first": "min", "last": "max"}
    asked = [(name, how.get(name, "sum")) for name in columns if name not in _KEYS]
    grouped = pa.table(columns).group_by(_KEYS, use_threads=False).aggregate(asked)
    return grouped.rename_columns({f"{name}_{function}": name for name, function in asked})


def _finished(table: pa.Table) -> pa.Table:
    """What only calls or only connections have, filled in."""
    for name in _COUNTS:
        table = table.set_column(table.column_names.index(name), name, pc.fill_null(table[name], 0))
    for name, of_both in (("first", pc.min_element_wise), ("last", pc.max_element_wise)):
        both = of_both(table[name], table[f"{name}_flow"])
        table = table.set_column(table.column_names.index(name), name, both)
    return table


def _nodes_of(edges_found: pa.Table, endpoints: pa.Table) -> pa.Table:
    """NODE rows of the nodes that an edge has."""
    used = pc.unique(pa.chunked_array([*edges_found["src"].chunks, *edges_found["dst"].chunks], pa.int32()))
    made: dict[int, dict[str, Any]] = {}
    for row in endpoints.filter(pc.is_in(endpoints["node"], used)).to_pylist():
        node = made.setdefault(row["node"], {**row, "addresses": []})
        if len(node["addresses"]) < MAX_ADDRESSES and row["ip"] not in node["addresses"]:
            node["addresses"].append(row["ip"])
        node["name_source"] = min(node["name_source"], row["name_source"], key=SOURCES.index)
    return pa.Table.from_pylist(sorted(made.values(), key=lambda n: n["node"]), NODE)


def _flows(where: str, span: Span, selection: Selection) -> tuple[Selection, bool]:
    """Which connections count, and whether those without a call do: only if the filter can be asked of a connection."""
    from tapper.filter import FilterError

    try:
        return select(where, span, "connection"), True
    except FilterError:
        of_calls = f"e.id IN (SELECT e.connection FROM exchange e WHERE {selection.condition})"
        return Selection(of_calls, selection.parameters), False


def _looked_at(table: pa.Table, span: Span) -> Span:
    if not table.num_rows:
        return span
    first, last = pc.min(table["first"]).value, pc.max(table["last"]).value
    return Span(first if span.start is None else span.start, last if span.end is None else span.end)


def as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Its columns and their types."""
    return table.select(schema.names).cast(schema)
