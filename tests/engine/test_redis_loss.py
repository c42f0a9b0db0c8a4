"""A real capture of Redis with packets lost, doubled, late and damaged: no record may carry another command's reply.

Most replies in it tell which command they answer (`tools/redis_capture.py`).
"""

from __future__ import annotations

import random
import struct
from functools import cache
from pathlib import Path

import pytest
import zstandard

from tests.engine.expectation import Row, read

CAPTURE = Path(__file__).parent.parent / "captures" / "redis.pcap.zst"
Packet = tuple[bytes, int, int, int, int]
"""As it is in the file, then source port, sequence number, bytes of payload, flags."""


@cache
def packets() -> tuple[bytes, list[Packet]]:
    """The file's header and its packets."""
    data = zstandard.ZstdDecompressor().decompressobj().decompress(CAPTURE.read_bytes())
    made, at = [], 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16 : at + 16 + length]
        size = struct.unpack_from(">H", frame, 16)[0] - 20
        source, _, seq = struct.unpack_from(">HHI", frame, 34)
        payload = size - (frame[46] >> 4) * 4
        made.append((data[at : at + 16 + length], source, seq, payload, frame[47]))
        at += 16 + length
    return data[:24], made


def records(arranged: list[Packet], folder: Path) -> list[Row]:
    """What the engine makes of them."""
    file = folder / "capture.pcap"
    file.write_bytes(packets()[0] + b"".join(packet[0] for packet in arranged))
    return read(file, {"redact": False}).exchanges


def wanted(row: Row) -> str | None:
    """How the reply to this command begins; `None`: any may be it."""
    match row["operation"], row["target"], (row["request_body"] or b"").decode(errors="replace").split():
        case "GET", str(key), _:
            return key.replace("key", "value")
        case "ECHO", _, [_, text]:
            return text
        case "SET", _, _:
            return "OK" if row["status_text"] != "QUEUED" else "QUEUED"
    return None


def place(row: Row) -> tuple[int, int | None]:
    """Where its command is: the same in all captures."""
    return row["src_port"], row["request_seq"]


def is_wrong(row: Row) -> bool:
    """Whether the reply beside a command is another's."""
    said, found = wanted(row), row["response_body"]
    return said is not None and found is not None and found.decode(errors="replace").split()[:1] != [said]


def thinned(seed: int, share: float) -> tuple[list[Packet], list[Packet]]:
    """The packets that are left, and those that are lost. The first of a connection stay: how it began is known."""
    chance = random.Random(seed)
    kept: list[Packet] = []
    lost: list[Packet] = []
    for packet in packets()[1]:
        syn = packet[4] & 2
        (lost if chance.random() < share and not syn else kept).append(packet)
    return kept, lost


def whole(row: Row, lost: list[Packet]) -> bool:
    """Whether no packet of command and reply was lost."""
    spans = [
        (row["src_port"], row["request_seq"], row["request_body_bytes"]),
        (row["dst_port"], row["response_seq"], row["response_body_bytes"]),
    ]
    return not any(
        port == source and seq < start + size and start < seq + payload
        for port, start, size in spans
        for _, source, seq, payload, _ in lost
    )


@cache
def undisturbed(folder: Path) -> list[Row]:
    return records(packets()[1], folder)


def recovered(seed: int, share: float, folder: Path) -> dict[int, tuple[int, int]]:
    """Of each connection: commands that lost nothing, and how many of these came out with their reply."""
    kept, lost = thinned(seed, share)
    listed = records(kept, folder)
    assert [row for row in listed if is_wrong(row)] == []
    made = {place(row): row for row in listed if row["request_seq"] is not None}
    counted: dict[int, tuple[int, int]] = {}
    for row in undisturbed(folder.parent):
        if whole(row, [packet for packet in lost if packet[1] in (row["src_port"], row["dst_port"])]):
            out = made.get(place(row))
            right = out is not None and out["response_body"] == row["response_body"]
            all_of, good = counted.get(row["src_port"], (0, 0))
            counted[row["src_port"]] = (all_of + 1, good + right)
    return counted


def test_undisturbed(tmp_path: Path) -> None:
    made = records(packets()[1], tmp_path)
    assert [row for row in made if is_wrong(row) or row["outcome"] == "incomplete"] == []


@pytest.mark.parametrize("seed", range(8))
def test_loss(seed: int, tmp_path: Path) -> None:
    counted = recovered(seed, 0.01, tmp_path)
    windowed = list(counted)[-1]
    pairs = [pair for port, pair in counted.items() if port != windowed]
    assert sum(good for _, good in pairs) >= 0.9 * sum(all_of for all_of, _ in pairs)


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_heavy_loss(share: float, seed: int, tmp_path: Path) -> None:
    kept, _ = thinned(seed, share)
    assert [row for row in records(kept, tmp_path) if is_wrong(row)] == []


@pytest.mark.parametrize("seed", range(8))
def test_joined(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    listed = packets()[1]
    made = records(listed[chance.randrange(len(listed)) :], tmp_path)
    assert [row for row in made if is_wrong(row)] == []


def late(seed: int, share: float) -> list[Packet]:
    """Some packets twice, some up to 5 ms late."""
    chance = random.Random(seed)
    arranged: list[tuple[int, Packet]] = []
    for packet in packets()[1]:
        seconds, micros = struct.unpack_from("<II", packet[0])
        time = seconds * 10**6 + micros
        # Without its handshake, a connection is one that was joined.
        time += chance.randrange(5000) if chance.random() < share and not packet[4] & 2 else 0
        moved = struct.pack("<II", *divmod(time, 10**6)) + packet[0][8:]
        arranged += [(time, (moved, *packet[1:]))] * (2 if chance.random() < share else 1)
    return [packet for _, packet in sorted(arranged, key=lambda one: one[0])]


@pytest.mark.parametrize("seed", range(4))
def test_disorder(seed: int, tmp_path: Path) -> None:
    made = records(late(seed, 0.05), tmp_path)
    assert [row for row in made if is_wrong(row) or row["outcome"] == "incomplete"] == []
    assert {place(row) for row in made} == {place(row) for row in undisturbed(tmp_path.parent)}


@pytest.mark.parametrize("length", [1, 8, 120])
@pytest.mark.parametrize("seed", range(4))
def test_scratches_shift_nothing(seed: int, length: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    arranged: list[Packet] = []
    count = 0
    for packet in packets()[1]:
        raw, _, _, payload, _ = packet
        if payload > 0 and chance.random() < 0.01:
            size = min(length, payload)
            at = len(raw) - payload + chance.randrange(payload - size + 1)
            packet = (raw[:at] + chance.randbytes(size) + raw[at + size :], *packet[1:])
            count += 1
        arranged.append(packet)
    wrong = [row for row in records(arranged, tmp_path) if is_wrong(row)]
    # A value that was damaged may be shown as it is.
    assert count >= 5
    assert len(wrong) <= count
