"""The fields that a filter can ask for, as one table: name, type, where the value is, what it means, an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tapper.filter.tree import Kind
from tapper.model import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.filter.dialect import Dialect

Record = Literal["exchange", "connection"]
End = Literal["src", "dst", "dialled"]


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the narrow row."""

    sql: Callable[[Dialect], str]


@dataclass(frozen=True, slots=True)
class EndColumn:
    """A column of the endpoint at one end."""

    end: End
    column: str


@dataclass(frozen=True, slots=True)
class EitherEnd:
    """The same field of the two ends: a condition holds if it holds for one of them."""

    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Headers:
    """A payload column of headers. Names in any case; where several have one name, any of them will do."""

    column: str


@dataclass(frozen=True, slots=True)
class Body:
    """A payload column of bytes, compared as the text they decode to."""

    column: str


Source = Column | EndColumn | EitherEnd | Headers | Body


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    name: str
    kind: Kind
    source: Source
    doc: str
    example: str
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    """Known values, for completion."""
    closed: bool = False
    """Whether there can be no other values."""

    @property
    def type(self) -> str:
        """Its CEL type."""
        return self.kind.value

    def document(self) -> dict[str, object]:
        """What there is to know of it, for JSON."""
        return {
            "name": self.name,
            "aliases": list(self.aliases),
            "type": self.type,
            "meaning": self.doc,
            "example": self.example,
            "values": list(self.values),
            "closed": self.closed,
        }


def _plain(column: str) -> Column:
    return Column(lambda d: d.column(column))


def _note(name: str) -> Column:
    return Column(lambda d: d.bit("notes", words.NOTES[name][0]))


PROTOCOLS = ("http", "grpc", "websocket", "dns", "redis", "tls")

_COMMON = (
    Field("time", Kind.TIME, _plain("time"), "first byte of the request", 'time > timestamp("2026-01-31T12:00:00Z")'),
    Field(
        "protocol", Kind.TEXT, _plain("protocol"), "what is spoken, lower case", 'protocol == "http"', values=PROTOCOLS
    ),
    Field(
        "view",
        Kind.TEXT,
        _plain("view"),
        "where it was captured: at the client, the server, both",
        'view == "both"',
        values=words.VIEWS,
        closed=True,
    ),
)

