"""All that is said of one exchange, as the feed is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapper.feed.interface import ConnectionQuery, Query, Span
from ui.columns import plain_rows

if TYPE_CHECKING:
    from tapper.feed.interface import Feed
    from tapper.model.records import Exchange, Message

    Row = dict[str, Any]

WITHIN = 8
"""Calls looked for that the server made meanwhile."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is said of an exchange."""

    exchange: Exchange
    connection: Row | None
    meanwhile: list[Row]
    """Calls that its server made while it worked on it, longest first."""
    messages: tuple[Message, ...]


def gather(feed: Feed, exchange_id: str) -> Whole:
    """Asks for all of it."""
    exchange = feed.exchange(exchange_id)
    rows = plain_rows(feed.connections(ConnectionQuery(where=f"connection == {exchange.connection}", limit=1)))
    return Whole(exchange, rows[0] if rows else None, _meanwhile(feed, exchange), exchange.messages)


def _meanwhile(feed: Feed, exchange: Exchange) -> list[Row]:
    if exchange.latency_ns is None:
        return []
    span = Span(exchange.time_ns, exchange.time_ns + exchange.latency_ns)
    query = Query(f'src.ip == "{exchange.dst.ip}"', span, "latency_ns", descending=True, limit=4 * WITHIN)
    rows = plain_rows(feed.page(query))
    inside = [r for r in rows if r["latency_ns"] is None or r["time"] + r["latency_ns"] <= (span.end or 0)]
    proven = [r for r in inside if exchange.trace_id and r["trace_id"] == exchange.trace_id]
    return (proven or inside)[:WITHIN]
