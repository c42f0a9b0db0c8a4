"""The application: every request passes the guard, is read by the table of routes, and is answered from the feed."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from agent import serving
from tapper.collector.api import errors, exports, follow, parameters, security
from tapper.collector.api.errors import RequestError
from tapper.collector.api.page import Page
from tapper.collector.api.routes import BASE, ROUTES
from tapper.collector.api.workers import Workers
from tapper.feed import documents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tapper.collector.api.routes import Route
    from tapper.feed.interface import Feed

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_BODY = 4_096
"""Bytes of a request's body: a token."""
LONGEST_LINE = 1 << 16
"""Bytes of a request's first line: a filter, each character of it written in up to 9."""
MOST_JSON_ROWS = 10_000
"""Rows in one JSON document: some 10 MB."""
BEGUN = web.RequestKey("begun", bool)
TIMEOUT_S = 30.0
BODY_S = 10.0
"""For a request's body to come."""
SHUTDOWN_S = 1.0
"""For answers that are under way when it ends; followers would stay for ever."""


def create_app(
    feed: Feed,
    *,
    token: str = "",
    guard: security.Guard | None = None,
    page: Path | None = None,
    timeout_s: float = TIMEOUT_S,
) -> web.Application:
    """The API and the page over a feed, which stays the caller's to close. Run it with `runner`.

    Args:
        feed: what is shown.
        token: to be known by whoever asks; see `security.new_token`.
        guard: instead of the token, who may ask.
        page: directory of the built web view; None: there is none.
        timeout_s: for one answer.
    """
    if not token and guard is None:
        raise ValueError("an API without a token would be everybody's")
    api = _Api(feed, guard or security.Guard(token), Page(page), timeout_s)
    app = web.Application(client_max_size=MOST_BODY, middlewares=[_answered])
    app.on_response_prepare.append(_kept_to_itself)
    app.cleanup_ctx.append(api.running)
    _add(app, f"{BASE}/session", api.open_session, "POST")
    _add(app, f"{BASE}/openapi.json", api.describe, "GET", "HEAD")
    for route in ROUTES:
        _add(app, BASE + route.path, api.handler(route), "GET", "HEAD")
    app.router.add_route("*", "/api/{rest:.*}", api.no_such_path)
    _add(app, "/{path:.*}", api.show_page, "GET", "HEAD")
    return app


def _add(app: web.Application, path: str, handler: Handler, *methods: str) -> None:
    """Has a path answered; by other methods than these, with those that it knows."""
    resource = app.router.add_resource(path)
    for method in methods:
        resource.add_route(method, handler)

    async def refuse(request: web.Request) -> web.StreamResponse:
        known = " and ".join(methods)
        status, document = errors.document("method", f"{request.method[:20]} is not for this path, {known} is")
        refusal = _json(document, status)
        refusal.headers["Allow"] = ", ".join(methods)
        return refusal

    resource.add_route("*", refuse)


def runner(app: web.Application) -> web.AppRunner:
    """What runs the application, with its bounds."""
    return serving.runner(app, shutdown_timeout=SHUTDOWN_S, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE)


