"""Who may ask, and what a browser is told about what it gets."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from agent import serving
from tapper.collector.api import app
from tapper.collector.api.serving import served
from tests.api.client import Client

if TYPE_CHECKING:
    from tapper.feed.session import SessionFeed
    from tests.api.client import Answer

SUMMARY = "/api/v1/summary"


def login(client: Client, token: str, **headers: str) -> Answer:
    return client.raw("POST", "/api/v1/session", headers, json.dumps({"token": token}).encode())


def cookie(client: Client) -> dict[str, str]:
    set_cookie = login(client, client.address.guard.token).headers["Set-Cookie"]
    return {"Cookie": set_cookie.partition(";")[0]}


def test_the_token_is_changed_for_a_cookie_that_scripts_can_not_read(client: Client) -> None:
    answer = login(client, client.address.guard.token)
    assert answer.status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/api/v1"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert client.address.guard.token not in answer.headers["Set-Cookie"]
    assert client.raw("GET", SUMMARY, cookie(client)).status == 200


def test_a_url_for_a_browsers_command_line_opens_once(client: Client) -> None:
    code = client.address.url_once().partition("#k=")[2]
    assert login(client, code).status == 200
    assert login(client, code).status == 401


def test_a_url_says_what_the_page_begins_with(client: Client) -> None:
    assert "/?where=status+%3E%3D+500#k=" in client.address.url("status >= 500")
    assert "/?where=failed#k=" in client.address.url_once("failed")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}, {"Cookie": "a=b"}]
)
def test_without_it_nothing_is_told(client: Client, headers: dict[str, str]) -> None:
    answer = client.raw("GET", SUMMARY, headers)
    assert (answer.status, answer.code) == (401, "token")
    assert client.raw("GET", "/api/v1/nonsense", headers).status == 401
    assert client.raw("GET", "/api/v1/openapi.json", headers).status == 401


@pytest.mark.parametrize("token", ["wrong", "", "ä", "x" * 1000])
def test_a_wrong_token_opens_nothing(client: Client, token: str) -> None:
    assert login(client, token).status == 401


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"token": 1}', b"\xff", b"{" * 2000])
def test_a_body_that_is_none_opens_nothing(client: Client, data: bytes) -> None:
    assert client.raw("POST", "/api/v1/session", {}, data).status in (400, 401)


def test_a_large_body_is_refused(client: Client) -> None:
    answer = client.raw("POST", "/api/v1/session", {}, b'"' + b"x" * 10_000 + b'"')
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "", "127.0.0.1.evil.example"]
)
def test_other_names_are_refused(client: Client, host: str) -> None:
    answer = client.raw("GET", SUMMARY, {**cookie(client), "Host": host})
    assert (answer.status, answer.code) == (403, "origin")
    assert client.raw("GET", "/", {"Host": host}).status == 403
    assert login(client, client.address.guard.token, Host=host).status == 403


@pytest.mark.parametrize(
    "host", ["localhost:99", "127.0.0.1", "[::1]:8899", "tapper.localhost", "10.1.2.3:80", "LOCALHOST"]
)
def test_names_of_this_machine_are_not(client: Client, host: str) -> None:
    assert client.raw("GET", SUMMARY, {**cookie(client), "Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_servers_are_refused(client: Client, headers: dict[str, str]) -> None:
    assert client.raw("GET", SUMMARY, cookie(client) | headers).code == "origin"
    assert login(client, client.address.guard.token, **headers).code == "origin"


def test_its_own_page_is_not(client: Client) -> None:
    own = {"Origin": client.address.base, "Sec-Fetch-Site": "same-origin"}
    assert client.raw("GET", SUMMARY, cookie(client) | own).status == 200


def test_a_bearer_may_come_by_any_name(client: Client) -> None:
    assert client.get("/summary", {"Host": "collector.tapper.svc"}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/summary",
        "/api/v1/export/har",
        "/api/v1/map/export/svg",
        "/api/v1/follow",
        "/",
        "/assets/index-1a2b.js",
        "/api/v1/x",
    ],
)
def test_every_answer_says_how_it_may_be_used(client: Client, path: str) -> None:
    headers = client.raw("GET", path, cookie(client)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert path.startswith("/api") == (headers["Cache-Control"] == "no-store")


def test_the_page_is_for_every_path_and_its_assets_for_ever(client: Client) -> None:
    page = client.raw("GET", "/", {})
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert client.raw("GET", "/requests/4f21", {}).body == page.body
    asset = client.raw("GET", "/assets/index-1a2b.js", {})
    assert (asset.body, asset.headers["Content-Type"].partition(";")[0]) == (b"start()", "text/javascript")
    assert "immutable" in asset.headers["Cache-Control"]
    assert client.raw("GET", "/assets/index-old.js", {}).status == 404


@pytest.mark.parametrize("path", ["/../conftest.py", "/assets/../../x", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"])
def test_no_other_file_is_given(client: Client, path: str) -> None:
    answer = client.raw("GET", path, {})
    assert answer.status in (200, 404)
    assert b"root:" not in answer.body


@pytest.mark.parametrize("path", [SUMMARY, "/api/v1/exchanges/4f21", "/api/v1/openapi.json", "/", "/assets/x.js"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_a_method_that_a_path_does_not_know_is_refused_with_those_it_knows(
    client: Client, path: str, method: str
) -> None:
    answer = client.raw(method, path, cookie(client), b"{}")
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method", "GET, HEAD")


def test_a_session_is_opened_by_post_only(client: Client) -> None:
    answer = client.raw("GET", "/api/v1/session", {})
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method", "POST")


def test_a_body_that_does_not_come_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_S", 0.1)
    with socket.create_connection((client.address.host, client.address.port), timeout=60) as there:
        there.sendall(b'POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"token"')
        assert there.recv(1 << 16).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_does_not_come_is_not_waited_for(feed: SessionFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_S", 0.1)
    with (
        served(feed) as address,
        socket.create_connection((address.host, address.port), timeout=60) as there,
    ):
        there.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert there.recv(1 << 16) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"no HTTP at all\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["words", "TLS", "no host", "a long header", "two lengths"],
)
def test_what_is_no_http_is_refused_and_writes_nothing_on_the_terminal(
    client: Client, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection((client.address.host, client.address.port), timeout=60) as there:
        there.sendall(sent)
        assert there.recv(1 << 16).startswith(b"HTTP/1.0 400 ")
    assert not caplog.records


def test_a_fault_of_its_own_is_logged(
    feed: SessionFeed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("broken")

    monkeypatch.setattr(type(feed), "count", broken)
    with served(feed) as address:
        assert Client(address).get("/exchanges/count").status == 500
    assert "broken" in caplog.text
