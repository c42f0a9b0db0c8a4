"""Recordings as one pcapng with names and comments: as scapy reads it, and as the engine does."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from scapy.utils import RawPcapNgReader

from agent import _engine

CAPTURE = str(Path(__file__).parent.parent / "captures" / "nginx.pcap.zst")


def rows(path: str) -> list[dict[str, object]]:
    """Exchanges with the columns that tell them apart."""
    columns = ["target", "status", "src_ip", "src_port", "dst_ip", "dst_port"]
    found: list[dict[str, object]] = []
    for batch in _engine.FileReader([path]):
        if batch.exchanges is not None:
            table = pa.table(pa.record_batch(batch.exchanges))
            times = table.column("time").cast(pa.int64())
            found += table.select(columns).append_column("time", times).to_pylist()
    return found


@pytest.fixture
def recordings(tmp_path: Path) -> list[str]:
    """Two, each with the packets of another connection."""
    ends = {((r["src_ip"], r["src_port"]), (r["dst_ip"], r["dst_port"])) for r in rows(CAPTURE)}
    files = []
    for number, of_one in enumerate(sorted(ends)[:2]):
        pcapng, _, _ = _engine.packets([CAPTURE], ends=of_one, start=0, end=1 << 62)  # type: ignore[arg-type]
        files.append(tmp_path / f"{number}.pcapng")
        files[-1].write_bytes(pcapng)
    return [str(file) for file in files]


def test_packets_stay_and_comments_are_where_they_belong(recordings: list[str], tmp_path: Path) -> None:
    before = [row for file in recordings for row in rows(file)]
    assert len(before) > 1
    comments = [(int(str(row["time"])), f"{row['target']} é") for row in before]
    to = tmp_path / "whole.pcapng"
    packets, commented = _engine.annotate(
        recordings, str(to), comment="of a test", names=[("10.0.0.1", "one"), ("fd00::1", "two")], comments=comments
    )
    assert rows(str(to)) == before
    assert commented == len({time for time, _ in comments})
    assert to.stat().st_mode & 0o777 == 0o600
    data = to.read_bytes()
    assert data.count(b"one\0") == data.count(b"two\0") == data.count(b"of a test") == 2
    with RawPcapNgReader(str(to)) as reader:
        read = [b"; ".join(meta.comments or ()) for _, meta in reader]
    assert len(read) == packets
    said = [comment for comment in read if comment]
    assert {text.encode() for _, text in comments} == {part for text in said for part in text.split(b"; ")}


def test_nothing_to_say_changes_nothing(recordings: list[str], tmp_path: Path) -> None:
    assert _engine.annotate(recordings[:1], str(tmp_path / "same"))[1] == 0
    assert (tmp_path / "same").read_bytes() == Path(recordings[0]).read_bytes()


def test_a_recording_that_is_cut_serves_up_to_there(recordings: list[str], tmp_path: Path) -> None:
    whole, _ = _engine.annotate(recordings[:1], str(tmp_path / "x"))
    data = Path(recordings[0]).read_bytes()
    for cut in range(len(data) - 200, len(data)):
        (tmp_path / "cut").write_bytes(data[:cut])
        assert _engine.annotate([str(tmp_path / "cut")], str(tmp_path / "x"))[0] in (whole - 2, whole - 1)


@pytest.mark.parametrize("spoilt", [b"\x01\x02\x03\x04\xff\xff\xff\xff", b"\0" * 8])
def test_what_is_no_recording_is_told(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "no").write_bytes(spoilt)
    with pytest.raises(OSError, match="impossible length"):
        _engine.annotate([str(tmp_path / "no")], str(tmp_path / "x"))
    with pytest.raises(ValueError, match="no IP address"):
        _engine.annotate([], str(tmp_path / "x"), names=[("here", "x")])
