"""A small world to ask filters about: records in real tables, and what a filter means written down a second time.

`evaluate` is the language's meaning in plain Python over one record: any of the values of a field may fulfil a
comparison, absent values fulfil none, `!` is the complement.
"""

from __future__ import annotations

import operator
import random
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.filter.tree import And, Compare, Const, Flag, Has, Literal, Match, Not, Noted, OneOf, Or, Ref, Size
from tapper.model import schema, words

if TYPE_CHECKING:
    import duckdb

    from tapper.filter.tree import Node, Operand

START = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()) * 10**9
WORDS = ("orders", "web", "a", "", "Ünïcode", "a?b=c?d", "/orders/17?full=1", "GET", 'q"uote\\', "x\ny", "100%", "_")
BODIES = (*(word.encode() for word in WORDS), b"\xff", b"\xc3a\xffb", b"\x00GET\x00")
NUMBERS = (-5, 0, 1, 7, 80, 200, 404, 500, 503, 70_000, 2**40)
DURATIONS = (0, 1, 999, 1_500_000, 200_000_000, 10**9, 5_400 * 10**9)
PROTOCOLS = ("http", "dns", "grpc")
HEADERS = ("x-a", "X-A", "Host", "content-type")
ENDS = ("ip", "name", "service", "workload", "version", "pod", "container", "namespace", "node", "process")

_SQL_TYPES = {
    pa.uuid(): "UUID",
    pa.utf8(): "VARCHAR",
    schema.WORD: "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.binary(): "BLOB",
    pa.list_(pa.int32()): "INTEGER[]",
    schema.TIME: "TIMESTAMP_NS",
    schema.HEADERS: "STRUCT(name VARCHAR, value VARCHAR)[]",
}


def create_tables(db: duckdb.DuckDBPyConnection) -> None:
    """`exchange`, `connection`, `payload`, `endpoint` as a store keeps them."""
    for name, table in (("exchange", schema.JOINED), ("connection", schema.CONNECTION), ("payload", schema.PAYLOAD)):
        columns = ", ".join(
            f"{f.name.removesuffix('_ip')} INTEGER"
            if f.name in ("src_ip", "dst_ip", "dialled_ip")
            else f"{f.name} {_SQL_TYPES[f.type]}"
            for f in table
        )
        db.execute(f"CREATE TABLE {name} ({columns})")
    db.execute(f"CREATE TABLE endpoint (id INTEGER NOT NULL, {', '.join(f'{c} VARCHAR' for c in ENDS)})")