_EXCHANGE = (
    Field("id", Kind.TEXT, Column(lambda d: d.id_text()), "the record's id", 'id.startsWith("0198")'),
    Field("version", Kind.TEXT, _plain("version"), "version of the protocol", 'version == "1.0"'),
    Field(
        "operation",
        Kind.TEXT,
        _plain("operation"),
        "method, RPC, command, verb, query type",
        'method == "POST"',
        aliases=("method",),
        values=("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"),
    ),
    Field(
        "target",
        Kind.TEXT,
        _plain("target"),
        "what is asked for: path with query, key, queue, name",
        'target.startsWith("/api/")',
    ),
    Field("path", Kind.TEXT, Column(lambda d: d.path("target")), "target without query", 'path == "/orders"'),
    Field("query", Kind.TEXT, Column(lambda d: d.query("target")), "what follows the first ?", 'query.contains("q=")'),
    Field(
        "authority",
        Kind.TEXT,
        _plain("authority"),
        "host that the client named, with its port",
        'host == "orders:8080"',
        aliases=("host",),
    ),
    Field("status", Kind.NUMBER, _plain("status"), "the protocol's status code", "status >= 500"),
    Field("status_text", Kind.TEXT, _plain("status_text"), "the code's name", 'status_text == "NXDOMAIN"'),
    Field(
        "outcome",
        Kind.TEXT,
        _plain("outcome"),
        "how it ended",
        'outcome == "timeout"',
        values=tuple(words.OUTCOMES),
        closed=True,
    ),
    Field("error", Kind.TEXT, _plain("error"), "what went wrong, in words", "has(error)"),
    Field(
        "failed",
        Kind.BOOL,
        Column(lambda d: d.one_of("outcome", words.FAILED)),
        f"outcome is one of {', '.join(words.FAILED)}",
        "failed",
    ),
    Field(
        "latency",
        Kind.DURATION,
        _plain("latency_ns"),
        "first byte of the request to last of the response (of a stream: to the first)",
        "latency > 200ms",
    ),
    Field("send", Kind.DURATION, _plain("send_ns"), "first to last byte of the request", "send > 10ms"),
    Field("wait", Kind.DURATION, _plain("wait_ns"), "end of the request to start of the response", "wait > 1.5s"),
    Field(
        "server.latency",
        Kind.DURATION,
        _plain("server_latency_ns"),
        "latency as the server's side saw it, where both ends were captured; the rest of latency is the network",
        "server.latency > 100ms",
    ),
    Field(
        "server.wait", Kind.DURATION, _plain("server_wait_ns"), "wait as the server's side saw it", "server.wait > 1s"
    ),
    Field("receive", Kind.DURATION, _plain("receive_ns"), "first to last byte of the response", "receive > 1s"),
    Field(
        "size",
        Kind.NUMBER,
        Column(
            lambda d: d.total("request_head_bytes", "request_body_bytes", "response_head_bytes", "response_body_bytes")
        ),
        "bytes of request and response on the wire",
        "size > 1M",
    ),
    Field(
        "request.bytes",
        Kind.NUMBER,
        Column(lambda d: d.total("request_head_bytes", "request_body_bytes")),
        "bytes of the request on the wire",
        "request.bytes > 10K",
    ),
    Field(
        "response.bytes",
        Kind.NUMBER,
        Column(lambda d: d.total("response_head_bytes", "response_body_bytes")),
        "bytes of the response on the wire",
        "response.bytes > 10K",
    ),
    Field(
        "request.content_type",
        Kind.TEXT,
        _plain("request_content_type"),
        "media type of the request, lower case",
        'request.content_type == "application/json"',
    ),
    Field(
        "response.content_type",
        Kind.TEXT,
        _plain("response_content_type"),
        "media type of the response, lower case",
        'response.content_type.startsWith("image/")',
    ),
    Field(
        "request.headers",
        Kind.HEADERS,
        Headers("request_headers"),
        "headers of the request, names in any case",
        'request.headers["user-agent"].contains("curl")',
    ),
    Field(
        "response.headers",
        Kind.HEADERS,
        Headers("response_headers"),
        "headers of the response, names in any case",
        '"retry-after" in response.headers',
    ),
    Field(
        "request.trailers",
        Kind.HEADERS,
        Headers("request_trailers"),
        "trailers of the request",
        '"digest" in request.trailers',
    ),
    Field(
        "response.trailers",
        Kind.HEADERS,
        Headers("response_trailers"),
        "trailers of the response",
        'response.trailers["grpc-status"] == "14"',
    ),
    Field(
        "request.body",
        Kind.TEXT,
        Body("request_body"),
        "body of the request as kept: decoded, cut at the limit; size() counts bytes",
        'request.body.contains("sku-17")',
    ),
    Field(
        "response.body",
        Kind.TEXT,
        Body("response_body"),
        "body of the response as kept: decoded, cut at the limit; size() counts bytes",
        'response.body.matches("(?i)out of stock")',
    ),
    Field("connection", Kind.NUMBER, _plain("connection"), "number of its connection", "connection == 17"),
    Field("stream", Kind.NUMBER, _plain("stream"), "number of its stream in the connection", "stream == 3"),
    Field(
        "trace_id",
        Kind.TEXT,
        _plain("trace_id"),
        "trace, from traceparent or b3",
        'trace_id == "0af7651916cd43dd8448eb211c80319c"',
    ),
    Field("span_id", Kind.TEXT, _plain("span_id"), "span in the trace", 'span_id == "b7ad6b7169203331"'),
    Field(
        "notes",
        Kind.NOTES,
        _plain("notes"),
        "what is special about the record",
        '"gap" in notes',
        values=tuple(words.NOTES),
        closed=True,
    ),
    Field("streaming", Kind.BOOL, _note("stream"), "it is a stream of messages", "streaming"),
    Field(
        "messages.sent", Kind.NUMBER, _plain("messages_sent"), "messages that the client sent", "messages.sent > 100"
    ),
    Field(
        "messages.received",
        Kind.NUMBER,
        _plain("messages_received"),
        "messages that the client received",
        "messages.received == 0",
    ),
)

