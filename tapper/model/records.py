"""Single records as frozen dataclasses, for whoever looks at one (detail, HAR); lists stay Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Content = bytes
"""What a body holds; the word for it where a field is named `bytes`."""

Header = tuple[str | None, str | None]
"""Name and value in the order as sent; None: could not be known."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of an exchange, as well as it is known. `name` is the best name: service, workload, pod, ... address."""

    ip: str
    port: int
    name: str
    name_source: str
    namespace: str | None = None
    service: str | None = None
    workload: str | None = None
    version: str | None = None
    pod: str | None = None
    container: str | None = None
    node: str | None = None
    process: str | None = None


@dataclass(frozen=True, slots=True)
class Half:
    """A request or a response as captured."""

    headers: tuple[Header, ...]
    trailers: tuple[Header, ...]
    body: bytes | None
    """Content coding removed, cut at the limit, redacted; None: none was kept."""
    head_bytes: int | None
    body_bytes: int | None
    content_bytes: int | None
    content_type: str | None
    cut: bool

    def header(self, name: str) -> str | None:
        """The value of the first header of that name, in any case."""
        wanted = name.lower()
        return next((v for n, v in self.headers if n is not None and n.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    index: int
    time_ns: int
    direction: str
    kind: str
    name: str | None
    bytes: int
    content_bytes: int | None
    body: Content | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response in full. Field meanings as in `tapper.model.schema.JOINED`."""

    id: str
    time_ns: int
    protocol: str
    version: str | None
    operation: str | None
    target: str | None
    authority: str | None
    status: int | None
    status_text: str | None
    outcome: str
    error: str | None
    send_ns: int | None
    wait_ns: int | None
    receive_ns: int | None
    latency_ns: int | None
    src: Endpoint
    dst: Endpoint
    view: str | None
    request: Half
    response: Half | None
    reason: str | None
    interim: tuple[int, ...]
    connection: int
    stream: int | None
    trace_id: str | None
    span_id: str | None
    notes: tuple[str, ...]
    messages_sent: int | None = None
    messages_received: int | None = None
    messages: tuple[Message, ...] = ()
    server_latency_ns: int | None = None
    server_wait_ns: int | None = None
    dialled_ip: str | None = None
    dialled_port: int | None = None
    dialled_name: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
