"""The small parts of a HAR entry: URL, query, headers, cookies, bodies."""

from __future__ import annotations

import base64
import re
from email.utils import parsedate_to_datetime
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus, urlsplit

if TYPE_CHECKING:
    from tapper.model.records import Exchange, Half, Header

MAX_FIELDS = 1_000
"""Of a query or a cookie header; more are cut, and the whole text is in the URL and the headers anyway."""

_SAFE = "/:?#[]@!$&'()*+,;=%-._~|"
_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[(?P<ip>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?")
_UNKNOWN = "not known: it refers to an earlier header that was not captured"


def url(exchange: Exchange, scheme: str) -> str:
    """An absolute URL that every parser takes: what a URL can't hold is percent-encoded."""
    target = exchange.request.header(":path") or exchange.target or "/"
    host = exchange.authority or ""
    if (absolute := _ABSOLUTE.match(target)) is not None:
        scheme, host, target = absolute[1].lower(), absolute[2], absolute[3]
    elif exchange.operation == "CONNECT":
        target = "/"
    if not _is_host(host):
        # Not known, or nothing that can be a host: who was called.
        ip = f"[{exchange.dst.ip}]" if ":" in exchange.dst.ip else exchange.dst.ip
        host = f"{ip}:{exchange.dst.port}"
    return f"{scheme}://{host}{'' if target.startswith('/') else '/'}{quote(target, safe=_SAFE)}"


def _is_host(text: str) -> bool:
    parts = _HOST.fullmatch(text)
    if parts is None or int(parts["port"] or 0) > 65535:
        return False
    try:
        return parts["ip"] is None or IPv6Address(parts["ip"]) is not None
    except ValueError:
        return False


def query(address: str) -> list[dict[str, str]]:
    """Fields of the URL's query, decoded."""
    try:
        text = urlsplit(address).query
    except ValueError:
        return []
    return [
        {"name": unquote_plus(name), "value": unquote_plus(value)}
        for name, _, value in (field.partition("=") for field in text.split("&", MAX_FIELDS)[:MAX_FIELDS])
        if name or value
    ]


def headers(listed: tuple[Header, ...]) -> list[dict[str, str]]:
    """In the order as sent."""
    return [
        {"name": name or "", "value": value or ""}
        | ({} if name is not None and value is not None else {"comment": _UNKNOWN})
        for name, value in listed
    ]


def cookies(half: Half) -> list[dict[str, str]]:
    """Of the request (RFC 6265, section 4.2.1)."""
    made = []
    for value in _values(half, "cookie"):
        for pair in value.split(";", MAX_FIELDS)[:MAX_FIELDS]:
            name, _, content = pair.strip().partition("=")
            if name:
                made.append({"name": name, "value": content})
    return made


def set_cookies(half: Half) -> list[dict[str, Any]]:
    """Of the response, with what HAR keeps of their attributes (RFC 6265, section 4.1.1)."""
    return [_set_cookie(value) for value in _values(half, "set-cookie") if value.strip()]


def _set_cookie(text: str) -> dict[str, Any]:
    pair, *attributes = text.split(";", 20)
    name, _, value = pair.strip().partition("=")
    made: dict[str, Any] = {"name": name, "value": value}
    for attribute in attributes:
        key, _, content = attribute.strip().partition("=")
        match key.lower():
            case "path" | "domain":
                made[key.lower()] = content
            case "expires":
                if (date := _date(content)) is not None:
                    made["expires"] = date
            case "httponly":
                made["httpOnly"] = True
            case "secure":
                made["secure"] = True
    return made


def _date(text: str) -> str | None:
    try:
        return parsedate_to_datetime(text[:64]).isoformat()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _values(half: Half, name: str) -> list[str]:
    return [value for key, value in half.headers if key is not None and value is not None and key.lower() == name]


def posted(half: Half) -> dict[str, Any]:
    """The request's body; `params` of a form would say the same twice, and HAR allows one of the two."""
    made = {"mimeType": half.header("content-type") or half.content_type or "x-unknown"}
    made |= text_or_base64(half.body or b"", "_encoding")
    if half.cut:
        made["comment"] = f"cut: the first {len(half.body or b'')} bytes were kept"
    return made


def text_or_base64(data: bytes, sign: str) -> dict[str, str]:
    """`text`, and where it is base64 the field named `sign` says so."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(data).decode(), sign: "base64"}
