"""What a session holds at all: counts, loss by stage, and the facts behind an empty screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.feed.interface import Loss, Source, Summary
from tapper.model.schema import TIME

if TYPE_CHECKING:
    from tapper.store.session import Session

LOSSES: dict[str, tuple[str, ...]] = {
    "ring": ("drops", "interface_losses"),
    "recording": ("dropped",),
    "shed": ("connections", "exchanges"),
    "decode": ("cut_bytes", "cut_headers", "cut_fragments", "malformed", "other_link", "too_deep"),
    "fragment": ("evicted", "expired", "malformed"),
    "stream": ("gaps", "gap_bytes", "reorder_bytes_dropped", "unconsumed_dropped"),
    "flow": ("evicted",),
    "protocol": ("skipped_bytes", "pending_dropped", "unpaired", "headers_dropped", "unknown_fields"),
    "output": ("bodies_cut", "undecodable"),
    "agent": ("lost_records",),
    "collector": ("lost_shipments", "gone_records"),
    "store": ("forgotten", "not_kept"),
}
"""Counters that tell of something that is missing, by stage."""

_MAX_REASONS = 20

_COUNTERS = """
SELECT arg_max(time, time) AS time, stage, name, arg_max(value, time) AS value FROM
(SELECT time, stage, name, max(value) AS value FROM counter GROUP BY ALL) GROUP BY stage, name ORDER BY stage, name"""


def counters(session: Session) -> pa.Table:
    """See Feed.counters."""
    schema = pa.schema([("time", TIME), ("stage", pa.utf8()), ("name", pa.utf8()), ("value", pa.uint64())])
    return session.query(_COUNTERS).cast(schema)


def summary(session: Session) -> Summary:
    """See Feed.summary."""
    totals = session.query(
        "SELECT (SELECT count(*) FROM exchange) AS exchanges, (SELECT count(*) FROM connection) AS connections,"
        " (SELECT count(*) FROM message) AS messages, (SELECT count(*) FROM endpoint) AS endpoints,"
        " least((SELECT min(time) FROM exchange), (SELECT min(time) FROM connection)) AS first,"
        " greatest((SELECT max(time) FROM exchange), (SELECT max(last_time) FROM connection)) AS last"
    )
    known = {(c["stage"], c["name"]): c["value"] for c in counters(session).drop_columns("time").to_pylist()}
    meta = session.meta
    return Summary(
        **{name: totals[name][0].as_py() for name in ("exchanges", "connections", "messages", "endpoints")},
        first_ns=totals["first"][0].value,
        last_ns=totals["last"][0].value,
        protocols=_counts(session, "SELECT protocol AS k, count(*) AS n FROM exchange"),
        outcomes=_counts(session, "SELECT outcome AS k, count(*) AS n FROM exchange"),
        states=_counts(session, "SELECT state AS k, count(*) AS n FROM connection"),
        unparsed=_counts(session, "SELECT protocol AS k, count(*) AS n FROM connection WHERE exchanges = 0"),
        reasons=_counts(
            session, "SELECT reason AS k, count(*) AS n FROM connection WHERE exchanges = 0 AND reason IS NOT NULL"
        ),
        packets=meta.packets,
        losses=tuple(Loss(*key, value) for key, value in known.items() if key[1] in LOSSES.get(key[0], ()) and value),
        sources=sources(session),
        redacted=meta.options.get("redact") is not False,
        heads=meta.options.get("heads") is not False,
        bodies=meta.options.get("bodies") is not False,
        complete=meta.complete,
        forgotten=known.get(("store", "forgotten"), 0),
    )


def sources(session: Session) -> tuple[Source, ...]:
    """What the session was read from; no row is looked at."""
    return tuple(_source(known) for known in session.meta.sources)


def _counts(session: Session, query: str) -> dict[str, int]:
    table = session.query(f"{query} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MAX_REASONS}")
    return dict(zip(table["k"].to_pylist(), table["n"].to_pylist(), strict=True))


def _source(known: dict[str, Any]) -> Source:
    size, problem = known.get("bytes"), known.get("problem")
    return Source(
        name=str(known.get("name")),
        bytes=size if isinstance(size, int) else None,
        problem=problem if isinstance(problem, str) else None,
    )
