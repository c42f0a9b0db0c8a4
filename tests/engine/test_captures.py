"""Captures of real servers: the engine's records against what the client wrote down (made by `tools/captures.py`)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.engine.expectation import Row, read

FOLDER = Path(__file__).parent.parent / "captures"
SAME = ("protocol", "operation", "target", "authority", "version", "status", "status_text", "outcome")
OUTCOMES = {2: "ok", 3: "ok", 4: "client_error", 5: "server_error"}


def by_port(rows: list[Row]) -> dict[int, list[Row]]:
    """Rows of each connection of the client, in order."""
    made: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        made[row["src_port"]].append(row)
    return dict(made)


def check_body(seen: dict[str, Any], kept: bytes | None) -> None:
    assert len(kept or b"") == seen["bytes"]
    assert hashlib.sha256(kept or b"").hexdigest() == seen["sha256"]


def check_frames(seen: Row, made: list[Row]) -> None:
    """The messages of one connection, control frames left out."""
    for direction in ("sent", "received"):
        wanted = [frame for frame in seen.get("frames", []) if frame["direction"] == direction]
        found = [m for m in made if m["direction"] == direction and m["kind"] in ("text", "binary", "message")]
        if "frames" in seen:
            assert [(m["kind"], m["content_bytes"]) for m in found] == [(f["kind"], f["bytes"]) for f in wanted]
        for frame, message in zip(wanted, found, strict=False):
            if frame["bytes"] <= 65_536:
                check_body(frame, message["body"])


def check(seen: Row, made: Row) -> None:
    """One exchange as the client saw it, and as the engine did."""
    for column in SAME:
        if column in seen:
            assert made[column] == seen[column], column
    for half in ("request_body", "response_body"):
        if half in seen:
            check_body(seen[half], made[half])
    for half in ("request_headers", "response_headers"):
        if half in seen:
            headers = seen[half].items() if isinstance(seen[half], dict) else map(tuple, seen[half])
            kept = [(header["name"], header["value"]) for header in made[half]]
            assert [header for header in headers if header not in kept] == []
    for address in seen.get("answers", []):
        assert address.encode() in made["response_body"]
    if seen.get("status") is not None:
        assert 0 < made["latency_ns"] <= seen["elapsed_ns"]
        assert seen["protocol"] != "http" or made["outcome"] == OUTCOMES[seen["status"] // 100]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.pcap.zst")), ids=lambda path: path.name.split(".")[0])
def test_capture(path: Path) -> None:
    seen = json.loads(path.with_name(path.name.replace(".pcap.zst", ".json")).read_text())
    result = read(path, {"redact": False})
    assert result.errors == []
    made = by_port(result.exchanges)
    assert {port: len(rows) for port, rows in made.items()} == {port: len(rows) for port, rows in by_port(seen).items()}
    for port, rows in by_port(seen).items():
        for one, other in zip(rows, made[port], strict=True):
            check(one, other)
            check_frames(
                one, [message for message in result.messages if message["exchange"] == result.exchanges.index(other)]
            )
