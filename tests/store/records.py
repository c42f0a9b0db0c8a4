"""Batches as the engine gives them, from a few words: `exchanges([{...}, ...])`; what is left out is as usual."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tapper.model import schema

T0 = 1_750_000_000_000_000_000
SECOND = 1_000_000_000
MS = 1_000_000

USUAL: dict[str, dict[str, Any]] = {
    "exchange": {
        "revision": 0,
        "time": T0,
        "protocol": "http",
        "outcome": "ok",
        "src_ip": "10.0.0.1",
        "src_port": 40000,
        "dst_ip": "10.0.0.2",
        "dst_port": 8080,
        "connection": 1,
        "notes": 0,
    },
    "message": {"time": T0, "direction": "received", "kind": "event", "bytes": 10, "connection": 1, "notes": 0},
    "connection": {
        "revision": 0,
        "time": T0,
        "last_time": T0 + SECOND,
        "transport": "tcp",
        "src_ip": "10.0.0.1",
        "src_port": 40000,
        "dst_ip": "10.0.0.2",
        "dst_port": 8080,
        "protocol": "http",
        "state": "closed",
        "bytes_sent": 100,
        "bytes_received": 200,
        "packets_sent": 3,
        "packets_received": 3,
        "retransmits": 0,
        "gaps": 0,
        "gap_bytes": 0,
        "exchanges": 1,
        "notes": 0,
    },
    "counter": {"time": T0},
    "payload": {},
    "message_payload": {},
}


def exchange_id(number: int, time: int = T0) -> uuid.UUID:
    """A UUIDv7 of that time."""
    return uuid.UUID(int=(time // MS) << 80 | 7 << 76 | 2 << 62 | number)


def batch(kind: str, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """A batch of `tapper.model.schema.SCHEMAS[kind]`."""
    columns = []
    for field in schema.SCHEMAS[kind]:
        values = [row.get(field.name, USUAL[kind].get(field.name)) for row in rows]
        if field.type == pa.uuid():
            values = [v if v is None or isinstance(v, bytes) else uuid.UUID(str(v)).bytes for v in values]
            columns.append(pa.ExtensionArray.from_storage(field.type, pa.array(values, pa.binary(16))))
        elif field.type == schema.WORD:
            columns.append(pa.array(values, pa.utf8()).dictionary_encode())
        else:
            columns.append(pa.array(values, field.type))
    return pa.record_batch(columns, schema=schema.SCHEMAS[kind])


def exchanges(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Exchanges; an id that is a number becomes a UUIDv7 of the row's time."""
    named = []
    for number, row in enumerate(rows):
        given = row.get("id", number)
        made = exchange_id(given, row.get("time", T0)) if isinstance(given, int) else given
        named.append({**row, "id": made})
    return batch("exchange", named)