def make_records(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Records with every kind of value and, of what may be absent, many absences."""
    chance = random.Random(seed)

    def maybe(values: tuple[Any, ...]) -> Any:
        return None if chance.random() < 0.25 else chance.choice(values)

    def some_headers() -> list[tuple[str | None, str | None]] | None:
        if chance.random() < 0.2:
            return None
        return [(maybe(HEADERS), maybe(WORDS)) for _ in range(chance.randrange(4))]

    ends = [
        {"id": number, "ip": f"10.0.0.{number}", "name": chance.choice(WORDS)} | {c: maybe(WORDS) for c in ENDS[2:]}
        for number in range(8)
    ]
    positive = tuple(n for n in NUMBERS if n >= 0)
    small = tuple(n for n in positive if n < 2**31)
    records = []
    for number in range(count):
        record: dict[str, Any] = {
            "id": str(uuid.UUID(int=(0x0198 << 112) + number)),
            "time": START + chance.choice((-1, 0, 1, 10**9)),
            "protocol": chance.choice(PROTOCOLS),
            "outcome": chance.choice(tuple(words.OUTCOMES)),
            "status": maybe(tuple(n for n in NUMBERS if n < 2**31)),
            "view": maybe(words.VIEWS),
            "connection": chance.choice((*positive, 2**64 - 1)),
            "stream": maybe((*positive, 2**64 - 1)),
            "notes": chance.choice((0, 2, 128, 130, 2**16 + 1)),
            "src": chance.choice(ends),
            "dst": chance.choice(ends),
            "src_port": chance.choice((80, 443)),
            "dst_port": chance.choice((80, 8080)),
            "dialled": maybe(tuple(ends)),
            "dialled_port": maybe((80, 443)),
        }
        for name in ("version", "operation", "target", "authority", "status_text", "error", "trace_id", "span_id"):
            record[name] = maybe(WORDS)
        for name in ("send", "wait", "receive", "latency", "server_latency", "server_wait"):
            record[f"{name}_ns"] = maybe(DURATIONS)
        for side in ("request", "response"):
            record[f"{side}_head_bytes"] = maybe(small)
            record[f"{side}_body_bytes"] = maybe((*positive, 2**64 - 1))
            record[f"{side}_content_type"] = maybe(WORDS)
            record[f"{side}_headers"], record[f"{side}_trailers"] = some_headers(), some_headers()
            record[f"{side}_body"] = maybe(BODIES)
        for name in ("messages_sent", "messages_received"):
            record[name] = maybe(small)
        records.append(record)
    return records


def insert(db: duckdb.DuckDBPyConnection, records: list[dict[str, Any]]) -> None:
    """Put the records into the tables; a record with no payload value has no payload row."""

    def put(table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("make_timestamp_ns(?)" if name == "time" else "?" for name in row)
        db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    for end in {r[side]["id"]: r[side] for r in records for side in ("src", "dst", "dialled") if r[side]}.values():
        put("endpoint", end)
    in_payload = {f.name for f in schema.PAYLOAD} - {"id"}
    for record in records:
        row = {name: value for name, value in record.items() if name not in in_payload}
        dialled = record["dialled"] and record["dialled"]["id"]
        put(
            "exchange",
            row | {"src": record["src"]["id"], "dst": record["dst"]["id"], "dialled": dialled, "revision": 0},
        )
        payload = {name: record[name] for name in record if name in in_payload and record[name] is not None}
        for name, value in payload.items():
            if isinstance(value, list):
                payload[name] = [{"name": n, "value": v} for n, v in value]
        if payload:
            put("payload", {"id": record["id"], **payload})


# the meaning, a second time

_COMPARE = {"==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def evaluate(node: Node, record: dict[str, Any]) -> bool:
    """Whether the record fulfils the condition."""
    match node:
        case Const(value):
            return value
        case And(terms):
            return all(evaluate(term, record) for term in terms)
        case Or(terms):
            return any(evaluate(term, record) for term in terms)
        case Not(term):
            return not evaluate(term, record)
        case Flag(ref):
            return any(_known(ref, record))
        case Has(Ref(name, str(key))):
            return any(n is not None and n.lower() == key for n, _ in record[name.replace(".", "_")] or ())
        case Has(ref):
            return bool(_known(ref, record))
        case Noted(note):
            return bool(record["notes"] & words.NOTES[note][0])
        case Compare(sign, left, right):
            return any(_COMPARE[sign](a, b) for a in _known(left, record) for b in _known(right, record))
        case OneOf(left, values):
            return any(a == value.value for a in _known(left, record) for value in values)
        case Match(function, subject, argument):
            return any(_match(function, a, b) for a in _known(subject, record) for b in _known(argument, record))
    raise AssertionError(node)


def _match(function: str, text: str, argument: str) -> bool:
    match function:
        case "contains":
            return argument in text
        case "startsWith":
            return text.startswith(argument)
        case "endsWith":
            return text.endswith(argument)
        case _:
            return re.search(argument, text) is not None


def _known(operand: Operand, record: dict[str, Any]) -> list[Any]:
    match operand:
        case Literal(value, _):
            return [value]
        case Size(Ref("notes")):
            return [record["notes"].bit_count()]
        case Size(Ref("request.body" | "response.body" as name)):
            body = record[name.replace(".", "_")]
            return [] if body is None else [len(body)]
        case Size(ref):
            return [len(text) for text in _known(ref, record)]
        case Ref(name, str(key)):
            headers = record[name.replace(".", "_")] or ()
            return [v for n, v in headers if n is not None and n.lower() == key and v is not None]
        case Ref(name):
            return [value for value in _field(name, record) if value is not None]


def _field(name: str, record: dict[str, Any]) -> list[Any]:
    end, _, part = name.partition(".")
    if end in ("src", "dst", "dialled"):
        if part == "port" or record[end] is None:
            return [record[f"{end}_port"]] if part == "port" else []
        return [record[end][part]]
    if name in (*ENDS, "port") and name != "version":
        return _field(f"src.{name}", record) + _field(f"dst.{name}", record)
    target = record["target"]
    match name:
        case "path":
            return [target and target.partition("?")[0]]
        case "query":
            return [target.partition("?")[2]] if target and "?" in target else []
        case "failed":
            return [record["outcome"] in ("server_error", "timeout", "reset", "refused")]
        case "streaming":
            return [bool(record["notes"] & 128)]
        case "size":
            return _total(record, "request_head", "request_body", "response_head", "response_body")
        case "request.bytes" | "response.bytes":
            return _total(record, f"{end}_head", f"{end}_body")
        case "request.body" | "response.body":
            body = record[name.replace(".", "_")]
            return [None if body is None else body.decode("utf-8", "ignore")]
        case "latency" | "send" | "wait" | "receive" | "server.latency" | "server.wait":
            return [record[f"{name.replace('.', '_')}_ns"]]
        case _:
            return [record[name.replace(".", "_")]]


def _total(record: dict[str, Any], *names: str) -> list[int]:
    known = [record[f"{name}_bytes"] for name in names if record[f"{name}_bytes"] is not None]
    return [sum(known)] if known else []
