"""HAR files: valid by the specification, and what a reader of network panels relies on."""

from __future__ import annotations

import base64
import io
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.export import har
from tapper.export.requests import write_one
from tests.export.samples import ID, IMAGE, LOOKUP, NO_ANSWER, ORDER, headers, message, record, table

if TYPE_CHECKING:
    from tapper.model.records import Exchange, Message

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parent / "har-1.2.schema.json").read_text()),
    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
)


def written(*exchanges: Exchange) -> dict[str, Any]:
    sink = io.BytesIO()
    har.write(exchanges, sink)
    document: dict[str, Any] = json.loads(sink.getvalue())
    SCHEMA.validate(document)
    for entry in document["log"]["entries"]:
        _check(entry)
    return document["log"]


def _check(entry: dict[str, Any]) -> None:
    """What the schema can't say."""
    datetime.fromisoformat(entry["startedDateTime"])
    timings = entry["timings"]
    assert entry["time"] == pytest.approx(sum(ms for ms in timings.values() if ms >= 0))
    content = entry["response"]["content"]
    if content.get("encoding") == "base64":
        base64.b64decode(content["text"], validate=True)
    parts = urlsplit(entry["request"]["url"])
    assert parts.hostname
    assert parts.port is None or 0 <= parts.port <= 65535


def entry(row: dict[str, Any], *messages: Any, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = written(record(row, *messages, **changes))["entries"][0]
    return made


def test_an_entry_in_full() -> None:
    made = entry(ORDER)
    assert made == {
        "startedDateTime": "2023-11-14T22:13:20.123456789Z",
        "time": 1798.400001,
        "request": {
            "method": "POST",
            "url": "http://orders.shop:8080/orders?q=a%20b&flag",
            "httpVersion": "HTTP/1.1",
            "cookies": [{"name": "a", "value": "1"}, {"name": "b", "value": "<redacted:ab12cd>"}],
            "headers": ORDER["request_headers"],
            "queryString": [{"name": "q", "value": "a b"}, {"name": "flag", "value": ""}],
            "headersSize": 180,
            "bodySize": 12,
            "postData": {"mimeType": "application/json", "text": '{"item": 17}'},
        },
        "response": {
            "status": 503,
            "statusText": "Service Unavailable",
            "httpVersion": "HTTP/1.1",
            "cookies": [
                {
                    "name": "s",
                    "value": "1",
                    "path": "/",
                    "httpOnly": True,
                    "secure": True,
                    "expires": "2026-10-21T07:28:00+00:00",
                },
                {"name": "t", "value": "2"},
            ],
            "headers": ORDER["response_headers"],
            "content": {
                "size": 60,
                "mimeType": "text/plain; charset=utf-8",
                "compression": 20,
                "text": "no payments größe\n",
            },
            "redirectURL": "",
            "headersSize": 120,
            "bodySize": 40,
            "_transferSize": 160,
            "_trailers": [{"name": "Digest", "value": "x"}],
        },
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "send": 0.3, "wait": 1798.0, "receive": 0.100001},
        "serverIPAddress": "10.96.0.7",
        "connection": "8080",
        "_connectionId": str(2**63 + 5),
        "_resourceType": "fetch",
        "_k8s": {
            "src": {"ip": "10.0.1.4", "port": 40001, "name": "web", "namespace": "shop", "service": "web"},
            "dst": {"ip": "10.96.0.7", "port": 8080, "name": "orders", "service": "orders"},
        },
        "_tapper": {
            "id": "0190a7c2-0000-7000-8000-000000000001",
            "protocol": "http",
            "operation": "POST",
            "status": 503,
            "outcome": "server_error",
            "latency_ns": 1798400001,
            "view": "client",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "notes": ["redacted", "reused"],
            "interim": [103],
        },
    }


def test_a_request_without_an_answer() -> None:
    made = entry(NO_ANSWER)
    assert made["response"]["status"] == 0
    assert made["response"]["statusText"] == ""
    assert made["response"]["content"] == {"size": 0, "mimeType": "x-unknown"}
    assert made["response"]["_error"] == "no answer within 30 s"
    assert made["time"] == 0.3


def test_binary_is_base64_and_a_cut_is_told() -> None:
    content = entry(IMAGE)["response"]["content"]
    assert content == {
        "size": 5,
        "mimeType": "text/plain; charset=utf-8",
        "text": "iVBOR/8=",
        "encoding": "base64",
        "comment": "cut: the first 5 bytes were kept",
    }
    posted = entry(ORDER, request_body=b"\xff")["request"]["postData"]
    assert posted == {"mimeType": "application/json", "text": "/w==", "_encoding": "base64"}


def test_what_is_no_http_is_left_out_and_told() -> None:
    sink = io.BytesIO()
    write_one(record(LOOKUP), "har", sink)
    log = json.loads(sink.getvalue())["log"]
    assert (log["entries"], log["comment"]) == ([], "HAR holds HTTP only; left out: 1 dns")


def test_an_empty_archive_is_one() -> None:
    log = written()
    assert (log["pages"], log["entries"], log["creator"]["name"]) == ([], [], "tapper")


