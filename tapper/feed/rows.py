"""Schemas of the tables that a feed gives for lists: the model's narrow columns with both ends' names beside them."""

from __future__ import annotations

import pyarrow as pa

from tapper.model import schema
from tapper.model.schema import NAME_FIELDS


def _row(wide: pa.Schema) -> pa.Schema:
    fields = [pa.field(f.name, pa.utf8() if f.type == schema.WORD else f.type, nullable=f.nullable) for f in wide]
    for end in ("src", "dst"):
        fields += [
            pa.field(f"{end}_{name}", pa.utf8(), nullable=not name.startswith("name_") and name != "name")
            for name in NAME_FIELDS
        ]
    return pa.schema(fields)


EXCHANGE_ROW = pa.schema([*_row(schema.JOINED), pa.field("dialled_name", pa.utf8())])
CONNECTION_ROW = _row(schema.CONNECTION)
PAYLOAD_ROW = pa.schema([f for f in schema.PAYLOAD if f.name != "id"])

TIMELINE = pa.schema(
    [
        pa.field("src", pa.int32(), nullable=False),  # numbers of nodes as in the map of the same level
        pa.field("dst", pa.int32(), nullable=False),
        pa.field("protocol", pa.utf8(), nullable=False),
        pa.field("bucket", pa.int32(), nullable=False),  # 0 ... buckets - 1; those without a call are left out
        pa.field("time", schema.TIME, nullable=False),  # its start
        pa.field("calls", pa.int64(), nullable=False),
        pa.field("errors", pa.int64(), nullable=False),
        pa.field("p95_ns", pa.int64()),
    ]
)
TIMELINE_SUMS = pa.schema([TIMELINE.field(name) for name in ("bucket", "time", "calls", "errors")])
