"""Everything that can be asked of the API by GET, as one table: path, parameters, what comes, and how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tapper.collector.api import answers, schemas
from tapper.collector.api.asked import (
    AFTER,
    BUCKETS,
    COLUMNS,
    DESCENDING,
    ID,
    LATEST,
    LEVEL,
    OF_CONNECTIONS,
    OFFSET,
    ORDER,
    RECORD,
    SELECTED,
    WHERE,
    limit,
)
from tapper.collector.api.exports import LISTS, MAPS
from tapper.collector.api.parameters import Parameter
from tapper.feed.detail import SHOWN_MESSAGES
from tapper.feed.pages import MAX_PAGE
from tapper.feed.rows import CONNECTION_ROW, EXCHANGE_ROW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.collector.api.schemas import Schema
    from tapper.feed.interface import Feed

Answer = Literal["document", "rows", "packets", "export", "map_export", "follow"]
"""How it is given: `rows` are JSON or an Arrow stream, as the Accept header says; the others have a type each."""


@dataclass(frozen=True, slots=True)
class Route:
    """One thing to ask for."""

    path: str
    """Below the base, as OpenAPI writes it."""
    name: str
    """Of the operation; generated clients have a function of this name."""
    summary: str
    answer: Answer
    schema: Schema
    """Of the JSON document."""
    call: Callable[[Feed, dict[str, Any]], Any] = answers.nothing
    parameters: tuple[Parameter, ...] = ()


BASE = "/api/v1"

_rows = schemas.listed
_ref = schemas.reference


def _listing(name: str) -> Schema:
    return schemas.object_of({"rows": schemas.listed(_ref(name))})


_COUNT = schemas.object_of({"count": schemas.NUMBER})

ROUTES: tuple[Route, ...] = (
    Route("/summary", "summary", "What is there at all", "document", _ref("Summary"), answers.summary),
    Route(
        "/health",
        "health",
        "Whether more can come, from whom, what is in the way",
        "document",
        _ref("Health"),
        answers.health,
    ),
    Route(
        "/revision",
        "revision",
        "A number that grows when something was recorded or forgotten",
        "document",
        schemas.object_of({"revision": schemas.NUMBER}),
        answers.revision,
    ),
    Route(
        "/exchanges",
        "exchanges",
        "A page of requests; with heads and bodies at most 1,000, else 10,000 as JSON, 100,000 as Arrow",
        "rows",
        _listing("ExchangeRow"),
        answers.exchanges,
        (*SELECTED, ORDER, DESCENDING, limit(100, MAX_PAGE), OFFSET, *AFTER, COLUMNS),
    ),
    Route("/exchanges/count", "countExchanges", "How many requests match", "document", _COUNT, answers.count, SELECTED),
    Route(
        "/exchanges/{id}",
        "exchange",
        "One request in full, with its first 1,000 messages",
        "document",
        _ref("Exchange"),
        answers.exchange,
        (ID,),
    ),
    Route(
        "/exchanges/{id}/messages",
        "messages",
        "Messages of a stream",
        "document",
        _listing("Message"),
        answers.messages,
        (ID, OFFSET, limit(SHOWN_MESSAGES, SHOWN_MESSAGES)),
    ),
    Route(
        "/exchanges/{id}/packets",
        "packets",
        "The packets of a request's connection around its time",
        "packets",
        schemas.object_of({"packets": schemas.listed(_ref("Packet")), "left_out": schemas.NUMBER}),
        answers.packets,
        (
            ID,
            Parameter(
                "format", "text", "pcapng, or json: dissected layer by layer", "pcapng", choices=("pcapng", "json")
            ),
        ),
    ),
    Route(
        "/connections",
        "connections",
        "A page of connections",
        "rows",
        _listing("ConnectionRow"),
        answers.connections,
        (
            *OF_CONNECTIONS,
            Parameter("failed_first", "boolean", "those before all others", False),
            Parameter("order", "text", "column to order by", "time", choices=tuple(CONNECTION_ROW.names)),
            DESCENDING,
            limit(100, MAX_PAGE),
            OFFSET,
        ),
    ),
    Route(
        "/connections/count",
        "countConnections",
        "How many connections match",
        "document",
        _COUNT,
        answers.count_connections,
        OF_CONNECTIONS,
    ),
    Route("/map", "map", "The service map", "document", _ref("Map"), answers.service_map, (LEVEL, *SELECTED)),
    Route(
        "/map/diff",
        "mapDiff",
        "What changed on the map from one range of time to another",
        "document",
        _ref("Difference"),
        answers.difference,
        (
            LEVEL,
            *SELECTED,
            Parameter("before_start", "time", "the range to compare with: from this time on", most=LATEST),
            Parameter("before_end", "time", "the range to compare with: before this time", most=LATEST),
        ),
    ),
    Route(
        "/map/export/{format}",
        "exportMap",
        "The map as a file",
        "map_export",
        {},
        answers.nothing,
        (
            Parameter("format", "text", "of the file", choices=tuple(MAPS), place="path", required=True),
            LEVEL,
            *SELECTED,
        ),
    ),
    Route(
        "/timeline",
        "timeline",
        "Figures of edges over time",
        "rows",
        _listing("TimelineRow"),
        answers.timeline,
        (
            LEVEL,
            *SELECTED,
            BUCKETS,
            Parameter("src", "integer", "with dst: of this edge of the map only", most=(1 << 31) - 1),
            Parameter("dst", "integer", "with src", most=(1 << 31) - 1),
        ),
    ),
    Route(
        "/timeline/sums",
        "timelineSums",
        "Calls and errors of all edges together over time",
        "rows",
        _listing("TimelineSumsRow"),
        answers.timeline_sums,
        (*SELECTED, BUCKETS),
    ),
    Route(
        "/values",
        "values",
        "Values of a column and how many requests have them, most first",
        "rows",
        _listing("ValueRow"),
        answers.values,
        (
            Parameter("column", "text", "whose values", choices=tuple(EXCHANGE_ROW.names), required=True),
            *SELECTED,
            limit(20, 1_000),
        ),
    ),
    Route(
        "/counters", "counters", "The newest value of each counter", "rows", _listing("CounterRow"), answers.counters
    ),
    Route(
        "/fields",
        "fields",
        "The fields that a filter can ask for",
        "document",
        schemas.object_of({"fields": schemas.listed(_ref("Field"))}),
        answers.filter_fields,
        (RECORD,),
    ),
    Route(
        "/filter",
        "checkFilter",
        "Whether a filter can be understood",
        "document",
        _ref("FilterCheck"),
        answers.check_filter,
        (WHERE, RECORD),
    ),
    Route(
        "/complete",
        "complete",
        "What could be typed next in a filter",
        "document",
        schemas.object_of({"candidates": schemas.listed(_ref("Candidate"))}),
        answers.completions,
        (
            Parameter("text", "text", "the filter as far as it is typed", ""),
            Parameter("cursor", "integer", "characters before the cursor; left out: all"),
            RECORD,
        ),
    ),
    Route(
        "/export/{format}",
        "exportExchanges",
        "Requests as a file, with heads and bodies where the format has them",
        "export",
        {},
        answers.nothing,
        (
            Parameter("format", "text", "of the file", choices=tuple(LISTS), place="path", required=True),
            *SELECTED,
            ORDER,
            DESCENDING,
            limit(0, (1 << 62) - 1, "rows at most; 0: all"),
            OFFSET,
            *AFTER,
            Parameter("columns", "names", "of format arrow: only these columns", (), choices=COLUMNS.choices),
        ),
    ),
    Route(
        "/follow",
        "follow",
        "What comes from now on: server-sent events `rows`, `revision`, `end`; or an Arrow stream",
        "follow",
        _ref("FollowedRows"),
        answers.nothing,
        (WHERE, COLUMNS),
    ),
)
