"""The servers of the shop: what each answers, and whom it asks for it. Passwords and keys in here are for show."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

PORT = 8080
API_KEY = "pk-live-51H8yXq0w7RvZ"
ITEMS = ("kettle", "lamp", "chair", "desk", "rug", "mug", "shelf", "clock")
PASSED_ON = ("traceparent", "X-Request-Id", "Authorization")

chance = random.Random(7)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Cache(Protocol):
    """Keeps people for a while."""

    async def get(self, number: int, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """That person, from the cache or made."""


class Clerk(Protocol):
    """Knows the stock."""

    async def look(self, name: str) -> int | None:
        """How much there is of an item; None: not known in time."""


class Broker(Protocol):
    """Tells of orders."""

    async def publish(self, order: dict[str, Any]) -> None:
        """Tells of one."""


SESSION = web.AppKey("session", aiohttp.ClientSession)
CACHE = web.AppKey("cache", Cache)
CLERK = web.AppKey("clerk", Clerk)
BROKER = web.AppKey("broker", Broker)


def application(
    name: str, *, address: str | None = None, resolver: Callable[[], AbstractResolver] | None = None
) -> web.Application:
    """The server of a service.

    Args:
        name: of ROUTES.
        address: that it calls others from; None: any.
        resolver: makes what finds their addresses; None: the system's.
    """

    async def calls(app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(
            ttl_dns_cache=5,
            keepalive_timeout=15,
            limit_per_host=8,
            local_addr=(address, 0) if address else None,
            resolver=resolver() if resolver else None,
        )
        timeout = aiohttp.ClientTimeout(total=5, connect=1.5)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as app[SESSION]:
            yield

    app = web.Application()
    for method, path, handler in ROUTES[name]:
        app.router.add_route(method, path, handler)
    app.router.add_get("/healthz", health)
    app.cleanup_ctx.append(calls)
    return app


async def call(
    request: web.Request, method: str, url: str, headers: dict[str, str] | None = None, **more: Any
) -> tuple[int, Any]:
    """Status and JSON of another service's answer, asked with the trace and the user of the request."""
    passed = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    if trace := passed.get("traceparent"):
        version, trace_id, _, flags = trace.split("-")
        passed["traceparent"] = f"{version}-{trace_id}-{chance.getrandbits(64):016x}-{flags}"
    async with request.app[SESSION].request(method, url, headers=passed | (headers or {}), **more) as answer:
        body = await answer.read()
        return answer.status, json.loads(body) if body else None


def answer(data: Any, status: int = 200, **more: Any) -> web.Response:
    """JSON, compressed where it is worth it and wanted."""
    response = web.json_response(data, status=status, **more)
    if response.body and len(response.body) > 600:  # type: ignore[arg-type]
        response.enable_compression()
    return response


def person(number: int) -> dict[str, Any]:
    """A user."""
    maker = random.Random(number)
    first, last = maker.choice(("Ann", "Bo", "Cleo", "Dan", "Eve")), maker.choice(("Lee", "Moss", "Park", "Reed"))
    return {
        "id": number,
        "name": f"{first} {last}",
        "email": f"user{number}@shop.example",
        "ssn": f"{maker.randrange(10**9):09}",
    }


def order(number: int) -> dict[str, Any]:
    """An order."""
    maker = random.Random(number)
    lines = [
        {"item": maker.choice(ITEMS), "count": maker.randrange(1, 5), "price": round(maker.random() * 90, 2)}
        for _ in range(maker.randrange(1, 9))
    ]
    return {"id": number, "user": number % 40, "state": maker.choice(("new", "paid", "sent")), "lines": lines}


async def users_login(request: web.Request) -> web.Response:
    """Lets everybody in who knows a password."""
    form = await request.json()
    await asyncio.sleep(chance.uniform(0.002, 0.006))
    if form["password"] == "wrong":
        return answer({"error": "wrong user or password"}, 401)
    token = uuid.UUID(int=chance.getrandbits(128)).hex
    response = answer({"user": form["user"], "access_token": token, "expires": 3600})
    response.set_cookie("session", token, httponly=True, path="/")
    return response


async def users_get(request: web.Request) -> web.Response:
    """One user."""
    await asyncio.sleep(chance.uniform(0.001, 0.004))
    number = int(request.match_info["id"])
    if number >= 60:
        return answer({"error": "no such user"}, 404)
    return answer(await request.app[CACHE].get(number, person) if CACHE in request.app else person(number))


async def payments_charge(request: web.Request) -> web.Response:
    """Charges a card; its bank is not always there."""
    await request.json()
    await asyncio.sleep(chance.uniform(0.008, 0.03))
    if request.headers.get("X-Api-Key") != API_KEY:
        return answer({"error": "who are you?"}, 403)
    if chance.random() < 0.07:
        return answer({"error": "bank not reachable", "retry": True}, 503, headers={"Retry-After": "2"})
    return answer({"charged": True, "receipt": f"r-{chance.getrandbits(40):010x}"})


async def orders_list(request: web.Request) -> web.Response:
    """The newest orders."""
    await asyncio.sleep(chance.uniform(0.002, 0.008))
    return answer({"orders": [order(number) for number in range(100, 100 + int(request.query.get("limit", "5")))]})