def message_bytes(made: pa.RecordBatch, compression: str | None = "lz4") -> bytes:
    """The encapsulated IPC message of a batch alone, as the engine gives it."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, made.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as stream:
        stream.write_batch(made)
    return sink.getvalue()[len(made.schema.serialize()) : -8]


SCHEMA_MESSAGES = {
    "payload": schema.PAYLOAD.serialize().to_pybytes(),
    "message": schema.MESSAGE_PAYLOAD.serialize().to_pybytes(),
}


def payloads(ids: pa.Array, rows: list[dict[str, Any]]) -> bytes:
    """Payloads of the exchanges of these ids; headers may be given as a list of pairs."""
    named = []
    for exchange, row in zip(ids.to_pylist(), rows, strict=True):
        named.append({"id": exchange, **{k: _headers(v) if "ers" in k and v else v for k, v in row.items()}})
    return message_bytes(batch("payload", named))


def _headers(pairs: list[tuple[str | None, str | None]]) -> list[dict[str, str | None]]:
    return [{"name": name, "value": value} for name, value in pairs]


def many(count: int, start: int = 0, hosts: int = 40, seed: int = 1) -> pa.RecordBatch:
    """`count` exchanges of a plausible mix, 50 us apart, made fast."""
    rng = np.random.default_rng(seed + start)
    times = T0 + np.arange(start, start + count, dtype=np.int64) * 50_000
    latency = (rng.lognormal(1, 1, count) * MS).astype(np.int64)
    src = rng.integers(0, hosts, count)
    status = rng.choice(np.array([200, 200, 200, 200, 404, 500], np.int32), count)
    ips = pa.array([f"10.0.{i // 250}.{i % 250 + 1}" for i in range(hosts)])
    word = lambda values, at: pa.DictionaryArray.from_arrays(pa.array(at.astype(np.int32)), pa.array(values))  # noqa: E731
    given: dict[str, Any] = {
        "id": _ids(times, start),
        "revision": np.zeros(count, np.uint16),
        "time": pa.array(times, schema.TIME),
        "protocol": word(["http", "dns"], (rng.random(count) < 0.1)),
        "version": word(["1.1"], np.zeros(count)),
        "operation": pa.array(["GET", "POST"]).take(pa.array(rng.integers(0, 2, count))),
        "target": pa.array(np.char.add("/orders/item/", rng.integers(0, 5000, count).astype(str)).tolist()),
        "authority": pa.array(["orders.shop:80"]).take(pa.array(np.zeros(count, np.int32))),
        "status": status,
        "outcome": word(["ok", "client_error", "server_error"], (status >= 400) * 1 + (status >= 500) * 1),
        "send_ns": latency // 10,
        "wait_ns": latency // 2,
        "receive_ns": latency // 10,
        "latency_ns": latency,
        "src_ip": pa.DictionaryArray.from_arrays(pa.array(src.astype(np.int32)), ips),
        "src_port": rng.integers(30000, 60000, count).astype(np.uint16),
        "dst_ip": pa.DictionaryArray.from_arrays(
            pa.array(((src + 1 + rng.integers(0, 4, count)) % hosts).astype(np.int32)), ips
        ),
        "dst_port": np.full(count, 8080, np.uint16),
        "request_head_bytes": np.full(count, 300, np.uint32),
        "request_body_bytes": np.zeros(count, np.uint64),
        "response_head_bytes": np.full(count, 200, np.uint32),
        "response_body_bytes": rng.integers(100, 5000, count).astype(np.uint64),
        "response_content_type": pa.array(["application/json"]).take(pa.array(np.zeros(count, np.int32))),
        "connection": rng.integers(0, 200, count).astype(np.uint64),
        "request_seq": rng.integers(0, 2**32, count).astype(np.uint32),
        "response_seq": rng.integers(0, 2**32, count).astype(np.uint32),
        "notes": np.full(count, 16, np.uint32),
    }
    columns = [given.get(f.name, pa.nulls(count, f.type)) for f in schema.EXCHANGE]
    return pa.record_batch(columns, schema=schema.EXCHANGE)


def _ids(times: np.ndarray, start: int) -> pa.Array:
    ids = np.zeros((len(times), 16), np.uint8)
    ids[:, :8] = (times // MS).astype(">u8").view(np.uint8).reshape(-1, 8)[:, [2, 3, 4, 5, 6, 7, 0, 0]]
    ids[:, 6] = 0x70
    ids[:, 8:] = np.arange(start, start + len(times), dtype=">u8").view(np.uint8).reshape(-1, 8)
    ids[:, 8] = 0x80
    storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(times), [None, pa.py_buffer(ids.tobytes())])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


@dataclass(slots=True)
class EngineBatch:
    """What the engine gives at once."""

    exchanges: pa.RecordBatch | None = None
    payloads: bytes | None = None
    messages: pa.RecordBatch | None = None
    message_payloads: bytes | None = None
    connections: pa.RecordBatch | None = None
    counters: pa.RecordBatch | None = None


def engine_batch(
    rows: list[dict[str, Any]] | None = None,
    connections: list[dict[str, Any]] | None = None,
    messages: list[dict[str, Any]] | None = None,
    counters: list[dict[str, Any]] | None = None,
) -> EngineBatch:
    """One from rows that may have payload columns among their own; a message may have a `body`."""
    made = EngineBatch()
    if rows is not None:
        made.exchanges = exchanges(rows)
        payload = [{k: v for k, v in row.items() if k in schema.PAYLOAD.names and k != "id"} for row in rows]
        made.payloads = payloads(made.exchanges["id"], payload)
    if messages is not None:
        made.messages = batch("message", messages)
        made.message_payloads = message_bytes(batch("message_payload", messages))
    if connections is not None:
        made.connections = batch("connection", connections)
    if counters is not None:
        made.counters = batch("counter", counters)
    return made
