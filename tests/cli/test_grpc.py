"""`tapper read` of a real gRPC conversation: calls, streams and their messages, with the names of their fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from grpc_tools import protoc

from tests.engine.test_damage import packets, rewritten

if TYPE_CHECKING:
    from conftest import Tapper

ROOT = Path(__file__).parent.parent.parent
CAPTURE = ROOT / "tests" / "captures" / "grpc.pcap.zst"
NAMED = 'item { name: "rug" wanted: 2 token: "tok-77" } count: -3 place: SHELF reserved_by: [7, 300, 1099511627776]'


@pytest.fixture
def descriptors(tmp_path: Path) -> Path:
    file = tmp_path / "stock.binpb"
    source = ROOT / "tools" / "shop" / "stock.proto"
    assert protoc.main(["protoc", f"-I{source.parent}", f"--descriptor_set_out={file}", str(source)]) == 0
    return file


def calls(tapper: Tapper, where: str) -> list[dict[str, Any]]:
    ran = tapper("read", CAPTURE, "-q", "-o", "jsonl", "-f", where)
    return [json.loads(line) for line in ran.out.splitlines()]


def test_list(tapper: Tapper) -> None:
    ran = tapper("read", CAPTURE)
    assert ran.code == 0
    _, *rows = ran.out.splitlines()
    assert len(rows) == 16
    for status in ("OK", "NOT_FOUND !", "UNKNOWN ✗", "RESOURCE_EXHAUSTED ✗", "UNIMPLEMENTED ✗", "reset ↯", "⌛"):
        assert any(status in row for row in rows), status


def test_errors(tapper: Tapper) -> None:
    words = [call["error"] for call in calls(tapper, 'path == "/shop.Stock/Get" && status == 5')]
    assert words == ["no item “none”: 100 % gone"]


def test_a_stream_by_reflection(tapper: Tapper) -> None:
    stream = calls(tapper, 'path == "/shop.Stock/Watch"')[0]
    assert (stream["messages_sent"], stream["messages_received"]) == (1, 5)
    shown = tapper("read", CAPTURE, "-q", "--show", stream["id"]).out
    assert "Messages  (1 sent, 5 received)" in shown
    assert 'name: "rug" wanted: 5' in shown
    assert shown.count(NAMED) == 5


def test_a_call_by_descriptors(tapper: Tapper, descriptors: Path) -> None:
    call = calls(tapper, 'path == "/shop.Stock/Get"')[1]
    shown = tapper("read", CAPTURE, "-q", "--proto", descriptors, "--show", call["id"]).out
    assert "SHELF" in shown
    assert "tok-77" not in shown, "a string field whose name tells of a secret"
    assert "tok-1" not in shown
    assert "s3cret-token" not in shown


def test_a_compressed_call(tapper: Tapper) -> None:
    call = calls(tapper, 'path == "/shop.Stock/Get" && status == 0')[-1]
    shown = tapper("read", CAPTURE, "-q", "--full", "--show", call["id"]).out
    assert shown.count("z") >= 5000


def test_har(tapper: Tapper) -> None:
    har = json.loads(tapper("read", CAPTURE, "-q", "-o", "har").out)
    streams = [entry for entry in har["log"]["entries"] if entry["request"]["url"].endswith("/Follow")]
    assert [len(entry["_messages"]) for entry in streams] == [12]
    assert {message["direction"] for message in streams[0]["_messages"]} == {"sent", "received"}
    trailers = {(one["name"], one["value"]) for one in streams[0]["response"]["_trailers"]}
    assert ("grpc-status", "0") in trailers


def test_map(tapper: Tapper) -> None:
    found = json.loads(tapper("read", CAPTURE, "-q", "--map", "json").out)
    edges = found.get("edges") or found["links"]
    assert [(edge["protocol"], edge["calls"], edge["streams"]) for edge in edges] == [("grpc", 9, 7)]


def test_calls_that_repeat_fields_from_before_the_capture_are_told_to_be_half_known(
    tapper: Tapper, tmp_path: Path
) -> None:
    capture = zstandard.decompress(CAPTURE.read_bytes(), max_output_size=1 << 26)
    begun = tmp_path / "begun.pcap"
    begun.write_bytes(rewritten(capture, packets(capture)[34:]))
    ran = tapper("read", begun, "-o", "jsonl")
    lines = map(json.loads, ran.out.splitlines())
    call = next(c for c in lines if c.get("error") == "its gRPC status repeats an earlier one that was not captured")
    assert call["outcome"] == "incomplete"
    assert "HTTP/2 heads and trailers refer to fields sent before the capture began (or lost): paths" in ran.err
    shown = tapper("read", begun, "-q", "--show", call["id"]).out
    assert "status not known" in shown
    assert "no answer" not in shown