async def _kept_to_itself(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer has the headers that keep it data; the page brings its own."""
    request[BEGUN] = True
    for name, value in security.API_HEADERS.items():
        response.headers.setdefault(name, value)


def _cut(request: web.Request) -> Exception:
    """Ends an answer that has begun and can't go on: that it is not whole is all that can be told."""
    if request.transport is not None:
        request.transport.abort()
    return web.HTTPServiceUnavailable()


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors become documents."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        code = {413: "too_large"}.get(error.status, "not_found")
        status, document = error.status, {"error": {"code": code, "message": error.reason}}
    except (ConnectionError, TimeoutError) as error:  # who asked has left, or does not read
        raise _cut(request) from error
    except Exception as error:
        described = errors.describe(error)
        if described is None:
            raise
        if request.get(BEGUN):
            raise _cut(request) from error
        status, document = described
    return _json(document, status)


def _json(document: Any, status: int = HTTPStatus.OK) -> web.Response:
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


class _Api:
    def __init__(self, feed: Feed, guard: security.Guard, page: Page, timeout_s: float) -> None:
        self._feed = feed
        self._guard = guard
        self._page = page
        # Queries of a store share its memory: few at once are answered sooner than many.
        self._workers = Workers("api", threads=4, waiting=100, seconds=timeout_s)
        self._exporters = Workers("api-export", threads=4, waiting=0, seconds=None)
        self._readers = Workers("api-follow", threads=32, waiting=0, seconds=None)

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        yield
        for workers in (self._workers, self._exporters, self._readers):
            workers.close()

    def handler(self, route: Route) -> Handler:
        """How requests of a route are answered."""
        answer = {
            "document": self._document,
            "rows": self._rows,
            "packets": self._packets,
            "export": self._export,
            "map_export": self._export_map,
            "follow": self._follow,
        }[route.answer]

        async def handle(request: web.Request) -> web.StreamResponse:
            self._guard.check(request)
            values = parameters.read(route.parameters, request.query.items(), request.match_info)
            return await answer(request, route, values)

        return handle

    async def _document(self, request: web.Request, route: Route, values: dict[str, Any]) -> web.StreamResponse:
        return await self._workers.run(lambda: _json(route.call(self._feed, values)))

    async def _rows(self, request: web.Request, route: Route, values: dict[str, Any]) -> web.StreamResponse:
        if _wants_arrow(request):
            body = await self._workers.run(lambda: _arrow(route.call(self._feed, values)))
            return web.Response(body=body, content_type=exports.ARROW)
        if values.get("limit", 0) > MOST_JSON_ROWS:
            raise RequestError("parameter", f"limit is at most {MOST_JSON_ROWS} for JSON; Arrow has more")
        return await self._workers.run(lambda: _json({"rows": documents.rows(route.call(self._feed, values))}))

    async def _packets(self, request: web.Request, route: Route, values: dict[str, Any]) -> web.StreamResponse:
        found = await self._workers.run(lambda: route.call(self._feed, values))
        if not isinstance(found, bytes):
            return _json(found)
        headers = {"Content-Disposition": 'attachment; filename="packets.pcapng"'}
        return web.Response(body=found, content_type="application/x-pcapng", headers=headers)

    async def _export(self, request: web.Request, route: Route, values: dict[str, Any]) -> web.StreamResponse:
        form = values.pop("format")
        return await exports.send(
            request,
            self._exporters,
            exports.LISTS[form],
            "requests",
            lambda sink: exports.write_requests(self._feed, form, values, sink),
        )

    async def _export_map(self, request: web.Request, route: Route, values: dict[str, Any]) -> web.StreamResponse:
        form = values.pop("format")
        return await exports.send(
            request,
            self._exporters,
            exports.MAPS[form],
            "map",
            lambda sink: exports.write_map(self._feed, form, values, sink),
        )

    async def _follow(self, request: web.Request, route: Route, values: dict[str, Any]) -> web.StreamResponse:
        from tapper.filter import parse

        parse(values["where"])  # a wrong one is told before anything is sent
        if _wants_arrow(request):
            return await follow.arrow(request, self._feed, values, self._readers)
        return await follow.events(request, self._feed, values, self._readers, self._workers)

    async def open_session(self, request: web.Request) -> web.StreamResponse:
        """Gives a cookie for the token in the body: `{"token": "..."}`."""
        self._guard.check_origin(request.headers, request.host)
        try:
            async with asyncio.timeout(BODY_S):
                given = await request.json()
            token = given["token"]
        except TimeoutError as error:
            raise RequestError("late", f"the body did not come within {BODY_S:g} s") from error
        except (ValueError, KeyError, TypeError) as error:
            raise RequestError("parameter", 'the body is JSON: {"token": "..."}') from error
        if not isinstance(token, str) or not self._guard.opens(token):
            raise RequestError("token", "this is not the token of this session of tapper")
        response = _json({})
        response.set_cookie(
            self._guard.cookie, self._guard.session, httponly=True, samesite="Strict", path=BASE, secure=request.secure
        )
        return response

    async def describe(self, request: web.Request) -> web.StreamResponse:
        """The OpenAPI document."""
        from tapper.collector.api.openapi import document

        self._guard.check(request)
        return await self._workers.run(lambda: _json(document()))

    async def no_such_path(self, request: web.Request) -> web.StreamResponse:
        """What is not there."""
        self._guard.check(request)
        raise RequestError("not_found", f"no such path; {BASE}/openapi.json describes those that are")

    async def show_page(self, request: web.Request) -> web.StreamResponse:
        """The page and its files: nothing in them is confidential."""
        self._guard.check_origin({}, request.host)
        return self._page.answer(request.match_info["path"])


def _wants_arrow(request: web.Request) -> bool:
    return exports.ARROW in request.headers.get("Accept", "")


def _arrow(table: Any) -> bytes:
    import io

    sink = io.BytesIO()
    exports.write_arrow([table], table.schema, sink)
    return sink.getvalue()
