"""Segment files: readable streams, single batches, only the columns asked for, and damage."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.store.errors import DamagedError
from tapper.store.segments import SegmentReader, SegmentWriter, segment_path
from tests.store.records import SCHEMA_MESSAGES, batch, exchange_id, message_bytes


def payload(first: int, count: int, size: int = 100, compression: str | None = "lz4") -> bytes:
    rows = [
        {"id": exchange_id(n), "response_body": os.urandom(size), "response_headers": [{"name": "n", "value": str(n)}]}
        for n in range(first, first + count)
    ]
    return message_bytes(batch("payload", rows), compression)


def written(directory: Path, messages: list[bytes]) -> list[int]:
    segment = SegmentWriter(segment_path(directory, "payload", 1), SCHEMA_MESSAGES["payload"])
    offsets = [segment.append(message) for message in messages]
    segment.close()
    return offsets


@pytest.fixture
def reader(tmp_path: Path) -> SegmentReader:
    return SegmentReader(tmp_path, "payload")


def numbers(read: pa.RecordBatch) -> list[int]:
    return [int(headers[0]["value"]) for headers in read["response_headers"].to_pylist()]


@pytest.mark.parametrize("compression", ["lz4", "zstd", None])
def test_a_segment_is_an_arrow_stream_and_each_batch_is_read_alone(
    tmp_path: Path, reader: SegmentReader, compression: str | None
) -> None:
    offsets = written(tmp_path, [payload(n * 10, 10, compression=compression) for n in range(3)])
    with pa.ipc.open_stream(segment_path(tmp_path, "payload", 1)) as stream:
        assert [numbers(b) for b in stream] == [list(range(n, n + 10)) for n in (0, 10, 20)]
    for n in (2, 0, 1):
        assert numbers(reader.batch(1, offsets[n], ["response_headers"])) == list(range(n * 10, n * 10 + 10))


def test_only_the_columns_asked_for_are_decompressed(tmp_path: Path, reader: SegmentReader) -> None:
    [offset] = written(
        tmp_path,
        [
            message_bytes(
                batch(
                    "payload",
                    [
                        {
                            "id": exchange_id(n),
                            "response_body": bytes(60_000),
                            "request_headers": [{"name": "a", "value": "b"}],
                        }
                        for n in range(500)
                    ],
                )
            )
        ],
    )
    before = pa.total_allocated_bytes()
    headers = reader.batch(1, offset, ["request_headers"])
    assert headers.schema.names == ["request_headers"]
    assert pa.total_allocated_bytes() - before < 1 << 20
    bodies = reader.batch(1, offset, ["response_body", "id"])
    assert bodies.schema.names == ["response_body", "id"]
    assert bodies["response_body"].nbytes > 30_000_000


def test_the_rows_of_a_table_in_any_order(tmp_path: Path, reader: SegmentReader) -> None:
    offsets = written(tmp_path, [payload(n * 10, 10) for n in range(3)])
    wanted = [25, 3, 14, 20, 0, 19, 3]
    table = pa.table(
        {
            "segment": pa.array([1] * len(wanted), pa.int32()),
            "offset": pa.array([offsets[n // 10] for n in wanted], pa.int64()),
            "row": pa.array([n % 10 for n in wanted], pa.int32()),
        }
    )
    found: dict[int, int] = {}
    for rows, part in reader.rows(table, ["response_headers"]):
        found |= dict(zip(rows.tolist(), numbers(part), strict=True))
    assert [found[n] for n in range(len(wanted))] == wanted


def test_no_file_stays_open(tmp_path: Path, reader: SegmentReader) -> None:
    [offset] = written(tmp_path, [payload(0, 1)])
    before = len(list(Path("/proc/self/fd").iterdir()))
    batches = [reader.batch(1, offset, ["id"]) for _ in range(5)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(batches) == 5


def test_what_is_not_there_is_told(tmp_path: Path, reader: SegmentReader) -> None:
    [offset] = written(tmp_path, [payload(0, 10)])
    path = segment_path(tmp_path, "payload", 1)
    with pytest.raises(DamagedError, match=r"000002\.seg"):
        reader.batch(2, 0, ["id"])
    with pytest.raises(DamagedError, match=f"byte {offset + 8}"):
        reader.batch(1, offset + 8, ["id"])
    with pytest.raises(DamagedError):
        reader.batch(1, 10**12, ["id"])
    place = {"segment": [1], "offset": [offset], "row": [10]}
    with pytest.raises(DamagedError, match="out of bounds"):
        list(reader.rows(pa.table(place), ["id"]))
    path.write_bytes(b"")
    with pytest.raises(DamagedError):
        reader.batch(1, offset, ["id"])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_is_told_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("s")
    [offset] = written(directory, [payload(0, 3, 10)])
    path = segment_path(directory, "payload", 1)
    spoiled = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(spoiled[: data.draw(st.integers(0, len(spoiled)))])
    reader = SegmentReader(directory, "payload")
    try:
        reader.batch(1, offset, ["id", "response_headers", "response_body"]).to_pylist()
    except DamagedError as error:
        assert str(path) in str(error)  # noqa: PT017