_CONNECTION = (
    Field("connection", Kind.NUMBER, _plain("id"), "its number", "connection == 17"),
    Field(
        "transport",
        Kind.TEXT,
        _plain("transport"),
        "tcp or udp",
        'transport == "udp"',
        values=("tcp", "udp"),
        closed=True,
    ),
    Field(
        "state",
        Kind.TEXT,
        _plain("state"),
        "how it ended",
        'state == "refused"',
        values=tuple(words.STATES),
        closed=True,
    ),
    Field("reason", Kind.TEXT, _plain("reason"), "why it is not parsed; what its state means", "has(reason)"),
    Field("server_name", Kind.TEXT, _plain("server_name"), "TLS server name", 'server_name.endsWith(".example.org")'),
    Field("alpn", Kind.TEXT, _plain("alpn"), "TLS application protocol", 'alpn == "h2"'),
    Field("handshake", Kind.DURATION, _plain("handshake_ns"), "SYN to SYN+ACK", "handshake > 50ms"),
    Field("bytes.sent", Kind.NUMBER, _plain("bytes_sent"), "bytes that the client sent", "bytes.sent > 1M"),
    Field("bytes.received", Kind.NUMBER, _plain("bytes_received"), "bytes that it received", "bytes.received == 0"),
    Field("retransmits", Kind.NUMBER, _plain("retransmits"), "segments sent again", "retransmits > 10"),
    Field("gaps", Kind.NUMBER, _plain("gaps"), "pieces that the capture lost", "gaps > 0"),
    Field("exchanges", Kind.NUMBER, _plain("exchanges"), "requests seen on it", "exchanges == 0"),
    Field(
        "notes",
        Kind.NOTES,
        _plain("notes"),
        "what is special about it",
        '"partial" in notes',
        values=tuple(words.NOTES),
        closed=True,
    ),
)

_ENDS = {
    "name": ("best known name", '"orders"'),
    "ip": ("IP address", '"10.0.1.7"'),
    "service": ("service", '"orders"'),
    "workload": ("workload (deployment, job ...)", '"orders"'),
    "version": ("version of the workload", '"1.4.2"'),
    "pod": ("pod", '"orders-7d9f-x2x9k"'),
    "container": ("container", '"envoy"'),
    "namespace": ("namespace", '"shop"'),
    "node": ("node", '"w1"'),
    "process": ("process", '"nginx"'),
}


def _ends() -> list[Field]:
    made = []
    ends: tuple[tuple[End, str], ...] = (("src", "the client"), ("dst", "the server"))
    for end, whose in ends:
        for column, (doc, value) in _ENDS.items():
            name = f"{end}.{column}"
            made.append(Field(name, Kind.TEXT, EndColumn(end, column), f"{doc} of {whose}", f"{name} == {value}"))
        port = f"{end}.port"
        made.append(Field(port, Kind.NUMBER, _plain(f"{end}_port"), f"port of {whose}", f"{port} == 8080"))
    for column, (doc, value) in _ENDS.items():
        if column == "version":  # means the protocol's
            continue
        both = EitherEnd((f"src.{column}", f"dst.{column}"))
        made.append(Field(column, Kind.TEXT, both, f"{doc} of either end", f"{column} == {value}"))
    port_of_either = EitherEnd(("src.port", "dst.port"))
    made.append(Field("port", Kind.NUMBER, port_of_either, "port of either end", "port == 8080"))
    return made


def _dialled() -> list[Field]:
    whose = "whom the client called, where another answered (a virtual IP)"
    made = []
    for column in ("name", "ip", "service", "namespace"):
        doc, value = _ENDS[column]
        name = f"dialled.{column}"
        made.append(Field(name, Kind.TEXT, EndColumn("dialled", column), f"{doc} of {whose}", f"{name} == {value}"))
    made.append(Field("dialled.port", Kind.NUMBER, _plain("dialled_port"), f"port of {whose}", "dialled.port == 80"))
    return made


TABLES: dict[Record, dict[str, Field]] = {
    "exchange": {field.name: field for field in (*_COMMON, *_EXCHANGE, *_ends(), *_dialled())},
    "connection": {field.name: field for field in (*_COMMON, *_CONNECTION, *_ends())},
}
"""By name, without aliases, in the order to show."""

ALIASES: dict[Record, dict[str, str]] = {
    record: {alias: field.name for field in table.values() for alias in field.aliases}
    for record, table in TABLES.items()
}

OTHER_WORDS = {
    "code": "status",
    "duration": "latency",
    "elapsed": "latency",
    "http.host": "host",
    "http.request.method": "method",
    "http.request.uri": "target",
    "http.response.code": "status",
    "ip.addr": "ip",
    "ip.dst": "dst.ip",
    "ip.src": "src.ip",
    "proto": "protocol",
    "request.host": "host",
    "request.method": "method",
    "request.path": "path",
    "request.size": "request.bytes",
    "response.size": "response.bytes",
    "response.status": "status",
    "response.time": "latency",
    "rtt": "latency",
    "tcp.dstport": "dst.port",
    "tcp.port": "port",
    "tcp.srcport": "src.port",
    "uri": "target",
    "url": "target",
    "verb": "method",
}
"""What other tools call a field; for suggestions."""


def fields(record: Record = "exchange") -> tuple[Field, ...]:
    """All fields, in the order to show them."""
    return tuple(TABLES[record].values())