async def orders_get(request: web.Request) -> web.Response:
    """One order with its user."""
    found = order(int(request.match_info["id"]))
    if CLERK in request.app:
        found["in_stock"] = await request.app[CLERK].look(found["lines"][0]["item"])
    status, user = await call(request, "GET", f"http://users:{PORT}/users/{found['user']}")
    return answer(found | {"user": user} if status == 200 else found)


async def orders_post(request: web.Request) -> web.Response:
    """Takes an order: charges, and tells audit, which nobody has deployed."""
    wanted = await request.json()
    charge = {"amount": wanted["count"] * 19.5, "card": wanted["card"], "order": chance.randrange(1000, 9999)}
    status, receipt = await call(
        request, "POST", f"http://payments:{PORT}/charge", json=charge, headers={"X-Api-Key": API_KEY}
    )
    if status != 200:
        return answer({"error": "payment failed", "cause": receipt}, 503)
    if BROKER in request.app:
        await request.app[BROKER].publish({"id": charge["order"], "item": wanted["item"]})
    if chance.random() < 0.4:
        with contextlib.suppress(aiohttp.ClientError):
            await call(request, "POST", "http://audit:9000/events", json={"kind": "order"})
    return answer({"id": charge["order"], "receipt": receipt["receipt"]}, 201)


async def gateway_home(request: web.Request) -> web.Response:
    """The start page's data, from three services at once."""
    parts = await asyncio.gather(
        call(request, "GET", f"http://orders:{PORT}/orders?limit=4"),
        call(request, "GET", f"http://users:{PORT}/users/{chance.randrange(62)}"),
        call(request, "GET", f"http://news.shop:{PORT}/top"),
        return_exceptions=True,
    )
    return answer([part[1] if isinstance(part, tuple) else None for part in parts])


async def gateway_pass(request: web.Request) -> web.Response:
    """Hands a request on to the service that its path names."""
    service = request.match_info["service"]
    url = f"http://{service}:{PORT}{request.rel_url.raw_path.removeprefix('/api')}"
    body = await request.read()
    headers = {"Content-Type": request.content_type} if body else {}
    status, data = await call(request, request.method, url, data=body or None, headers=headers, params=request.query)
    return answer(data, status)


async def gateway_login(request: web.Request) -> web.Response:
    """Login, at users."""
    status, data = await call(request, "POST", f"http://users:{PORT}/login", json=await request.json())
    response = answer(data, status)
    if status == 200:
        response.set_cookie("session", data["access_token"], httponly=True)
    return response


async def gateway_offers(request: web.Request) -> web.Response:
    """Offers, from a service that is gone behind a firewall."""
    try:
        status, data = await call(request, "GET", f"http://offers:{PORT}/offers")
    except (TimeoutError, aiohttp.ClientError):
        return answer({"error": "offers did not answer"}, 504)
    return answer(data, status)


async def gateway_events(request: web.Request) -> web.StreamResponse:
    """Prices as server-sent events."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    for number in range(int(request.query.get("count", "10"))):
        price = {"item": chance.choice(ITEMS), "price": round(chance.random() * 90, 2)}
        await response.write(f"event: price\nid: {number}\ndata: {json.dumps(price)}\n\n".encode())
        await asyncio.sleep(0.4)
    await response.write_eof()
    return response


async def gateway_live(request: web.Request) -> web.WebSocketResponse:
    """A chat with the shop: answers text and binary, says something by itself, and closes in order."""
    socket = web.WebSocketResponse(heartbeat=1.0)
    await socket.prepare(request)
    await socket.send_json({"hello": request.headers.get("X-Visitor"), "token": "ws-tok-17"})
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            await socket.send_json({"you_said": message.data, "offers": [chance.choice(ITEMS) for _ in range(30)]})
        elif message.type == aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data[::-1])
        if message.data == "bye":
            await socket.close(code=4001, message=b"bye")
    return socket


async def health(_: web.Request) -> web.Response:
    """For probes."""
    return web.Response(text="ok")


ROUTES: dict[str, list[tuple[str, str, Handler]]] = {
    "users": [("POST", "/login", users_login), ("GET", "/users/{id}", users_get)],
    "payments": [("POST", "/charge", payments_charge)],
    "orders": [("GET", "/orders", orders_list), ("GET", "/orders/{id}", orders_get), ("POST", "/orders", orders_post)],
    "gateway": [
        ("GET", "/api/home", gateway_home),
        ("GET", "/api/events", gateway_events),
        ("GET", "/api/offers", gateway_offers),
        ("GET", "/api/live", gateway_live),
        ("POST", "/api/login", gateway_login),
        ("*", "/api/{service:orders|users}{rest:.*}", gateway_pass),
    ],
}


class News(BaseHTTPRequestHandler):
    """HTTP/1.0, no length, closes: as many old servers do."""

    def do_GET(self) -> None:
        """Headlines, slowly."""
        if self.path != "/healthz":
            time.sleep(min(random.lognormvariate(-2.2, 0.9), 1.4))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        headlines = [{"id": n, "title": f"The {random.choice(ITEMS)} of the week"} for n in range(12)]
        self.wfile.write(json.dumps(headlines).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""
