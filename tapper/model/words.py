"""The words that records use: outcomes, connection states, notes; the same in every front end."""

from __future__ import annotations

from tapper.model.text import count

OUTCOMES = {
    "ok": "answered, and not with an error",
    "client_error": "answered with an error that the request is to blame for (HTTP 4xx)",
    "server_error": "answered with an error of the server (HTTP 5xx)",
    "timeout": "not answered: the client gave up, or nothing came for too long",
    "reset": "the connection was reset before the answer was complete",
    "refused": "the connection was refused",
    "incomplete": "part of it was not captured",
    "open": "not finished yet when last seen",
}

FAILED = ("server_error", "timeout", "reset", "refused")
"""Outcomes that count as errors of an edge; a client error is shown but does not make a service unhealthy."""

STATES = {
    "open": "still open when last seen",
    "closed": "closed in order by both ends",
    "reset": "reset by one end",
    "refused": "the server's host answered the SYN with a reset (or ICMP unreachable): nothing listens there",
    "unanswered": "no answer to the SYN (or, UDP, to any datagram): dropped on the way, or no such host",
}

DIRECTIONS = ("sent", "received")
"""Of a message: sent by the client, received by it."""

VIEWS = ("client", "server", "both", "loopback")

NOTES: dict[str, tuple[int, str]] = {
    "partial": (1 << 0, "joined mid-stream: some of it may be unknown"),
    "gap": (1 << 1, "bytes of it were lost by the capture"),
    "retransmitted": (1 << 2, "some of its segments were sent more than once"),
    "redacted": (1 << 3, "a secret in it was replaced by a mark"),
    "reused": (1 << 4, "not the first exchange of its connection"),
    "request_cut": (1 << 5, "the request's body was cut at the limit"),
    "response_cut": (1 << 6, "the response's body was cut at the limit"),
    "stream": (1 << 7, "a stream: its latency ends at the first response byte"),
    "undecodable": (1 << 8, "a body could not be decoded and was left out"),
    "interim": (1 << 9, "interim (1xx) responses came before the response"),
    "no_request": (1 << 10, "the request was never seen"),
    "pipelined": (1 << 11, "sent before an earlier request on its connection was answered"),
    "malformed": (1 << 12, "something in it breaks its protocol's rules"),
    "health": (1 << 13, "a health check"),
    "reflection": (1 << 14, "gRPC server reflection"),
    "headers_cut": (1 << 15, "headers beyond the limit were left out"),
    "upgraded": (1 << 16, "its connection was switched to another protocol"),
}
"""Name -> (bit, meaning); the engine's `message::notes` has the same bits."""


def unknown_fields(heads: int) -> str:
    """What it means that so many heads and trailers have fields that were never seen (RFC 7541 section 2.3.2)."""
    which = "head or trailer refers" if heads == 1 else "heads and trailers refer"
    return (
        f"{count(heads)} HTTP/2 {which} to fields sent before the capture began (or lost): paths and gRPC statuses"
        " among them show as ? until the client connects anew"
    )


def note_names(bits: int) -> list[str]:
    """Names of the set bits, in the order of the bits."""
    return [name for name, (bit, _) in NOTES.items() if bits & bit]
