"""The columns of a list of requests, as text that fits a width; command line and terminal UI have the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tapper.model.words import note_names
from ui.formatting import clean, duration, latency_bar, sign, size, time_of_day

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from ui.formatting import Cut

    Row = dict[str, Any]

GAP = "  "
ID_DIGITS = 8
"""Of an id's end: enough to name one of a million requests, and `--show` says when it is not."""

COLUMNS = (
    "id",
    "time",
    "protocol",
    "operation",
    "target",
    "authority",
    "status",
    "status_text",
    "outcome",
    "error",
    "latency_ns",
    "src_ip",
    "src_name",
    "src_name_source",
    "src_namespace",
    "dst_ip",
    "dst_port",
    "dst_name",
    "dst_name_source",
    "dst_namespace",
    "request_body_bytes",
    "response_body_bytes",
    "connection",
    "trace_id",
    "notes",
)
"""Of the feed's rows, that the tables read."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how to get its text, the cells it wants at least and at most, what goes when space is short."""

    title: str
    text: Callable[[Row], str]
    least: int
    most: int
    right: bool = False
    rank: int = 0
    """0: always there; the highest is left out first."""
    good: int = 0
    """Cells that it should have before others are shown at all; 0: what its text takes."""
    enough: int = 0
    """Cells that nobody gets more than before all others have as much of what they need; 0: all that its text takes."""
    where: Cut = "end"
    """What is cut when it does not fit."""
    narrow: int = 0
    """0: stays however narrow it gets; else what goes first (the highest) once even the least of all is too wide."""


def request(row: Row) -> str:
    """Method and path, query type and name, ..."""
    return clean(f"{row['operation'] or '?':<4} {row['target'] or ''}".rstrip())


def status(row: Row) -> str:
    """Code (HTTP) or name of the status, or how it ended without one; with the outcome's sign."""
    outcome = row["outcome"]
    number, name = row["status"], row["status_text"]
    if row["protocol"] == "http" and number is not None:
        text = str(number)
    elif name or number is not None:
        text = name or str(number)
    else:
        text = "-" if outcome == "ok" else outcome
    mark = sign(outcome)
    return clean(f"{text} {mark}" if mark else text)


def end(row: Row, which: str) -> str:
    """The name of an end; a server known by its address only has its port with it."""
    name = row[f"{which}_name"]
    if which == "dst" and (row["dst_name_source"] == "address" or name == row["src_name"]):
        return clean(f"[{name}]:{row['dst_port']}" if ":" in name else f"{name}:{row['dst_port']}")
    return clean(name)


def _time(row: Row) -> str:
    return time_of_day(row["time"])


def _date_time(row: Row) -> str:
    seconds, rest = divmod(row["time"], 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03}"


def _latency(row: Row) -> str:
    return duration(row["latency_ns"])


_MARKS = {"partial": "P", "gap": "G", "redacted": "R", "stream": "S"}


def marks(row: Row) -> str:
    """What a reader should know of the record itself: P joined mid-stream, G bytes lost, R redacted, S a stream."""
    notes = row["notes"]
    return "".join(_MARKS.get(name, "") for name in note_names(notes)) if notes else ""


def _notes(row: Row) -> str:
    return " ".join([*note_names(row["notes"] or 0), *([clean(row["error"])] if row["error"] else [])])


TABLE = (
    Column("TIME", _time, 12, 12, narrow=2),
    Column("PROTO", lambda row: clean(row["protocol"]), 5, 9, narrow=5),
    Column("FROM", lambda row: end(row, "src"), 9, 24, good=12, where="name", narrow=3),
    Column("TO", lambda row: end(row, "dst"), 9, 24, good=12, where="name", narrow=1),
    Column("REQUEST", request, 14, 100, good=22, enough=22),
    Column("STATUS", status, 8, 14),
    Column("", lambda row: latency_bar(row["latency_ns"], 4), 4, 4, rank=4),
    Column("LATENCY", _latency, 8, 12, right=True),
    Column("SIZE", lambda row: size(row["response_body_bytes"]), 5, 6, right=True, rank=5),
    Column("ID", lambda row: row["id"][-ID_DIGITS:], ID_DIGITS, ID_DIGITS, narrow=4),
)
"""On 80 cells the id is there, without which no request can be shown, and the protocol is not."""

