"""What a scenario sends: from the text, body and DNS tables of an event to bytes."""

from __future__ import annotations

import gzip
import random
import zlib
from typing import TYPE_CHECKING, Any

import brotli
import zstandard
from scapy.layers import dns

from tests.engine import websocket

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.ends import End

RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}


class ScenarioError(Exception):
    """A scenario file says something that makes no sense."""


def crlf(text: str) -> bytes:
    """Text with every line end as CRLF."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("latin-1" if text.isascii() else "utf-8")


def content(spec: Any, folder: Path) -> bytes:
    """Bytes as they are: a string, or a table with one of hex, raw, file, random, or repeat and times."""
    if isinstance(spec, str):
        return spec.encode()
    match spec:
        case {"hex": str(digits)}:
            return bytes.fromhex(digits)
        case {"raw": str(text)}:
            return text.encode("latin-1")
        case {"file": str(name)}:
            return (folder / name).read_bytes()
        case {"random": int(size)}:
            return random.Random(size).randbytes(size)
        case {"repeat": str(text), "times": int(times)}:
            return text.encode() * times
    raise ScenarioError(f"content can't be made from {spec!r}")


def deflate_raw(data: bytes) -> bytes:
    """Deflate without the zlib wrapper, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODINGS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "deflate-raw": deflate_raw,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def chunked(body: bytes, sizes: list[int], extension: str, trailers: str) -> bytes:
    """The body in HTTP/1 chunked coding (RFC 9112 section 7.1); what the sizes leave is one more chunk."""
    out = bytearray()
    at = 0
    for size in [*sizes, len(body)]:
        piece = body[at : at + size]
        at += len(piece)
        if piece:
            out += f"{len(piece):x}{extension}\r\n".encode() + piece + b"\r\n"
    return bytes(out) + b"0\r\n" + crlf(trailers) + b"\r\n"


def http(head: str, event: dict[str, Any], folder: Path) -> bytes:
    """A head and the body of the event; Content-Length is added where neither it nor a transfer coding is there."""
    body = content(event["body"], folder)
    for coding in event.get("encode", []):
        body = ENCODINGS[coding](body)
    if "chunks" in event:
        return crlf(head) + chunked(body, event["chunks"], event.get("chunk_extension", ""), event.get("trailers", ""))
    lower = head.lower()
    if event.get("length", True) and "content-length:" not in lower and "transfer-encoding:" not in lower:
        head = head.replace("\r\n", "\n").rstrip("\n") + f"\nContent-Length: {len(body)}\n\n"
    return crlf(head) + body


def record(text: str, owner: str) -> dns.DNSRR:
    """A resource record from `TYPE data [ttl] [owner]`."""
    kind, data, *rest = text.split()
    rdata: Any = data
    if kind == "TXT":
        rdata = [data.encode()]
    if kind == "SRV":
        return dns.DNSRRSRV(rrname=owner, target=data, port=int(rest[0]), priority=0, weight=0, ttl=60)
    return dns.DNSRR(
        rrname=rest[1] if len(rest) > 1 else owner, type=kind, rdata=rdata, ttl=int(rest[0]) if rest else 60
    )


def dns_message(spec: dict[str, Any]) -> bytes:
    """A DNS message: `ask = "TYPE name"`; with `answers` or `rcode` it is a response."""
    kind, name = spec["ask"].split()
    answers = [record(text, name) for text in spec.get("answers", [])]
    response = "answers" in spec or "rcode" in spec
    message = dns.DNS(
        id=spec["id"],
        qr=int(response),
        rd=1,
        ra=int(response),
        tc=int(spec.get("truncated", False)),
        rcode=RCODES[spec.get("rcode", "NOERROR")],
        qd=[dns.DNSQR(qname=name, qtype=kind)],
        an=answers,
    )
    return bytes(message)


def redis(command: list[Any], folder: Path) -> bytes:
    """A command of Redis as an array of strings."""
    words = [content(word, folder) for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def payload(event: dict[str, Any], key: str, transport: str, folder: Path, end: End) -> bytes:
    """The bytes that an event sends."""
    spec = event[key]
    if isinstance(spec, dict) and "http2" in spec:
        return b"".join(end.http2.frames(one, lambda made: content(made, folder), ENCODINGS) for one in spec["http2"])
    if isinstance(spec, dict) and "websocket" in spec:
        made = (websocket.frames(one, key, end.deflater, lambda s: content(s, folder)) for one in spec["websocket"])
        return b"".join(made)
    if isinstance(spec, dict) and "redis" in spec:
        return b"".join(redis(command, folder) for command in spec["redis"])
    if isinstance(spec, dict) and "dns" in spec:
        listed = spec["dns"] if isinstance(spec["dns"], list) else [spec["dns"]]
        messages = [dns_message(one) for one in listed]
        return b"".join(len(m).to_bytes(2, "big") * (transport == "tcp") + m for m in messages)
    if "body" in event:
        return http(spec, event, folder)
    return crlf(spec) if isinstance(spec, str) else content(spec, folder)
