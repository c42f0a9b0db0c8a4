"""The parameters that several things of the API are asked with."""

from __future__ import annotations

from tapper.collector.api.parameters import Parameter
from tapper.feed.rows import EXCHANGE_ROW, PAYLOAD_ROW
from tapper.feed.timelines import MAX_BUCKETS
from tapper.model.edges import LEVELS

LATEST = 1 << 62  # in the year 2116; DuckDB has no times near 2^63
WHERE = Parameter("where", "text", "a filter in CEL, such as `status >= 500`; see /fields", "")
START = Parameter("start", "time", "from this time on", most=LATEST)
END = Parameter("end", "time", "before this time", most=LATEST)
SPAN = (START, END)
LEVEL = Parameter("level", "text", "what a node stands for", "service", choices=LEVELS)
RECORD = Parameter("record", "text", "what the filter is on", "exchange", choices=("exchange", "connection"))
ID = Parameter(
    "id",
    "text",
    "a UUID with or without dashes, or a beginning or an end of it, 4 digits or more, that no other has",
    place="path",
    required=True,
)
DESCENDING = Parameter("descending", "boolean", "largest first", False)
OFFSET = Parameter("offset", "integer", "rows to leave out before the first", 0, most=(1 << 62) - 1)
COLUMNS = Parameter(
    "columns",
    "names",
    "only these columns, with commas between; left out: all but heads and bodies",
    (),
    choices=(*EXCHANGE_ROW.names, *PAYLOAD_ROW.names),
)
ORDER = Parameter(
    "order", "text", "column to order by; nulls last, equal ones by id", "time", choices=tuple(EXCHANGE_ROW.names)
)


def limit(default: int, most: int, meaning: str = "rows at most") -> Parameter:
    """A bound of its own for each list."""
    return Parameter("limit", "integer", meaning, default, most=most)


SELECTED = (WHERE, *SPAN)
BUCKETS = Parameter("buckets", "integer", "pieces of the range", 60, least=1, most=MAX_BUCKETS)
AFTER = (
    Parameter(
        "after_value", "text", "with after_id: go on behind the row with this value of the order column; left out: null"
    ),
    Parameter("after_id", "text", "with after_value: the id of that row"),
)
OF_CONNECTIONS = (
    WHERE,
    *SPAN,
    Parameter("failed_only", "boolean", "only those refused, unanswered or reset", False),
)
