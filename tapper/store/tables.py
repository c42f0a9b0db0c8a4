"""The narrow tables of a session, made from the model's schemas: what a filter compiles to and every query reads.

`exchange` (of `schema.JOINED`), `message`, `connection` and `counter` have the columns of `tapper.model.schema`, in
their order, but: `src_ip`, `dst_ip` and `dialled_ip` became `src`, `dst` and `dialled`, which are `endpoint.id`; each
row ends with `segment`, the number of the partition it is forgotten with; rows with a payload also have `offset` (of
the payload's batch in the segment file) and `row` (within that batch), both null if nothing was kept.
"""

from __future__ import annotations

import pyarrow as pa

from tapper.model import schema

LOCATION = [
    pa.field("segment", pa.int32(), nullable=False),
    pa.field("offset", pa.int64()),
    pa.field("row", pa.int32()),
]
PARTITION = LOCATION[:1]

ENDPOINT = pa.schema(
    [
        pa.field("id", pa.int32(), nullable=False),
        pa.field("ip", pa.utf8(), nullable=False),  # one IP may have several endpoints: by port, or one after another
        pa.field(
            "name", pa.utf8(), nullable=False
        ),  # the best there is: service, workload, pod, process, hint, address
        pa.field("name_source", pa.utf8(), nullable=False),  # one of identity.names.SOURCES
        pa.field("namespace", pa.utf8()),
        pa.field("service", pa.utf8()),
        pa.field("workload", pa.utf8()),
        pa.field("version", pa.utf8()),  # of the workload
        pa.field("pod", pa.utf8()),
        pa.field("container", pa.utf8()),
        pa.field("node", pa.utf8()),
        pa.field("process", pa.utf8()),
    ]
)


def _narrow(wide: pa.Schema, place: list[pa.Field]) -> pa.Schema:
    fields = []
    for field in wide:
        if field.name in ("src_ip", "dst_ip", "dialled_ip"):
            field = pa.field(field.name.removesuffix("_ip"), pa.int32(), nullable=field.nullable)
        elif field.type == schema.WORD:
            field = pa.field(field.name, pa.utf8(), nullable=field.nullable)
        fields.append(field)
    return pa.schema(fields + place)


EXCHANGE = _narrow(schema.JOINED, LOCATION)
MESSAGE = _narrow(schema.MESSAGE, LOCATION)
CONNECTION = _narrow(schema.CONNECTION, PARTITION)
COUNTER = _narrow(schema.COUNTER, PARTITION)

SHIPMENT = pa.schema(
    [
        pa.field("agent", pa.utf8(), nullable=False),
        pa.field("boot", pa.utf8(), nullable=False),  # of one start of that agent
        pa.field("seq", pa.int64(), nullable=False),  # all its shipments up to this number are in the session
    ]
)

TABLES: dict[str, pa.Schema] = {
    "exchange": EXCHANGE,
    "message": MESSAGE,
    "connection": CONNECTION,
    "counter": COUNTER,
    "endpoint": ENDPOINT,
    "shipment": SHIPMENT,
}

_SQL_TYPES = {
    pa.uuid(): "UUID",
    pa.utf8(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    schema.TIME: "TIMESTAMP_NS",
}

_HARDLY_REPEATED = {"trace_id", "span_id"}
"""Texts that DuckDB would try at length to put into a dictionary; zstd makes them as small in a third of the time.

A row of them alone is dearer to read, as 2,048 are unpacked together: not for what a list shows of each row."""


def _column(field: pa.Field) -> str:
    null = "" if field.nullable else " NOT NULL"
    compression = " USING COMPRESSION zstd" if field.name in _HARDLY_REPEATED else ""
    return f'"{field.name}" {_SQL_TYPES[field.type]}{null}{compression}'


def create_statements() -> list[str]:
    """One CREATE TABLE for each table."""
    return [f"CREATE TABLE {name} ({', '.join(map(_column, fields))})" for name, fields in TABLES.items()]
