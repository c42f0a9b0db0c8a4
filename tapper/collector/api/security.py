"""Who may ask: token, cookie, the checks of Host and Origin; and the headers that keep a page to itself.

The token is in the fragment of the URL that is printed, which browsers don't send. The page gives it once by POST and
gets a cookie that scripts can't read. Names other than this machine's own are refused (DNS rebinding): a page of
another site could otherwise reach this server under its own name. Pages of other servers on this machine are refused
by Sec-Fetch-Site and Origin: they are the same site to a cookie, whatever their port.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tapper.collector.api.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

API_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    ),
    "Cache-Control": "no-store",
}
PAGE_HEADERS = API_HEADERS | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self';"
        " connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}

LONGEST_TOKEN = 512
_LOCAL = ("localhost", "localhost.localdomain")


def new_token() -> str:
    """A token nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges requests. `hosts`: further names that this server is reached by."""

    token: str = field(repr=False)
    hosts: frozenset[str] = frozenset()
    session: str = field(default_factory=new_token, repr=False)
    """What the cookie holds: whoever reads it does not know the token."""
    cookie: str = field(default_factory=lambda: f"tapper-{secrets.token_hex(4)}")
    """Its name; cookies are shared by all ports of a host, so that each server needs one of its own."""

    codes: deque[str] = field(default_factory=lambda: deque(maxlen=8), repr=False)
    """Tokens that work once."""

    def check(self, request: web.Request) -> None:
        """Lets requests with the token or the session pass.

        Raises:
            RequestError: it is not to be answered.
        """
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if not self.knows(given.strip()):
                raise RequestError("token", "this is not the token of this session of tapper")
            return  # no browser was talked into this: another site's page does not know the token
        self.check_origin(request.headers, request.host)
        if not hmac.compare_digest(request.cookies.get(self.cookie, "").encode(), self.session.encode()):
            raise RequestError("token", "no token: open the URL that tapper printed, or give it as a bearer token")

    def check_origin(self, headers: Mapping[str, str], host: str) -> None:
        """See check."""
        name = host_name(host)
        if not (name in _LOCAL or name.endswith(".localhost") or name in self.hosts or is_address(name)):
            raise RequestError("origin", f"this server is not known as {name[:80]!r}")
        if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise RequestError("origin", "the request came from a page of another server")
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RequestError("origin", "the request came from a page of another server")

    def once(self) -> str:
        """A further token that can be changed for a session once."""
        code = new_token()
        self.codes.append(code)
        return code

    def opens(self, token: str) -> bool:
        """Whether a session is given for that token."""
        if len(token) > LONGEST_TOKEN:
            return False
        if self.knows(token):
            return True
        for code in tuple(self.codes):
            if hmac.compare_digest(token.encode(), code.encode()):
                self.codes.remove(code)
                return True
        return False

    def knows(self, token: str) -> bool:
        """Whether that is the token; takes as long for a wrong one."""
        return hmac.compare_digest(token.encode(), self.token.encode())


def host_name(host: str) -> str:
    """The name in a Host header, without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def is_address(name: str) -> bool:
    """Whether it is an address; a page can't be had under one by changing what a name means."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
