"""A request as something to paste: curl, grpcurl, URL, body, JSON."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tapper.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.model.records import Exchange

HTTP = ("http", "grpc", "websocket")
LEFT_OUT = ("host", "content-length", "transfer-encoding", "connection", "te", "grpc-timeout", "accept-encoding")
"""Headers that curl makes itself."""


def url(exchange: Exchange) -> str:
    """What was asked for, as a URL."""
    from tapper.export import har_parts

    return clean(har_parts.url(exchange, "ws" if exchange.protocol == "websocket" else "http"))


def curl(exchange: Exchange) -> str:
    """A command that asks the same again; nothing in it is run by the shell. Redacted values stay marks."""
    parts = ["curl", "-sS", "-i"]
    if exchange.operation not in (None, "GET"):
        parts += ["-X", clean(exchange.operation or "")]
    for name, value in exchange.request.headers:
        if name is None or value is None or name.startswith(":") or name.lower() in LEFT_OUT:
            continue
        parts += ["-H", clean(f"{name}: {value}")]
    if exchange.request.body:
        parts += ["--data-raw", _text(exchange.request.body)]
    return " ".join(shlex.quote(part) for part in [*parts, url(exchange)])


def grpcurl(exchange: Exchange) -> str:
    """The same for gRPC; the message has to be filled in: its fields have numbers, no names."""
    host = url(exchange).split("/")[2]
    method = clean((exchange.target or "").lstrip("/"))
    metadata = [
        part
        for name, value in exchange.request.headers
        if name and value and not name.startswith(":") and name.lower() not in (*LEFT_OUT, "content-type", "user-agent")
        for part in ("-H", clean(f"{name}: {value}"))
    ]
    return " ".join(shlex.quote(part) for part in ["grpcurl", "-plaintext", *metadata, "-d", "{}", "--", host, method])


def request_body(exchange: Exchange) -> str:
    """As text."""
    return _text(exchange.request.body or b"")


def response_body(exchange: Exchange) -> str:
    """As text."""
    return _text(exchange.response.body or b"") if exchange.response else ""


def as_json(exchange: Exchange) -> str:
    """The whole record."""
    import json

    from tapper.export.single import document

    return json.dumps(document(exchange), indent=2)


def _text(body: bytes) -> str:
    """Control characters but line ends and tabs are made visible: what is pasted into a shell must not act."""
    text = body.decode("utf-8", "backslashreplace")
    return "".join(char if char in "\n\t" else clean(char) for char in text)


WAYS: dict[str, tuple[str, Callable[[Exchange], str], Callable[[Exchange], bool]]] = {
    "c": ("curl command", curl, lambda exchange: exchange.protocol == "http"),
    "g": ("grpcurl command", grpcurl, lambda exchange: exchange.protocol == "grpc"),
    "u": ("URL", url, lambda exchange: exchange.protocol in HTTP),
    "b": ("response body", response_body, lambda exchange: bool(exchange.response and exchange.response.body)),
    "r": ("request body", request_body, lambda exchange: bool(exchange.request.body)),
    "j": ("whole record as JSON", as_json, lambda exchange: True),
    "i": ("id", lambda exchange: exchange.id, lambda exchange: True),
}
"""Key -> what it is, how it is made, for which requests."""
