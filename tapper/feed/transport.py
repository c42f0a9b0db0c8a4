"""Requests to a collector's API: kept connections, one for each thread; streams on connections of their own.

Errors that the API describes become those of the feed and the filter; a collector that can't be reached is a
DisconnectedError.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tapper.feed.interface import AmbiguousError, FeedError, NotFoundError, SlowError
from tapper.filter import FilterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BASE = "/api/v1"
ARROW = "application/vnd.apache.arrow.stream"
TIMEOUT_S = 60.0
"""For one answer; the collector itself gives up earlier, and says so."""
SILENCE_S = 30.0
"""A stream without a word for so long is lost: one that follows says something every second."""
MOST_ERROR_BYTES = 1 << 16

_LOST = (OSError, http.client.HTTPException)


class DisconnectedError(FeedError):
    """The collector can't be reached."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collector is, and the token it wants."""

    scheme: str
    host: str
    port: int | None
    path: str
    token: str

    @classmethod
    def of(cls, url: str, token: str = "") -> Place:
        """From a URL; a token in its fragment (`#k=...`), as tapper prints it, is taken if none is given.

        Raises:
            FeedError: it is no such URL, or there is no token.
        """
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port
        except ValueError as error:
            raise FeedError(f"{url.partition('#')[0]}: not a URL: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FeedError(f"{url.partition('#')[0]}: not the URL of a collector, such as http://127.0.0.1:8899")
        token = token or parts.fragment.removeprefix("k=")
        if not token.isprintable() or not token.isascii() or " " in token:
            raise FeedError("a token has letters, digits, - and _ only")
        if not token:
            raise FeedError(
                "the collector wants a token: give the whole URL that tapper printed (#k=... and all), --token-file,"
                " or TAPPER_TOKEN"
            )
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), token)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.path}"

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        """A connection, not opened yet."""
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout)


class Transport:
    """For any thread."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.disconnected_ns: int | None = None
        """Since when nothing comes back."""
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()
        self._closed = False

    def document(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON document of a path."""
        return json.loads(self.body(path, query))

    def body(self, path: str, query: Mapping[str, Any] | None = None, accept: str = "application/json") -> bytes:
        """The whole answer of a path.

        Raises:
            DisconnectedError: the collector can't be reached.
            FeedError, FilterError: what the collector says.
        """
        for attempt in (1, 2):
            connection, kept = self._connection()
            try:
                response = self._ask(connection, path, query or {}, accept)
                data = response.read()
            except _LOST as error:
                self._forget(connection)
                # a kept connection may have been closed meanwhile: that tells nothing yet
                if attempt == 2 or not kept:
                    raise self._lost(error) from error
                continue
            except BaseException:
                self._forget(connection)
                raise
            self.disconnected_ns = None
            if response.status != http.client.OK:
                raise self._refusal(response.status, data, str((query or {}).get("where", "")))
            return data
        raise AssertionError

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, Any] | None = None, accept: str = ARROW
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer to be read as it comes; what goes wrong while it is read is a DisconnectedError too."""
        connection = self._new(SILENCE_S)
        try:
            response = self._ask(connection, path, query or {}, accept)
            self.disconnected_ns = None
            if response.status != http.client.OK:
                data = response.read(MOST_ERROR_BYTES)
                raise self._refusal(response.status, data, str((query or {}).get("where", "")))
            yield response
        except _LOST as error:
            raise self._lost(error) from error
        finally:
            self._forget(connection)

    def close(self) -> None:
        """Closes all connections; streams that are read end with an error."""
        with self._lock:
            self._closed = True
            connections = list(self._open)
        for connection in connections:
            self._forget(connection)

    def _ask(
        self, connection: http.client.HTTPConnection, path: str, query: Mapping[str, Any], accept: str
    ) -> http.client.HTTPResponse:
        given = {name: _text(value) for name, value in query.items() if value not in (None, "", ())}
        target = f"{self.place.path}{BASE}{path}{'?' if given else ''}{urlencode(given)}"
        headers = {"Authorization": f"Bearer {self.place.token}", "Accept": accept}
        connection.request("GET", target, headers=headers)
        return connection.getresponse()

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """This thread's connection, and whether it was used before."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.sock is not None:
            return connection, True
        self._local.connection = connection = self._new(TIMEOUT_S)
        return connection, False

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        connection = self.place.connect(timeout)
        with self._lock:
            if self._closed:
                raise FeedError("the connection to the collector was closed")
            self._open.add(connection)
        return connection

    def _forget(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.discard(connection)
        with suppress(OSError):
            connection.close()

    def _lost(self, error: Exception) -> DisconnectedError:
        if self.disconnected_ns is None:
            self.disconnected_ns = time.time_ns()
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return DisconnectedError(f"the collector at {self.place} can't be reached: {words}")

    def _refusal(self, status: int, data: bytes, where: str) -> Exception:
        try:
            error = json.loads(data)["error"]
            code, message = str(error["code"]), str(error["message"])
        except (ValueError, KeyError, TypeError):
            return FeedError(f"{self.place} answers with {status}, and not as a collector does: is that its URL?")
        match code:
            case "filter":
                position, length = error.get("position", 0), error.get("length", 1)
                return FilterError(message, where, position, length, error.get("hint"))
            case "not_found":
                return NotFoundError(message)
            case "ambiguous":
                return AmbiguousError(message, tuple(error.get("ids", ())))
            case "slow":
                return SlowError(message)
            case "token":
                return FeedError(f"the collector at {self.place} does not take this token; it may be of another run")
        return FeedError(message)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
