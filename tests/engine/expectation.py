"""What a scenario expects, compared with what the engine gave."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agent._engine import Batch, CaptureError, FileReader
from tapper.model.schema import SCHEMAS
from tapper.model.words import NOTES, note_names
from tests.engine.payload import content
from tests.engine.scenario import START, duration
from tests.engine.variation import DURATIONS, TIMES

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]

HEADERS = {"request_headers", "request_trailers", "response_headers", "response_trailers"}
BODIES = {"request_body", "response_body", "body"}


@dataclass
class Result:
    """All records of a capture file, as rows."""

    exchanges: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    connections: list[Row] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def rows(batch: object) -> list[Row]:
    """Rows of an Arrow batch; times as integers."""
    table = pa.record_batch(batch)
    columns = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        columns[name] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def payload_rows(message: bytes, kind: str) -> list[Row]:
    """Rows of a payload batch."""
    return rows(pa.ipc.read_record_batch(pa.py_buffer(message), SCHEMAS[kind]))


def newest(records: list[Row]) -> list[Row]:
    """Without the rows that a higher revision replaces, by time; in one segment, by place."""
    by_id: dict[Any, Row] = {}
    for row in records:
        if row["id"] not in by_id or row["revision"] >= by_id[row["id"]]["revision"]:
            by_id[row["id"]] = row
    return sorted(by_id.values(), key=lambda row: (row["time"], row.get("request_seq") or 0))


def collect(result: Result, batch: Batch) -> None:
    """Adds a batch to the result."""
    for narrow, payload, kind, into in (
        (batch.exchanges, batch.payloads, "payload", result.exchanges),
        (batch.messages, batch.message_payloads, "message_payload", result.messages),
    ):
        if narrow is not None:
            made = rows(narrow)
            if payload is not None:
                made = [{**p, **row} for row, p in zip(made, payload_rows(payload, kind), strict=True)]
            into += made
    if batch.connections is not None:
        result.connections += rows(batch.connections)
    if batch.counters is not None:
        result.counters |= {f"{row['stage']}.{row['name']}": row["value"] for row in rows(batch.counters)}


def read(path: Path, options: Row) -> Result:
    """Reads a capture file to its end with the engine."""
    options = {"redact_key": bytes(range(16)), **options}
    if isinstance(options["redact_key"], str):
        options["redact_key"] = bytes.fromhex(options["redact_key"])
    result = Result()
    reader = FileReader([str(path)], **options)
    while True:
        try:
            batch = next(reader, None)
        except CaptureError as error:
            result.errors.append(error.args[0])
            continue
        if batch is None:
            break
        collect(result, batch)
    result.exchanges = newest(result.exchanges)
    result.connections = newest(result.connections)
    order = {row["id"]: number for number, row in enumerate(result.exchanges)}
    result.messages.sort(key=lambda row: (order.get(row["exchange"], -1), row["index"]))
    for row in result.messages:
        row["exchange"] = order.get(row["exchange"], -1)
    return result


def readable(column: str, value: Any) -> Any:
    """A value as scenarios write it."""
    if value is None:
        return None
    if column == "notes":
        return note_names(value)
    if column in HEADERS:
        return [
            f"{'?' if h['name'] is None else h['name']}: {'?' if h['value'] is None else h['value']}" for h in value
        ]
    if column in TIMES:
        return f"{(value - START) / 1e6:g}ms"
    if column in DURATIONS:
        return f"{value / 1e6:g}ms"
    if column in BODIES:
        return value.decode("utf-8", "backslashreplace")
    return value


class Texts:
    """Compares texts; `~` in front makes a regular expression, whose named groups match the same text everywhere."""

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}

    def __call__(self, expected: str, actual: str) -> bool:
        if not expected.startswith("~"):
            return expected == actual
        match = re.fullmatch(expected[1:], actual, re.DOTALL)
        return match is not None and all(
            self.groups.setdefault(name, text) == text for name, text in match.groupdict().items() if text is not None
        )


def body_matches(expected: Any, actual: bytes, folder: Path, texts: Texts) -> bool:
    """Whether a body is the expected one: text, `~` and a pattern, or a table as in events, or its length alone."""
    if isinstance(expected, str) and expected.startswith("~"):
        return texts(expected, actual.decode("utf-8", "backslashreplace"))
    if isinstance(expected, dict) and set(expected) == {"bytes"}:
        return len(actual) == expected["bytes"]
    return content(expected, folder) == actual


def headers_match(expected: Any, actual: list[str], texts: Texts) -> bool:
    """A list is all of them in order; a table names some, `false` for one that must not be there."""
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(texts, expected, actual))
    lines = [line.split(": ", 1) for line in actual]
    for name, value in expected.items():
        values = [v for n, v in lines if n.lower() == name.lower()]
        if value is False and values:
            return False
        if value is not False and not any(texts(value, v) for v in values):
            return False
    return True


def matches(column: str, expected: Any, actual: Any, folder: Path, texts: Texts) -> bool:
    """Whether a column of a record is as expected."""
    if actual is None:
        return False
    if column == "notes":
        return sorted(expected) == sorted(note_names(actual))
    if column in HEADERS:
        return headers_match(expected, readable(column, actual), texts)
    if column in BODIES:
        return body_matches(expected, actual, folder, texts)
    if column in TIMES:
        return bool(actual == START + duration(expected))
    if column in DURATIONS:
        return bool(actual == duration(expected))
    if isinstance(expected, str):
        return texts(expected, str(actual))
    return bool(expected == actual)


def leaks(result: Result, secrets: list[str]) -> list[str]:
    """Secrets that are to be read somewhere in the records."""
    everything = repr([result.exchanges, result.messages, result.connections])
    return [f"{secret!r} must not be in any record" for secret in secrets if secret in everything]


def summary(records: list[Row]) -> str:
    """The records in few words, for the reader of a failed test."""
    wanted = (
        *("time", "protocol", "operation", "target", "status", "outcome", "error"),
        *("transport", "state", "reason", "exchange", "index", "direction", "kind", "name", "bytes", "body", "notes"),
    )
    lines = []
    for row in records:
        said = {k: readable(k, row[k]) for k in wanted if row.get(k) not in (None, "")}
        lines.append("  " + " ".join(f"{k}={str(v)[:60]!r}" for k, v in said.items()))
    return "\n".join(lines) or "  none"


def without(row: Row, changes: frozenset[str]) -> Row:
    """The row without columns that a variation may change, and without notes named there as `notes:name`."""
    kept = {k: v for k, v in row.items() if k not in changes}
    for name in changes:
        if name.startswith("notes:") and "notes" in kept:
            kept["notes"] &= ~NOTES[name[6:]][0]
    return kept


def kept(column: str, value: Any, changes: frozenset[str]) -> Any:
    """An expected value without the notes that a variation may change."""
    return [note for note in value if f"notes:{note}" not in changes] if column == "notes" else value


def compare(what: str, expected: list[Row], actual: list[Row], folder: Path, changes: frozenset[str]) -> list[str]:
    """What is wrong with the records of one kind, in words; columns in `changes` may be as they like."""
    if len(expected) != len(actual):
        return [f"{len(expected)} {what} records expected, {len(actual)} made:\n{summary(actual)}"]
    wrong = []
    texts = Texts()
    for number, (want, row) in enumerate(zip(expected, actual, strict=True)):
        for column, value in want.items():
            if column == "absent":
                wrong += [
                    f"{what} {number}: {name} should be null, is {readable(name, row[name])!r}"
                    for name in value
                    if row[name] is not None
                ]
            elif column in changes:
                continue
            elif column not in row:
                wrong.append(f"{what} {number}: there is no column {column}")
            elif not matches(column, kept(column, value, changes), without(row, changes)[column], folder, texts):
                shown = json.dumps(readable(column, row[column]), default=str)
                wrong.append(f"{what} {number}: {column} should be {json.dumps(value)}, is {shown[:1500]}")
    return [*wrong, f"the {what} records:\n{summary(actual)}"] if wrong else []