MARKS = Column("", marks, 1, 4, rank=6)
"""For lists that explain the letters."""

WIDE = (
    Column("ID", lambda row: row["id"], 36, 36),
    Column("TIME", _date_time, 23, 23),
    Column("PROTO", lambda row: clean(row["protocol"]), 5, 12),
    Column("FROM", lambda row: _full_end(row, "src"), 9, 60),
    Column("TO", lambda row: _full_end(row, "dst"), 9, 60),
    Column("HOST", lambda row: clean(row["authority"] or "-"), 4, 40),
    Column("REQUEST", request, 16, 400),
    Column("STATUS", status, 6, 24),
    Column("LATENCY", _latency, 8, 12, right=True),
    Column("SENT", lambda row: size(row["request_body_bytes"]), 5, 6, right=True),
    Column("SIZE", lambda row: size(row["response_body_bytes"]), 5, 6, right=True),
    Column("CONNECTION", lambda row: str(row["connection"]), 10, 20, right=True),
    Column("TRACE", lambda row: clean(row["trace_id"] or "-"), 5, 32),
    Column("NOTES", _notes, 0, 200),
)
"""Nothing is cut to fit a terminal here: lines wrap."""


def _full_end(row: Row, which: str) -> str:
    namespace = row[f"{which}_namespace"]
    name = end(row, which)
    return f"{clean(namespace)}/{name}" if namespace else name


def fitted(columns: Sequence[Column], wanted: Sequence[int], room: int) -> list[int]:
    """Widths that fit, -1 for what is left out: columns of the highest rank, until the others have room."""
    left_out: set[int] = set()
    numbers = range(len(columns))
    while True:
        shown = [n for n in numbers if n not in left_out]
        gaps = len(GAP) * (len(shown) - 1)
        spare = [n for n in shown if columns[n].rank]
        if not spare or gaps + sum(min(columns[n].good or wanted[n], wanted[n]) for n in shown) <= room:
            break
        left_out.add(max(spare, key=lambda n: columns[n].rank))
    while gaps + sum(min(columns[n].least, wanted[n]) for n in shown) > room:
        spare = [n for n in shown if columns[n].narrow]
        if not spare:
            break
        left_out.add(max(spare, key=lambda n: columns[n].narrow))
        shown = [n for n in numbers if n not in left_out]
        gaps = len(GAP) * (len(shown) - 1)
    widths = [-1 if n in left_out else min(columns[n].least, wanted[n]) for n in numbers]
    rest = room - gaps - sum(widths[n] for n in shown)
    good = [column.good or most for column, most in zip(columns, wanted, strict=True)]
    enough = [column.enough or most for column, most in zip(columns, wanted, strict=True)]
    for limit in (good, enough, wanted):
        while rest > 0 and (short := [n for n in shown if widths[n] < min(limit[n], wanted[n])]):
            # The one that lacks most gets the next cell: names and requests are cut by about as much.
            widths[max(short, key=lambda n: min(limit[n], wanted[n]) - widths[n])] += 1
            rest -= 1
    return widths


def plain_rows(page: pa.Table) -> list[Row]:
    """Rows as Python values: ids as text, times as ns since the epoch."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {}
    for name in page.column_names:
        column = page[name]
        if name == "id":
            columns[name] = [str(value) for value in column.to_pylist()]
        elif pa.types.is_timestamp(column.type):  # looked at as numbers: a cast would load all of pyarrow's functions
            columns[name] = [ns for chunk in column.chunks for ns in chunk.view(pa.int64()).to_pylist()]
        else:
            columns[name] = column.to_pylist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