def test_exchanges_of_tables_have_their_messages() -> None:
    asked = []

    def messages(of: str) -> tuple[Message, ...]:
        asked.append(of)
        return (message(0, "sent", "text", b"hi"),)

    rows = [ORDER, IMAGE | {"messages_sent": 1, "messages_received": 0}, NO_ANSWER | {"messages_sent": 0}]
    made = list(har.exchanges([table(*rows[:1]), table(*rows[1:])], messages))
    assert [(one.id, len(one.messages)) for one in made] == [
        (str(ID), 0),
        ("0190a7c2-0000-7000-8000-000000000003", 1),
        ("0190a7c2-0000-7000-8000-000000000002", 0),
    ]
    assert asked == [made[1].id]
    assert made[0] == record(ORDER)


def test_websocket_messages_are_as_chrome_writes_them() -> None:
    made = entry(
        ORDER,
        message(0, "sent", "text", b"hi"),
        message(1, "received", "binary", b"\xff\x00"),
        message(2, "received", "close", None),
        protocol="websocket",
        operation=None,
        status=None,
    )
    assert made["_resourceType"] == "websocket"
    assert made["request"]["url"].startswith("ws://")
    assert (made["request"]["method"], made["response"]["status"]) == ("GET", 101)
    assert [(m["type"], m["opcode"], m["data"]) for m in made["_webSocketMessages"]] == [
        ("send", 1, "hi"),
        ("receive", 2, "/wA="),
        ("receive", 8, ""),
    ]
    assert made["_webSocketMessages"][0]["time"] == pytest.approx(1_700_000_000.123456)


def test_server_sent_events_are_as_chrome_writes_them() -> None:
    made = entry(ORDER, message(0, "received", "event", b'{"a":1}'), response_content_type="text/event-stream")
    assert made["_resourceType"] == "eventsource"
    assert made["response"]["content"]["mimeType"] == "text/event-stream"
    assert made["_eventSourceMessages"] == [
        {"time": pytest.approx(1_700_000_000.123456), "eventName": "message", "eventId": "", "data": '{"a":1}'}
    ]


def test_messages_of_other_streams() -> None:
    made = entry(ORDER, message(0, "received", "message", b"\x0a\xff"), protocol="grpc")
    assert (made["_messages"][0]["body"], made["_messages"][0]["body_encoding"]) == ("Cv8=", "base64")


def test_grpc_is_a_post_whose_status_is_apart() -> None:
    made = entry(
        ORDER,
        protocol="grpc",
        version="2",
        operation="pb.News/GetNews",
        target="/pb.News/GetNews",
        status=14,
        status_text="UNAVAILABLE",
        request_headers=headers((":method", "POST"), (":path", "/pb.News/GetNews"), (None, "x"), ("y", None)),
        response_headers=headers((":status", "200")),
    )
    assert made["request"]["method"] == "POST"
    assert made["request"]["url"] == "http://orders.shop:8080/pb.News/GetNews"
    assert made["request"]["httpVersion"] == "HTTP/2.0"
    assert made["response"]["status"] == 200
    assert (made["_tapper"]["status"], made["_tapper"]["status_text"]) == (14, "UNAVAILABLE")
    assert [header["name"] for header in made["request"]["headers"] if "comment" in header] == ["", "y"]


@pytest.mark.parametrize(
    ("authority", "target", "operation", "url"),
    [
        (None, "/x", "GET", "http://10.96.0.7:8080/x"),
        ("evil/../host", "/x", "GET", "http://10.96.0.7:8080/x"),
        ("[fe80::1]:80", "/x", "GET", "http://[fe80::1]:80/x"),
        ("h", "https://h/a b", "GET", "https://h/a%20b"),
        ("h", "*", "OPTIONS", "http://h/*"),
        ("h:443", "h:443", "CONNECT", "http://h:443/"),
        ("h", '/ü"<>\x00\x1b?a=\u202e', "GET", "http://h/%C3%BC%22%3C%3E%00%1B?a=%E2%80%AE"),
        ("h", None, "GET", "http://h/"),
        ("h", "http://:/a", "GET", "http://10.96.0.7:8080/a"),
        ("h:99999", "HTTP://[::x]", "GET", "http://10.96.0.7:8080/"),
        ("h:99999", "/", "GET", "http://10.96.0.7:8080/"),
    ],
)
def test_urls(authority: str | None, target: str | None, operation: str, url: str) -> None:
    made = entry(ORDER, authority=authority, target=target, operation=operation)
    assert made["request"]["url"] == url


def test_ipv6_without_a_host() -> None:
    assert entry(ORDER, dst_ip="fd00::7", authority="")["request"]["url"].startswith("http://[fd00::7]:8080/")


TEXT = st.none() | st.text(max_size=20)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["Cookie", "Set-Cookie", "Content-Type", "Location", ":path"]) | TEXT, TEXT), max_size=4
).map(lambda pairs: headers(*pairs))


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "authority": TEXT,
            "target": TEXT | st.text("/?#[]@:%&=\\", max_size=8).map(lambda t: "http://" + t),
            "version": TEXT,
            "error": TEXT,
            "outcome": st.sampled_from(["ok", "reset", "new word"]),
            "request_headers": HEADERS,
            "response_headers": HEADERS,
            "request_body": st.none() | st.binary(max_size=20),
            "response_body": st.none() | st.binary(max_size=20),
            "response_content_bytes": st.none() | st.integers(0, 2**63),
            "wait_ns": st.none() | st.integers(-(2**40), 2**60),
        }
    )
)
def test_whatever_was_captured_the_archive_is_valid(changes: dict[str, Any]) -> None:
    written(record(ORDER, **changes))
