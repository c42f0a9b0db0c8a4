"""An edge of the service map: who called whom over which protocol, with the figures of those calls."""

from __future__ import annotations

import pyarrow as pa

from tapper.model.schema import TIME

LEVELS = ("service", "workload", "version", "pod", "address")
"""What a node of the map stands for."""

NODE = pa.schema(
    [
        pa.field("node", pa.int32(), nullable=False),  # number of the node within one map
        pa.field("name", pa.utf8(), nullable=False),  # shown; unique within one map together with namespace
        pa.field("namespace", pa.utf8()),
        pa.field("kind", pa.utf8(), nullable=False),  # service, workload, pod, process, external, address
        pa.field("addresses", pa.list_(pa.utf8()), nullable=False),  # at most 16 of them
        pa.field("name_source", pa.utf8(), nullable=False),  # one of identity.names.SOURCES
    ]
)

EDGE = pa.schema(
    [
        pa.field("src", pa.int32(), nullable=False),  # NODE.node
        pa.field("dst", pa.int32(), nullable=False),
        pa.field("protocol", pa.utf8(), nullable=False),  # of exchanges; of connections without any: theirs
        pa.field("calls", pa.int64(), nullable=False),  # exchanges, streams not counted
        pa.field("rate", pa.float64(), nullable=False),  # calls per second of the time looked at
        pa.field("errors", pa.int64(), nullable=False),  # calls whose outcome is in words.FAILED
        pa.field("client_errors", pa.int64(), nullable=False),
        pa.field("p50_ns", pa.int64()),  # of the calls that have a latency; null: none has
        pa.field("p95_ns", pa.int64()),
        pa.field("p99_ns", pa.int64()),
        pa.field("max_ns", pa.int64()),
        pa.field("bytes_sent", pa.int64(), nullable=False),  # heads and bodies
        pa.field("bytes_received", pa.int64(), nullable=False),
        pa.field("streams", pa.int64(), nullable=False),  # exchanges that are streams
        pa.field("open_streams", pa.int64(), nullable=False),
        pa.field("stream_messages", pa.int64(), nullable=False),
        pa.field("connections", pa.int64(), nullable=False),
        pa.field("refused", pa.int64(), nullable=False),  # connections by their state
        pa.field("unanswered", pa.int64(), nullable=False),
        pa.field("reset", pa.int64(), nullable=False),
        pa.field("first", TIME, nullable=False),
        pa.field("last", TIME, nullable=False),
    ]
)
