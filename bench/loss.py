"""What is recovered of a capture with lost packets, and whether it is right: `python -m bench.loss FILE`.

An exchange that lost no packet should come out whole. Whatever comes out must be right: a response that stands beside
a request must carry its number, every status must be the one that was sent, and a body that is not said to have a hole
must be the one that was sent.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agent._engine import FileReader
from bench.http1_capture import Truth
from tapper.model.schema import PAYLOAD
from tapper.model.words import NOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = re.compile(r"/api/v1/\w+/(\d+)\?")
HOLES = NOTES["gap"][0] | NOTES["request_cut"][0] | NOTES["response_cut"][0]
COLUMNS = ("target", "status", "outcome", "notes")
PAYLOADS = ("request_body", "response_headers", "response_body")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The columns that are checked, row by row."""
    for batch in FileReader([str(path)], redact=False):
        if batch.exchanges is None:
            continue
        narrow = pa.record_batch(batch.exchanges).select(COLUMNS).to_pylist()
        wide = pa.ipc.read_record_batch(pa.py_buffer(batch.payloads), PAYLOAD).select(PAYLOADS).to_pylist()
        for one, other in zip(narrow, wide, strict=True):
            yield one | other


def number_of(row: dict[str, Any]) -> int | None:
    """The number in the request's path."""
    match = NUMBER.match(row["target"] or "")
    return int(match[1]) if match else None


def answered(row: dict[str, Any]) -> int | None:
    """The number in the response's head."""
    for header in row["response_headers"] or ():
        if header["name"] == "X-Request-Id" and header["value"].isdigit():
            return int(header["value"])
    return None


def verdict(row: dict[str, Any], truth: Truth) -> str:
    """What is to be said of a record: right, partial, alone or wrong."""
    asked, answer = number_of(row), answered(row)
    if asked is not None and answer is not None and asked != answer:
        return "wrong pair"
    number = asked if asked is not None else answer
    if number is None:
        return "partial"
    if row["status"] is not None and row["status"] != truth.status[number]:
        return "wrong status"
    if row["notes"] & HOLES or row["outcome"] == "open":
        return "partial"
    if asked is not None and zlib.crc32(row["request_body"] or b"") != truth.request_crc[number]:
        return "wrong request body"
    if answer is not None and zlib.crc32(row["response_body"] or b"") != truth.response_crc[number]:
        return "wrong response body"
    return "right" if asked is not None and answer is not None else "alone"


def main(path: Path) -> None:
    """Prints counts as JSON."""
    truth = Truth.load(path.with_suffix(".npz"))
    verdicts: Counter[str] = Counter()
    recovered = 0
    seen: set[int] = set()
    for row in rows(path):
        found = verdict(row, truth)
        verdicts[found] += 1
        number = number_of(row)
        if found == "right" and number is not None:
            verdicts["twice"] += number in seen
            recovered += bool(truth.whole[number]) and number not in seen
            seen.add(number)
    json.dump({"whole": int(truth.whole.sum()), "recovered": recovered, "verdicts": dict(verdicts)}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
