"""Whatever is asked, however much at once: an answer that is described, never a failure of the server."""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.collector.api.routes import ROUTES, Route
from tapper.collector.api.serving import served
from tapper.feed.interface import FeedError
from tests.api.client import Client
from tests.store.records import T0

if TYPE_CHECKING:
    from tapper.collector.api.parameters import Parameter
    from tapper.feed.session import SessionFeed

FILTERS = (
    "",
    "status >= 500",
    "latency > 1s && dst.service == 'orders'",
    'request.headers["x-id"] == "b"',
    'request.body.contains("kettle") || has(response.body)',
    "status >",
    'target.matches("[")',
    "time > timestamp('9999-12-31T23:59:59Z')",
)
NUMBERS = st.one_of(
    st.integers(-2, 40), st.sampled_from([-(1 << 63), (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 200, T0]), st.integers()
)
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["a,b", "0197", "%", "\x00", "\U0001f600", "'; DROP TABLE exchange"])
)


def value(parameter: Parameter) -> st.SearchStrategy[Any]:
    sensible: st.SearchStrategy[Any] = TEXTS
    if parameter.name in ("where", "text"):
        sensible = st.one_of(st.sampled_from(FILTERS), TEXTS)
    elif parameter.kind in ("integer", "time") or parameter.name == "after_value":
        sensible = NUMBERS
    elif parameter.kind == "boolean":
        sensible = st.sampled_from(["true", "false", "1", ""])
    elif parameter.name in ("id", "after_id"):
        sensible = st.one_of(st.sampled_from(["01977420-dc00-7000-8000-000000000000", "0006", "019", "zz"]), TEXTS)
    if parameter.choices:
        sensible = st.sampled_from(parameter.choices)
    if parameter.kind == "names":
        sensible = st.lists(sensible, max_size=4).map(",".join)
    return st.integers(0, 9).flatmap(lambda odd: st.one_of(NUMBERS, TEXTS) if odd == 9 else sensible)


@st.composite
def asked(draw: st.DrawFn) -> tuple[Route, str, dict[str, str], bool]:
    route = draw(st.sampled_from(ROUTES))
    path, query = route.path, {}
    for parameter in route.parameters:
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", str(draw(value(parameter))) or "-")
        elif parameter.required or draw(st.booleans()):
            query[parameter.name] = str(draw(value(parameter)))
    return route, path, query, draw(st.booleans())


@settings(max_examples=400, deadline=None)
@given(asked())
def test_no_request_makes_the_server_fail(
    client: Client, request_made: tuple[Route, str, dict[str, str], bool]
) -> None:
    _, path, query, arrow = request_made
    headers = {"Accept": "application/vnd.apache.arrow.stream"} if arrow else {}
    answer = client.get(path, headers, **query)
    assert answer.status < 500, (path, query, answer.body[:500])
    if answer.status != 200:
        assert answer.code


def test_a_slow_answer_is_broken_off(feed: SessionFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = "SELECT sum(a.range * b.range) AS n FROM range(10000000) a, range(1000000) b"
    monkeypatch.setattr(type(feed), "count", lambda self, *_: self.session.query(slow)["n"][0].as_py())
    with served(feed, timeout_s=0.2) as address:
        answer = Client(address).get("/exchanges/count")
    assert (answer.status, answer.code) == (504, "slow")


def test_too_much_at_once_is_refused_and_passes(feed: SessionFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(type(feed), "count", lambda self, *_: 7 if go_on.wait(60) else 0)
    with served(feed) as address, ThreadPoolExecutor(150) as pool:
        answers = [pool.submit(Client(address).get, "/exchanges/count") for _ in range(150)]
        refused = list(_finished(answers, 46))
        assert {(a.status, a.code) for a in refused} == {(503, "busy")}
        go_on.set()
        assert sorted(a.result().status for a in answers) == [200] * 104 + [503] * 46
        assert Client(address).get("/exchanges/count").document == {"count": 7}


def _finished(futures: list[Any], count: int) -> list[Any]:
    from concurrent.futures import as_completed

    found = []
    for future in as_completed(futures, timeout=60):
        found.append(future.result())
        if len(found) == count:
            return found
    raise AssertionError


def test_a_reader_that_leaves_an_export_lets_its_thread_go(feed: SessionFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    left = threading.Event()

    def endless(self: SessionFeed, query: Any) -> Any:
        table = self.page(query.__class__(columns=query.columns))
        try:
            while True:
                yield table
        finally:
            left.set()

    monkeypatch.setattr(type(feed), "batches", endless)
    with served(feed) as address:
        host = address.base.removeprefix("http://")
        for _ in range(6):  # more than there are threads for it
            connection = http.client.HTTPConnection(host, timeout=60)
            left.clear()
            connection.request(
                "GET", "/api/v1/export/jsonl", headers={"Authorization": f"Bearer {address.guard.token}"}
            )
            response = connection.getresponse()
            assert response.status == 200
            assert response.read(100_000)
            response.close()
            connection.close()
            assert left.wait(60)


def test_an_answer_that_fails_on_the_way_is_cut(feed: SessionFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: SessionFeed, query: Any) -> Any:
        for _ in range(100):
            yield self.page(query.__class__(columns=query.columns))
        raise FeedError("the disk is gone")

    monkeypatch.setattr(type(feed), "batches", fails)
    with served(feed) as address, pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        Client(address).get("/export/jsonl")
