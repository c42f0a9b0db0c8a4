"""How calls did over time, in pieces of a range: by edge, and all edges together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.feed.interface import FeedError
from tapper.feed.maps import CALL, ENDS, FAILED_CALL, MAX_EXACT, as_schema, numbered
from tapper.feed.rows import TIMELINE, TIMELINE_SUMS
from tapper.feed.selection import Selection, resolved, select

if TYPE_CHECKING:
    import pyarrow as pa

    from tapper.feed.interface import Span
    from tapper.store.session import Session

MAX_BUCKETS = 10_000


def timeline(
    session: Session, level: str, where: str, span: Span, buckets: int, nodes: tuple[int, int] | None
) -> pa.Table:
    """See Feed.timeline."""
    with resolved(session, select(where, span)) as selection, numbered(session, level):
        pieces = _pieces(session, selection, span, buckets)
        if pieces is None:
            return TIMELINE.empty_table()
        bucket, calls = pieces
        quantile = "approx_quantile" if calls > MAX_EXACT else "quantile_disc"
        edge = "TRUE" if nodes is None else f"a.node = {int(nodes[0])} AND b.node = {int(nodes[1])}"
        table = session.query(
            f"SELECT a.node AS src, b.node AS dst, e.protocol AS protocol, {bucket},"
            f" count(*) AS calls, count(*) FILTER ({FAILED_CALL}) AS errors, {quantile}(e.latency_ns, 0.95) AS p95_ns"
            f" FROM exchange e {ENDS} WHERE {selection.condition} AND {CALL} AND {edge}"
            " GROUP BY ALL ORDER BY src, dst, protocol, bucket",
            selection.parameters,
        )
    return as_schema(table, TIMELINE)


def timeline_sums(session: Session, where: str, span: Span, buckets: int) -> pa.Table:
    """See Feed.timeline_sums."""
    with resolved(session, select(where, span)) as selection:
        pieces = _pieces(session, selection, span, buckets)
        if pieces is None:
            return TIMELINE_SUMS.empty_table()
        bucket, _ = pieces
        table = session.query(
            f"SELECT {bucket}, count(*) AS calls, count(*) FILTER ({FAILED_CALL}) AS errors"
            f" FROM exchange e WHERE {selection.condition} AND {CALL} GROUP BY ALL ORDER BY bucket",
            selection.parameters,
        )
    return as_schema(table, TIMELINE_SUMS)


def _pieces(session: Session, selection: Selection, span: Span, buckets: int) -> tuple[str, int] | None:
    """Columns for the number and the start of a row's piece, and how many rows there are; None without any."""
    if not 0 < buckets <= MAX_BUCKETS:
        raise FeedError(f"from 1 to {MAX_BUCKETS} buckets can be had")
    ends = session.query(
        f"SELECT min(e.time) AS first, max(e.time) AS last, count(*) AS n FROM exchange e WHERE {selection.condition}",
        selection.parameters,
    )
    if not ends["first"][0].is_valid:
        return None
    start = ends["first"][0].value if span.start is None else span.start
    end = ends["last"][0].value + 1 if span.end is None else span.end
    width = max(1, -(-(end - start) // buckets))
    bucket = (
        f"((epoch_ns(e.time) - {start}) // {width})::INTEGER AS bucket,"
        f" make_timestamp_ns({start} + bucket::BIGINT * {width}) AS time"
    )
    return bucket, ends["n"][0].as_py()
