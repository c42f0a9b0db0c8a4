"""WebSockets of which the beginning was not captured: what is listed was said, and nothing else is taken for one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tapper.model.words import NOTES
from tests.engine.expectation import Result, Row, read
from tests.engine.test_damage import packets, rewritten
from tests.engine.test_real_damage import capture, truth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN = ("operation", "target", "authority", "status", "version")
OTHERS = ("aiohttp", "dnsmasq", "forking-http10", "grpc", "nginx", "redis")
IP, TCP, PORT = 14, 34, 8080


def cut_off(name: str, first: int, folder: Path) -> Result:
    """What is read of a capture that begins with this packet."""
    file = folder / "rest.pcap"
    file.write_bytes(rewritten(capture(name), packets(capture(name))[first:]))
    return read(file, {"redact": False})


def conversations(result: Result) -> Iterator[tuple[Row, str, list[Row]]]:
    """Each WebSocket with the messages that went one way."""
    for number, row in enumerate(result.exchanges):
        for direction in ("sent", "received"):
            of_it = [m for m in result.messages if m["exchange"] == number and m["direction"] == direction]
            yield row, direction, of_it


def said(messages: list[Row]) -> list[tuple[str, int]]:
    return [(message["kind"], message["bytes"]) for message in messages]


@pytest.mark.parametrize("part", range(8))
def test_beginning_not_captured(part: int, tmp_path: Path) -> None:
    known = {(row["src_port"], way): (row, messages) for row, way, messages in conversations(truth("websocket"))}
    for first in range(part, len(packets(capture("websocket"))), 8):
        result = cut_off("websocket", first, tmp_path)
        assert result.errors == [], first
        for row, way, messages in conversations(result):
            whole, right = known[row["src_port"], way]
            assert row["protocol"] == "websocket", first
            for column in UNKNOWN:
                assert row[column] in (None, whole[column]), (first, column)
            if row["notes"] & NOTES["no_request"][0]:
                assert row["operation"] is None, first
                assert row["notes"] & NOTES["partial"][0], first
            # The rest of a message that had begun is none.
            made = messages[1:] if messages and messages[0]["kind"] == "continuation" else messages
            last = right[len(right) - len(made) :]
            assert said(made) == said(last), (first, way)
            for one, other in zip(made, last, strict=True):
                undecoded = one["body"] is None and one["notes"] & NOTES["undecodable"][0]
                assert undecoded or one["body"] == other["body"], (first, way)


def test_nothing_is_missed_behind_the_upgrade(tmp_path: Path) -> None:
    """Of the conversation without compression, which begins last."""
    whole = packets(capture("websocket"))
    last = truth("websocket").exchanges[-1]
    behind = next(at for at, (_, data) in enumerate(whole) if b"101 Switching" in data and upgrades(data, last)) + 1
    result = cut_off("websocket", behind, tmp_path)
    rows = [row for row in result.exchanges if row["src_port"] == last["src_port"]]
    assert [row["protocol"] for row in rows] == ["websocket"]
    for row, way, messages in conversations(result):
        if row in rows:
            right = [m for r, w, m in conversations(truth("websocket")) if r is last and w == way]
            assert [said(messages)] == [said(one) for one in right]
            assert [[m["body"] for m in messages]] == [[m["body"] for m in one] for one in right]


def upgrades(data: bytes, row: Row) -> bool:
    return row["src_port"].to_bytes(2, "big") == data[TCP + 2 : TCP + 4]


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_is_taken_for_one(name: str, tmp_path: Path) -> None:
    """However much of the beginning is cut off."""
    count = len(packets(capture(name)))
    for first in range(0, count, max(1, count // 100)):
        result = cut_off(name, first, tmp_path)
        assert {row["protocol"] for row in result.exchanges + result.connections} & {"websocket"} == set(), first


def test_no_segment_of_another_is_taken_for_one(tmp_path: Path) -> None:
    """Each on a connection of its own, nothing of which was seen before."""
    alone = []
    for name in ("aiohttp", "forking-http10", "grpc", "redis"):
        for time, data in packets(capture(name)):
            if data[IP + 9] == 6 and data[IP] == 0x45:
                ports = struct.pack(">HH", 20_000 + len(alone), PORT)
                alone.append((time, data[:TCP] + ports + data[TCP + 4 :]))
    file = tmp_path / "alone.pcap"
    file.write_bytes(rewritten(capture("redis"), alone))
    result = read(file, {"redact": False})
    assert len(result.connections) == len(alone)
    assert {row["protocol"] for row in result.connections} & {"websocket"} == set()
