"""Real gRPC and WebSocket with packets lost, doubled, swapped and damaged: what is still said was really said."""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

from tapper.model.words import NOTES
from tests.engine.expectation import Result, Row, read
from tests.engine.test_damage import packets, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent.parent / "captures"
NAMES = ("grpc", "websocket")
HANDSHAKE = 8
"""Packets at the start that stay: without them another end may be taken for the client."""
HOLES = NOTES["gap"][0] | NOTES["partial"][0] | NOTES["undecodable"][0]
UNANSWERED = ("timeout", "reset", "open")
Packets = list[tuple[int, bytes]]


@lru_cache
def capture(name: str) -> bytes:
    return zstandard.decompress((FOLDER / f"{name}.pcap.zst").read_bytes(), max_output_size=1 << 26)


def damaged(name: str, folder: Path, change: Callable[[Packets], Packets]) -> Result:
    """What is read of the capture when its packets behind the first are changed."""
    whole = packets(capture(name))
    file = folder / "damaged.pcap"
    file.write_bytes(rewritten(capture(name), whole[:HANDSHAKE] + change(whole[HANDSHAKE:])))
    return read(file, {"redact": False})


def key(row: Row) -> tuple[int, int | None]:
    """Which exchange it is, however much of it is known."""
    return row["src_port"], row["stream"]


def said(result: Result) -> Counter[tuple[object, ...]]:
    """Messages that are whole, each with its exchange."""
    return Counter(
        (*key(result.exchanges[message["exchange"]]), message["direction"], message["kind"], message["body"])
        for message in result.messages
        if message["body"] is not None and not message["notes"] & HOLES
    )


def contradictions(result: Result, truth: Result) -> list[str]:
    """What the records of damaged packets say that is not so."""
    known = {key(row): row for row in truth.exchanges}
    wrong = []
    for row in result.exchanges:
        right = known.get(key(row))
        if right is None:
            wrong.append(f"there was no {key(row)}: {row['operation']} {row['target']}")
            continue
        for column in ("operation", "target", "authority", "status"):
            if row[column] is not None and row[column] != right[column]:
                wrong.append(f"{key(row)}: {column} is {row[column]!r}, was {right[column]!r}")
        for column in ("request_body", "response_body"):
            body = row[column] or b""
            # A stream that lost all messages but one can't be told from a single call: its body is one of them.
            sent = [m["body"] or b"" for m in truth.messages if key(truth.exchanges[m["exchange"]]) == key(row)]
            if not any(one.startswith(body) for one in [right[column] or b"", *sent]):
                wrong.append(f"{key(row)}: {column} is {body[:60]!r}")
    bodies = Counter(
        {
            (*key(row), way, "message", row[f"{half}_body"]): 1
            for row in truth.exchanges
            for half, way in (("request", "sent"), ("response", "received"))
        }
    )
    invented = said(result) - said(truth) - bodies
    return wrong + [f"nobody said {message}" for message in invented]


@lru_cache
def truth(name: str) -> Result:
    return read(FOLDER / f"{name}.pcap.zst", {"redact": False})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("name", NAMES)
def test_loss(name: str, loss: float, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    result = damaged(name, tmp_path, lambda all_: [one for one in all_ if chance.random() >= loss])
    assert contradictions(result, truth(name)) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_doubled_and_swapped(name: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)

    def change(whole: Packets) -> Packets:
        times = [time for time, _ in whole]
        data = [one for _, one in whole]
        for at in range(len(data) - 4):
            if chance.random() < 0.1:
                data[at], data[at + 1] = data[at + 1], data[at]
        made = list(zip(times, data, strict=True))
        return [one for one in made for _ in range(2 if chance.random() < 0.1 else 1)]

    result = damaged(name, tmp_path, change)
    assert contradictions(result, truth(name)) == []
    assert said(result) == said(truth(name))
    assert len(result.exchanges) == len(truth(name).exchanges)


@pytest.mark.parametrize("name", NAMES)
def test_each_packet_lost(name: str, tmp_path: Path) -> None:
    for lost in range(len(packets(capture(name))) - HANDSHAKE):
        result = damaged(name, tmp_path, lambda whole, lost=lost: whole[:lost] + whole[lost + 1 :])
        assert contradictions(result, truth(name)) == [], lost


def scratched(packet: tuple[int, bytes], length: int, chance: random.Random) -> tuple[int, bytes]:
    """The packet with so many bytes of its payload changed, or all of them if it has fewer."""
    time, data = packet
    start = 34 + (data[46] >> 4) * 4
    length = min(length, len(data) - start)
    at = chance.randrange(start, len(data) - length + 1)
    other = bytes([data[at] ^ 1 << chance.randrange(8)]) if length == 1 else chance.randbytes(length)
    return time, data[:at] + other + data[at + length :]


@pytest.mark.parametrize("length", [1, 8, 120])
def test_a_scratch_costs_no_other_call(length: int, tmp_path: Path) -> None:
    chance = random.Random(length)
    whole = packets(capture("grpc"))
    known = truth("grpc").exchanges
    for at, packet in enumerate(whole[HANDSHAKE:]):
        if len(packet[1]) == 34 + (packet[1][46] >> 4) * 4:
            continue
        change = scratched(packet, length, chance)
        result = damaged("grpc", tmp_path, lambda rest, at=at, change=change: [*rest[:at], change, *rest[at + 1 :]])
        made = {key(row): row for row in result.exchanges}
        seconds, micros = divmod(packet[0], 10**9)
        behind = [row for row in known if row["time"] > seconds * 10**9 + micros * 1000]
        assert {key(row) for row in behind} <= made.keys(), at
        # That a call had no answer is not said because of what was damaged before.
        unanswered = [key(row) for row in behind if made[key(row)]["outcome"] in UNANSWERED]
        assert [key(row) for row in behind if row["outcome"] not in UNANSWERED and key(row) in unanswered] == [], at
