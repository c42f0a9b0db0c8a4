"""Lost, doubled and reordered packets: what is recovered is right, and nothing that is whole is missed."""

from __future__ import annotations

import random
import struct
from collections import Counter
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from bench.http1_capture import Truth, write
from bench.loss import number_of, rows, verdict

if TYPE_CHECKING:
    from pathlib import Path

EXCHANGES = 1200
CONNECTIONS = 12
HEADERS = 66
"""Bytes in front of a payload: Ethernet, IPv4, TCP with timestamps."""
SCRATCH = 120


def packets(capture: bytes) -> list[tuple[int, bytes]]:
    """Time and rest of each packet of a pcap file."""
    made, at = [], 24
    while at < len(capture):
        seconds, nanos, length, _ = struct.unpack_from("<IIII", capture, at)
        made.append((seconds * 10**9 + nanos, capture[at + 16 : at + 16 + length]))
        at += 16 + length
    return made


def rewritten(capture: bytes, arranged: list[tuple[int, bytes]]) -> bytes:
    """The file with other packets."""
    out = bytearray(capture[:24])
    for time, data in arranged:
        out += struct.pack("<IIII", *divmod(time, 10**9), len(data), len(data)) + data
    return bytes(out)


def disturbed(capture: bytes, share: float, seed: int) -> bytes:
    """Some packets captured twice, some up to 5 ms late."""
    chance = random.Random(seed)
    arranged = []
    for time, data in packets(capture):
        late = chance.randrange(5_000_000) if chance.random() < share else 0
        arranged += [(time + late, data)] * (2 if chance.random() < share else 1)
    return rewritten(capture, sorted(arranged, key=lambda packet: packet[0]))


def verdicts(capture: bytes, truth: Truth, folder: Path) -> tuple[Counter[str], float]:
    """What was said of all records, and the share of the whole exchanges that came out right."""
    file = folder / "capture.pcap"
    file.write_bytes(capture)
    said: Counter[str] = Counter()
    right = set()
    for row in rows(file):
        word = verdict(row, truth)
        said[word] += 1
        number = number_of(row)
        if word == "right" and number is not None:
            said["twice"] += number in right
            right.add(number)
    whole = {number for number in range(EXCHANGES) if truth.whole[number]}
    return said, len(whole & right) / len(whole)


def wrong(said: Counter[str]) -> dict[str, int]:
    return {word: count for word, count in said.items() if count and (word.startswith("wrong") or word == "twice")}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("loss", "share"), [(0.0, 1.0), (0.01, 0.97), (0.05, 0.9), (0.3, 0.5)])
def test_loss(loss: float, share: float, seed: int, tmp_path: Path) -> None:
    file = BytesIO()
    truth = write(file, EXCHANGES, CONNECTIONS, loss=loss, seed=seed)
    said, recovered = verdicts(file.getvalue(), truth, tmp_path)
    assert wrong(said) == {}
    assert recovered >= share


@pytest.mark.parametrize("seed", range(3))
def test_disorder(seed: int, tmp_path: Path) -> None:
    file = BytesIO()
    truth = write(file, EXCHANGES, CONNECTIONS, seed=seed)
    said, recovered = verdicts(disturbed(file.getvalue(), 0.05, seed), truth, tmp_path)
    assert said == Counter({"right": EXCHANGES, "twice": 0})
    assert recovered == 1


@pytest.mark.parametrize("seed", range(3))
def test_loss_and_disorder(seed: int, tmp_path: Path) -> None:
    file = BytesIO()
    truth = write(file, EXCHANGES, CONNECTIONS, loss=0.02, seed=seed)
    said, recovered = verdicts(disturbed(file.getvalue(), 0.05, seed), truth, tmp_path)
    assert wrong(said) == {}
    assert recovered >= 0.9


def scratched(capture: bytes, share: float, seed: int) -> tuple[bytes, int]:
    """Some payloads have bytes that nobody sent; how many."""
    chance, arranged, count = random.Random(seed), [], 0
    for time, data in packets(capture):
        length = len(data) - HEADERS
        if length > SCRATCH and chance.random() < share:
            at = HEADERS + chance.randrange(length - SCRATCH)
            data = data[:at] + chance.randbytes(SCRATCH) + data[at + SCRATCH :]
            count += 1
        arranged.append((time, data))
    return rewritten(capture, arranged), count


@pytest.mark.parametrize("seed", range(6))
def test_a_scratch_costs_few_exchanges(seed: int, tmp_path: Path) -> None:
    file = BytesIO()
    truth = write(file, EXCHANGES, CONNECTIONS, seed=seed)
    capture, scratches = scratched(file.getvalue(), 0.01, seed)
    said, recovered = verdicts(capture, truth, tmp_path)
    # what a body says, nobody can check
    assert not {word for word in wrong(said) if not word.endswith("body")}
    assert scratches > 10
    assert recovered >= 1 - 1.5 * scratches / EXCHANGES
