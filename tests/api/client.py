"""A running API and a plain client of it, for tests."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from email.message import Message

    from tapper.collector.api.serving import Address


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of the error."""
        return str(self.document["error"]["code"])


@dataclass(frozen=True)
class Client:
    address: Address

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET", **query: Any) -> Answer:
        """GET, or HEAD, below the base of the API, with the token."""
        asked = f"?{urlencode(query)}" if query else ""
        authorization = {"Authorization": f"Bearer {self.address.guard.token}"}
        return self.raw(method, f"/api/v1{quote(path)}{asked}", authorization | (headers or {}))

    def raw(self, method: str, target: str, headers: dict[str, str], data: bytes | None = None) -> Answer:
        """A request with exactly these headers (and Host)."""
        request = urllib.request.Request(self.address.base + target, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())
