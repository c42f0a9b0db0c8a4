"""A connection to a cluster's API server: requests with JSON in and out, and errors in words."""

from __future__ import annotations

import json
import os
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import aiohttp

from tapper.kube.kinds import KINDS, Kind
from tapper.kube.proxies import SOCKS, proxy_for
from tapper.kube.refusals import ApiError, KubeError, no_api, refusal, unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType

    from kubernetes.aio.client import Configuration

    Object = dict[str, Any]
    WebSocket = aiohttp.ClientWebSocketResponse[Literal[True]]

MAX_CONNECTIONS = 100
PAGE = 500  # objects of one answer; as kubectl, so that a large cluster's lists are cut into pieces
MAX_LINE = 16 << 20  # bytes of one watch event; etcd refuses objects of more than 1.5 MiB
FIELD_MANAGER = "tapper"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection's settings came from, for messages."""

    context: str | None = None
    namespace: str = "default"
    server: str = ""
    impersonated: str | None = None


@dataclass(slots=True)
class Cluster:
    """An API server, with the credentials to ask it. Use it as an async context manager."""

    configuration: Configuration
    origin: Origin
    headers: tuple[tuple[str, str], ...] = ()
    """Of every request; a name may be there several times."""
    timeout: float | None = None
    """Seconds that one request may take; None: 30. A watch has none."""
    renew: Callable[[], Awaitable[None]] | None = None
    """Gets the configuration other credentials than those that were refused, if there are any."""
    _session: aiohttp.ClientSession | None = None
    _proxy: str | None = None
    _tls: ssl.SSLContext | None = None
    _certificate: list[tuple[str, int, int]] = field(default_factory=list)
    """Files of the client's, when each was written, and its inode."""

    async def __aenter__(self) -> Self:
        self._context()
        proxy = proxy_for(self.configuration.host, self.configuration.proxy, os.environ)
        if proxy is not None and proxy.startswith(SOCKS):
            from tapper.kube.socks import SocksConnector

            connector: aiohttp.TCPConnector = SocksConnector(proxy, limit=MAX_CONNECTIONS)
        else:
            connector, self._proxy = aiohttp.TCPConnector(limit=MAX_CONNECTIONS), proxy
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=MAX_LINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def _context(self) -> ssl.SSLContext:
        """Settings of TLS; others where the client's certificate was renewed, so that new connections have it."""
        try:
            files = (self.configuration.cert_file, self.configuration.key_file)
            certificate = [(file, (at := Path(file).stat()).st_mtime_ns, at.st_ino) for file in files if file]
            if self._tls is None or certificate != self._certificate:
                self._tls, self._certificate = _tls(self.configuration), certificate
        except (OSError, ValueError) as error:
            if self._tls is None:
                raise KubeError(f"the certificates for {self.origin.server} can't be used: {error}") from error
        return self._tls  # the one before, where the next is not whole yet

    async def _arguments(self) -> dict[str, Any]:
        """What every request needs: credentials (had anew where they end), server name, proxy."""
        made: dict[str, Any] = {"headers": list(self.headers)}
        token = await self.configuration.get_api_key_with_prefix("BearerToken")
        if token:
            known = token.lower().startswith(("bearer ", "basic "))
            made["headers"].append(("Authorization", token if known else f"Bearer {token}"))
        made["ssl"] = self._context()
        if self.configuration.tls_server_name:
            made["server_hostname"] = self.configuration.tls_server_name
        if self._proxy is not None:
            made["proxy"] = self._proxy
        return made

    async def _answer(self, method: str, path: str, headers: Mapping[str, str], **more: Any) -> aiohttp.ClientResponse:
        """What is answered, with other credentials where those at hand are refused and there are others."""

        async def answer(arguments: dict[str, Any]) -> aiohttp.ClientResponse:
            assert self._session is not None  # noqa: S101
            merged = arguments | {"headers": [*arguments["headers"], *headers.items()]}
            return await self._session.request(method, self.configuration.host + path, **merged, **more)

        used = await self._arguments()
        response = await answer(used)
        if response.status != 401 or self.renew is None:
            return response
        await response.read()
        if await self._arguments() == used:  # no other request has renewed them
            await self.renew()
        others = await self._arguments()
        return response if others == used else await answer(others)

    @asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
        data = json.dumps(body) if body is not None else None
        limit = timeout or aiohttp.ClientTimeout(total=self.timeout or 30)
        try:
            async with await self._answer(method, path, headers, params=query, data=data, timeout=limit) as response:
                if response.status >= 400:
                    raise refusal(self.origin.server, response.status, await response.read())
                yield response
        except TimeoutError as error:
            seconds = limit.total or limit.sock_read
            raise KubeError(f"the cluster at {self.origin.server} did not answer within {seconds:g} s") from error
        except aiohttp.ClientError as error:
            raise KubeError(unreachable(self.origin.server, error)) from error

    async def request(self, method: str, path: str, **more: Any) -> Object:
        """One request.

        Raises:
            ApiError: it was refused.
            KubeError: no answer.
        """
        async with self._response(method, path, **more) as response:
            body = await response.read()
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise KubeError(no_api(self.origin.server, body)) from error
        return answer if isinstance(answer, dict) else {}

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None if there is none of this name."""
        try:
            return await self.request("GET", kind.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
        """All objects of a kind, in a namespace or in all."""
        found: list[Object] = []
        async for page in self.pages(kind, namespace, labels, fields):
            found += page["items"]
        return found

    async def pages(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = "", *, metadata: bool = False
    ) -> AsyncIterator[Object]:
        """The pages of a list; `metadata`: only that of each object."""
        query = {"limit": str(PAGE)}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": fields} if fields else {}
        while True:
            page = await self.request("GET", kind.path(namespace), query=query, accept=_accept("List", metadata))
            page["items"] = page.get("items") or []
            yield page
            more = (page.get("metadata") or {}).get("continue")
            if not more:
                return
            query["continue"] = more

    @asynccontextmanager
    async def watch(
        self, kind: Kind, namespace: str | None, version: str, seconds: int, *, metadata: bool = False
    ) -> AsyncIterator[AsyncIterator[Object]]:
        """Changes since a resource version, each {"type", "object"}; ends after that many seconds.

        Raises:
            ApiError: 410 where the version is too old.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        # a connection that died without a word would else look like a quiet cluster
        limit = aiohttp.ClientTimeout(total=None, sock_connect=self.timeout or 30, sock_read=seconds + 15)
        path = kind.path(namespace)
        async with self._response("GET", path, query=query, accept=_accept("", metadata), timeout=limit) as response:
            yield _events(response)

    async def apply(self, item: Object) -> Object:
        """Creates or changes an object to be like this one (server-side apply)."""
        kind = KINDS[item["kind"]]
        meta = item["metadata"]
        return await self.request(
            "PATCH",
            kind.path(meta.get("namespace"), meta["name"]),
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body=item,
            content_type="application/apply-patch+yaml",
        )

    async def create(self, path: str, item: Object) -> Object:
        """Creates what has no name of its own, such as a review."""
        return await self.request("POST", path, body=item)

    async def delete(self, kind: Kind, name: str, namespace: str | None = None) -> bool:
        """Deletes an object; whether there was one."""
        try:
            await self.request("DELETE", kind.path(namespace, name), query={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status in (404, 409):  # 409: it is being deleted already
                return False
            raise
        return True

    async def websocket(self, path: str, protocol: str) -> WebSocket:
        """Opens a stream through the API server.

        Raises:
            KubeError: it can't be opened.
        """
        assert self._session is not None  # noqa: S101
        arguments = await self._arguments()
        url = self.configuration.host + path
        try:
            opened: WebSocket = await self._session.ws_connect(
                url, protocols=(protocol,), autoping=True, max_msg_size=0, compress=0, **arguments
            )
            return opened
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError(error.status, error.message, f"{path}: {error.message}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KubeError(unreachable(self.origin.server, error)) from error


def _tls(configuration: Configuration) -> ssl.SSLContext:
    from kubernetes.aio.client.rest import RESTClientObject

    made: ssl.SSLContext = RESTClientObject(configuration).ssl_context
    # as Go: any certificate may be what one trusts, with or without what RFC 5280 asks of an authority's
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return made


def _accept(what: str, metadata: bool) -> str:
    if not metadata:
        return "application/json"
    return f"application/json;as=PartialObjectMetadata{what};g=meta.k8s.io;v=v1,application/json"


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Object]:
    async for line in response.content:
        event = json.loads(line)
        if event.get("type") == "ERROR":
            about = event.get("object") or {}
            raise ApiError(int(about.get("code") or 500), str(about.get("reason")), str(about.get("message")))
        yield event
