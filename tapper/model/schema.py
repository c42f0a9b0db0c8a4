"""What a record is: the Arrow schemas that the engine fills, the store keeps and every front end reads.

The engine's columns (`agent._engine.schemas()`) are checked against these by a test. An exchange and its payload are
rows of the same number in two batches that belong together; so are a message and its payload. Narrow rows are what
lists, filters and percentiles read; payloads hold heads and bodies and are read for few rows at a time.

Times are nanoseconds since the Unix epoch, UTC. Durations are nanoseconds. Sizes are bytes.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 2
"""Counts the changes to these schemas; a session or an agent of another version is refused."""

TIME = pa.timestamp("ns")
WORD = pa.dictionary(pa.int32(), pa.utf8())
"""Text of few different values."""
NAME_FIELDS = (
    "name",
    "name_source",
    "namespace",
    "service",
    "workload",
    "version",
    "pod",
    "container",
    "node",
    "process",
)
"""What is known of an end; `name` and `name_source` always are."""
HEADERS = pa.list_(pa.struct([pa.field("name", pa.utf8()), pa.field("value", pa.utf8())]))
"""In the order as sent; a name or value that could not be known (an HPACK entry never seen) is null."""

EXCHANGE = pa.schema(
    [
        pa.field("id", pa.uuid(), nullable=False),  # UUIDv7 (RFC 9562 section 5.7): sorts by time
        pa.field("revision", pa.uint16(), nullable=False),  # a higher one replaces the rows of the same id
        pa.field("time", TIME, nullable=False),  # first byte of the request (of the response, if none was seen)
        pa.field("protocol", WORD, nullable=False),
        pa.field("version", WORD),
        pa.field("operation", pa.utf8()),  # method, RPC name, SQL verb, command, query type
        pa.field("target", pa.utf8()),  # path with query, key, queue, query text, name asked for
        pa.field("authority", pa.utf8()),  # host that the client named
        pa.field("status", pa.int32()),  # the protocol's code
        pa.field("status_text", pa.utf8()),  # the code's name where the protocol has one: OK, NXDOMAIN, WRONGTYPE
        pa.field("outcome", WORD, nullable=False),  # see model.words.OUTCOMES
        pa.field("error", pa.utf8()),  # in words
        pa.field("send_ns", pa.int64()),  # first to last byte of the request
        pa.field("wait_ns", pa.int64()),  # last byte of the request to first of the response
        pa.field("receive_ns", pa.int64()),  # first to last byte of the response
        pa.field("latency_ns", pa.int64()),  # first byte of the request to last of the response; streams: to first
        pa.field("src_ip", WORD, nullable=False),
        pa.field("src_port", pa.uint16(), nullable=False),
        pa.field("dst_ip", WORD, nullable=False),
        pa.field("dst_port", pa.uint16(), nullable=False),
        pa.field("view", WORD),  # client, server, both, loopback; null: not known
        pa.field("request_head_bytes", pa.uint32()),
        pa.field("request_body_bytes", pa.uint64()),  # on the wire, transfer coding removed; DNS: the message
        pa.field("request_content_bytes", pa.uint64()),  # content coding removed; null: not known
        pa.field("request_content_type", pa.utf8()),  # media type, lower case, without parameters
        pa.field("response_head_bytes", pa.uint32()),
        pa.field("response_body_bytes", pa.uint64()),
        pa.field("response_content_bytes", pa.uint64()),
        pa.field("response_content_type", pa.utf8()),
        pa.field("connection", pa.uint64(), nullable=False),
        pa.field("stream", pa.uint64()),
        pa.field("request_seq", pa.uint32()),  # absolute TCP sequence number of the request's first byte
        pa.field("response_seq", pa.uint32()),  # ... of the response's
        pa.field("trace_id", pa.utf8()),  # 32 (b3: 16 or 32) hex digits
        pa.field("span_id", pa.utf8()),  # 16 hex digits
        pa.field("messages_sent", pa.uint32()),  # by the client; null where the protocol has no messages
        pa.field("messages_received", pa.uint32()),
        pa.field("first_message", TIME),
        pa.field("last_message", TIME),
        pa.field("notes", pa.uint32(), nullable=False),  # bits, see model.words.NOTES
    ]
)

JOINED = pa.schema(
    [
        *EXCHANGE,
        pa.field("server_latency_ns", pa.int64()),  # as the server's side saw it; latency_ns then is the client's
        pa.field("server_wait_ns", pa.int64()),
        pa.field("dialled_ip", WORD),  # whom the client called (a virtual IP), where dst, who answered, is another
        pa.field("dialled_port", pa.uint16()),
    ]
)
"""An exchange as it is kept: what the views of both ends tell together; the further columns are null of one view."""

PAYLOAD = pa.schema(
    [
        pa.field("id", pa.uuid(), nullable=False),
        pa.field("request_headers", HEADERS),
        pa.field("request_trailers", HEADERS),
        pa.field("request_body", pa.binary()),  # content coding removed, cut at the limit, redacted; null: none
        pa.field("response_headers", HEADERS),
        pa.field("response_trailers", HEADERS),
        pa.field("response_body", pa.binary()),
        pa.field("response_reason", pa.utf8()),
        pa.field("interim", pa.list_(pa.int32())),  # 1xx statuses that came before the response
    ]
)

MESSAGE = pa.schema(
    [
        pa.field("exchange", pa.uuid(), nullable=False),
        pa.field("index", pa.uint32(), nullable=False),  # counts the messages of the exchange, both directions, from 0
        pa.field("time", TIME, nullable=False),  # last byte
        pa.field("direction", WORD, nullable=False),  # sent (by the client), received
        pa.field("kind", WORD, nullable=False),  # text, binary, ping, pong, close, event, message, push ...
        pa.field("name", pa.utf8()),  # SSE event type, channel
        pa.field("bytes", pa.uint64(), nullable=False),  # on the wire, without framing
        pa.field("content_bytes", pa.uint64()),  # uncompressed; null: not known
        pa.field("connection", pa.uint64(), nullable=False),
        pa.field("notes", pa.uint32(), nullable=False),
    ]
)

MESSAGE_PAYLOAD = pa.schema(
    [
        pa.field("exchange", pa.uuid(), nullable=False),
        pa.field("index", pa.uint32(), nullable=False),
        pa.field("body", pa.binary()),
    ]
)

CONNECTION = pa.schema(
    [
        pa.field("id", pa.uint64(), nullable=False),
        pa.field("revision", pa.uint16(), nullable=False),
        pa.field("time", TIME, nullable=False),  # first packet
        pa.field("last_time", TIME, nullable=False),  # last packet
        pa.field("transport", WORD, nullable=False),  # tcp, udp
        pa.field("src_ip", WORD, nullable=False),  # the client: who opened it or, unknown, who asks
        pa.field("src_port", pa.uint16(), nullable=False),
        pa.field("dst_ip", WORD, nullable=False),
        pa.field("dst_port", pa.uint16(), nullable=False),
        pa.field("view", WORD),
        pa.field("protocol", WORD, nullable=False),  # or "unknown"
        pa.field("reason", pa.utf8()),  # why unknown; what the state means
        pa.field("state", WORD, nullable=False),  # see model.words.STATES
        pa.field("handshake_ns", pa.int64()),  # SYN to SYN+ACK
        pa.field("bytes_sent", pa.uint64(), nullable=False),  # payload, by the client, retransmissions not counted
        pa.field("bytes_received", pa.uint64(), nullable=False),
        pa.field("packets_sent", pa.uint64(), nullable=False),
        pa.field("packets_received", pa.uint64(), nullable=False),
        pa.field("retransmits", pa.uint32(), nullable=False),  # segments that repeated known bytes (or a SYN)
        pa.field("gaps", pa.uint32(), nullable=False),
        pa.field("gap_bytes", pa.uint64(), nullable=False),
        pa.field("exchanges", pa.uint32(), nullable=False),
        pa.field("server_name", pa.utf8()),  # TLS SNI
        pa.field("alpn", pa.utf8()),
        pa.field("notes", pa.uint32(), nullable=False),
    ]
)

COUNTER = pa.schema(
    [
        pa.field("time", TIME, nullable=False),
        pa.field("stage", WORD, nullable=False),  # source, decode, stream, protocol, output ...
        pa.field("name", WORD, nullable=False),
        pa.field("value", pa.uint64(), nullable=False),  # since the start; the newest row of a name counts
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "exchange": EXCHANGE,
    "payload": PAYLOAD,
    "message": MESSAGE,
    "message_payload": MESSAGE_PAYLOAD,
    "connection": CONNECTION,
    "counter": COUNTER,
}
