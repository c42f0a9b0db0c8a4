"""Measures the dissectors of gRPC, WebSocket and HTTP/2: records per core-second, and what an idle connection holds."""

from __future__ import annotations

import json
import random
import shutil
import struct
import sys
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from bench import engine
from bench.grpc_capture import make as record_grpc
from bench.http1_capture import MSS, START, Client, json_body
from bench.process import FailedError, MissingError, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.report import Line

CALLS = 50_000
MESSAGES = 200_000
SOCKETS = 40
IDLE = 10_000
FEW = 100
PASSES = 5
TSHARK_PACKETS = 20_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_TABLE = bytes.fromhex("000006040000000000000100000000")
"""SETTINGS_HEADER_TABLE_SIZE = 0."""
SETTINGS_ACK = bytes.fromhex("000000040100000000")
GET = bytes.fromhex("000003010500000001828684")
NO_CONTENT = bytes.fromhex("000001010500000001" + "89")


def write(path: Path, packets: Iterable[tuple[int, bytes]]) -> Path:
    """A pcap file of nanoseconds; made once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1))
            for time, data in packets:
                file.write(struct.pack("<IIII", *divmod(time, 10**9), len(data), len(data)) + data)
        unfinished.rename(path)
    return path


def frame(payload: bytes, mask: bytes) -> bytes:
    """A text frame of WebSocket, masked if a mask is given."""
    bit = 0x80 if mask else 0
    short = len(payload) < 126
    head = bytes([0x81, bit | len(payload)]) if short else struct.pack(">BBH", 0x81, bit | 126, len(payload))
    if mask:
        wide = (mask * (len(payload) // 4 + 1))[: len(payload)]
        payload = (int.from_bytes(payload) ^ int.from_bytes(wide)).to_bytes(len(payload))
    return head + mask + payload


def websocket_packets(messages: int, sockets: int) -> Iterable[tuple[int, bytes]]:
    """Connections by turns, each with a message of its client or its server and an acknowledgement."""
    rng = random.Random(9)
    texts = [json_body(size, rng)[: MSS - 8] for size in (30, 60, 90, 120, 200, 300, 500, 900)]
    clients = [Client(number, rng) for number in range(sockets)]
    time = START
    for client in clients:
        for at, data, _ in client.open(time):
            yield at, data
        asks = f"GET /live HTTP/1.1{client.head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode()
        grants = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        yield time + 300_000, client.out.packet(client.back.seq, 24, asks, time)
        yield time + 600_000, client.back.packet(client.out.seq, 24, grants, time)
        time += 1_000_000
    for number, client in zip(range(messages), cycle(clients), strict=False):
        there, back = (client.out, client.back) if number // sockets % 2 else (client.back, client.out)
        mask = rng.randbytes(4) if there is client.out else b""
        yield time, there.packet(back.seq, 24, frame(rng.choice(texts), mask), time)
        if number % 4 == 0:
            yield time + 40_000, back.packet(there.seq, 16, b"", time)
        time += 50_000


def idle_packets(connections: int) -> Iterable[tuple[int, bytes]]:
    """Connections of HTTP/2 that had one request each, and stay open."""
    rng = random.Random(4)
    time = START
    for number in range(connections):
        client = Client(number % 4000, rng)
        client.out.ports = struct.pack(">HH", 1024 + number, 8080)
        client.back.ports = struct.pack(">HH", 8080, 1024 + number)
        for at, data, _ in client.open(time):
            yield at, data
        yield time + 300_000, client.out.packet(client.back.seq, 24, PREFACE + NO_TABLE + GET, time)
        yield time + 400_000, client.back.packet(client.out.seq, 24, NO_TABLE + SETTINGS_ACK + NO_CONTENT, time)
        yield time + 500_000, client.out.packet(client.back.seq, 24, SETTINGS_ACK, time)
        time += 600_000


def read(path: Path) -> dict[str, int]:
    """What the engine made of a file in a process of its own, and that one's peak memory."""
    made: dict[str, int] = json.loads(run([sys.executable, "-m", "bench.protocols", str(path)]).output)
    return made


def tshark_rate(path: Path, port: int) -> float:
    """Calls per core-second of tshark, on the first packets of the file."""
    fields = [
        part
        for name in ("frame.time_epoch", "ip.src", "ip.dst", "http2.headers.path", "http2.headers.status")
        for part in ("-e", name)
    ]
    fields += ["-e", "grpc.message_length"]
    command = [
        "tshark",
        "-n",
        "-r",
        str(path),
        "-c",
        str(TSHARK_PACKETS),
        "-d",
        f"tcp.port=={port},http2",
        "-T",
        "fields",
    ]
    cost = run([*command, "-Y", "http2", *fields])
    calls = sum(line.count("/shop.") for line in cost.output.splitlines())
    return calls / cost.cpu_s


def figures(data: Path, line: Line) -> None:
    """Adds all figures to the table; what can't be measured here is said there."""
    try:
        calls = record_grpc(data / f"grpc-{CALLS}.pcap", CALLS)
    except MissingError as missing:
        line("gRPC calls", f"not measured: {missing}")
    else:
        ours, found = engine.rate(calls, passes=PASSES)
        assert found == CALLS
        line("gRPC calls per core-second, engine alone", f"{ours:,.0f}", ">= 500,000", ours >= 500_000)
        if shutil.which("tshark"):
            try:
                theirs = tshark_rate(calls, 50051)
                line("  ratio to tshark -T fields", f"{ours / theirs:,.0f}", ">= 60", ours >= 60 * theirs)
            except FailedError as error:
                line("  ratio to tshark -T fields", str(error))
        packed, _ = engine.rate(calls, "--ipc", passes=PASSES)
        line("  heads and messages packed as IPC with zstd", f"{packed:,.0f}")
    sockets = write(data / f"websocket-{MESSAGES}.pcap", websocket_packets(MESSAGES, SOCKETS))
    messages, _ = engine.rate(sockets, of="messages", passes=PASSES)
    line("WebSocket messages per core-second, engine alone", f"{messages:,.0f}", ">= 1,000,000", messages >= 1_000_000)
    peaks = []
    for connections in (FEW, IDLE):
        idle = write(data / f"http2-idle-{connections}.pcap", idle_packets(connections))
        made = read(idle)
        assert made["exchanges"] == connections
        peaks.append(made["peak_kb"])
    held = (peaks[1] - peaks[0]) / (IDLE - FEW)
    line("kB per idle HTTP/2 connection", f"{held:.1f}", "< 16", held < 16)


def main(path: str) -> None:
    """Reads a file into Arrow batches that nobody keeps, and prints how many exchanges and the peak of memory."""
    from agent._engine import FileReader

    exchanges = sum(len(batch.exchanges or ()) for batch in FileReader([path]))
    # Not getrusage's peak: that begins with what the process that started this one held.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    json.dump({"exchanges": exchanges, "peak_kb": int(status["VmHWM"].split()[0])}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
