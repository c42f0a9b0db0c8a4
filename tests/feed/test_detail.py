"""One exchange in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapper.feed.interface import AmbiguousError, FeedError, NotFoundError
from tapper.model.records import Endpoint
from tests.feed.shop import ORDERS, WEB
from tests.store.records import MS, SECOND, T0, exchange_id

if TYPE_CHECKING:
    from tapper.feed.session import SessionFeed


def key(number: int) -> str:
    return str(exchange_id(number, T0 + number * SECOND))


def test_an_exchange_with_everything(feed: SessionFeed) -> None:
    found = feed.exchange(key(6))
    assert (found.id, found.time_ns, found.latency_ns) == (key(6), T0 + 6 * SECOND, 16 * MS)
    assert (found.operation, found.target, found.status, found.reason, found.interim) == (
        "POST",
        "/orders/6",
        200,
        "Created",
        (100,),
    )
    assert found.src == Endpoint(WEB, 40000, "web", "file", "shop", None, "web", pod="web-1")
    assert found.dst == Endpoint(ORDERS, 8080, "orders", "file", "shop", "orders", "orders", "2.1", "orders-1")
    assert found.request.headers == (("Host", "orders.shop:80"), ("X-Id", "a"), ("x-id", "b"), ("unknown", None))
    assert found.request.header("X-ID") == "a"
    assert found.request.body == b'{"item": "kettle"}'
    assert (found.request.body_bytes, found.request.content_type, found.request.cut) == (18, "application/json", False)
    assert found.response is not None
    assert (found.response.trailers, found.response.body, found.response.cut) == ((("Digest", "x"),), b"made", True)
    assert found.notes == ("reused", "response_cut")
    assert found.messages == ()


def test_an_exchange_without_an_answer(feed: SessionFeed) -> None:
    found = feed.exchange(key(4))
    assert (found.status, found.outcome, found.error, found.latency_ns) == (None, "timeout", "no answer for 30 s", None)


def test_a_stream_comes_with_its_messages(feed: SessionFeed) -> None:
    found = feed.exchange(key(22))
    assert [(m.index, m.time_ns, m.body) for m in found.messages] == [
        (n, T0 + (22 + n) * SECOND, b"news %d" % n) for n in range(3)
    ]
    assert (found.messages[0].kind, found.messages[0].direction, found.messages[0].bytes) == ("event", "received", 10)
    assert [m.index for m in feed.messages(key(22), offset=1, limit=1)] == [1]
    assert feed.messages(key(6)) == ()


@pytest.mark.parametrize(
    "text",
    [
        key(6).replace("-", ""),
        key(6).upper(),
        f" {key(6)} ",
        key(6)[:13],
        key(21)[-4:],
    ],
)
def test_enough_of_an_id_is_an_id(feed: SessionFeed, text: str) -> None:
    assert feed.exchange(text).id in (key(6), key(21))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", NotFoundError),
        ("nothing", NotFoundError),
        ("ffffffff", NotFoundError),
        (key(6)[:-1] + "f", NotFoundError),
        ("0" * 40, NotFoundError),
        ("' OR 1=1", NotFoundError),
        ("000", FeedError),
        (key(6)[:8], AmbiguousError),
    ],
)
def test_an_id_that_stands_for_none_or_several_is_told(feed: SessionFeed, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        feed.exchange(text)
