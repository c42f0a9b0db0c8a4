"""Lists of exchanges and connections: order, pages, filters, columns."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.feed import rows, selection, streams
from tapper.feed.interface import AmbiguousError, ConnectionQuery, Feed, FeedError, Key, Query, Span
from tests.feed.shop import ORDERS, WEB, call, recorded, shop
from tests.store.records import SECOND, T0, engine_batch

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.feed.session import SessionFeed


def targets(table: pa.Table) -> list[str]:
    return [str(t) for t in table["target"].to_pylist()]


def test_it_is_a_feed(feed: SessionFeed) -> None:
    checked: Feed = feed
    assert checked.count() == 24


def test_a_row_has_all_columns_and_both_names(feed: SessionFeed) -> None:
    table = feed.page(Query(limit=1))
    assert table.schema.names == rows.EXCHANGE_ROW.names
    assert table.schema.types == rows.EXCHANGE_ROW.types
    [row] = table.to_pylist()
    assert (row["src_ip"], row["src_name"], row["src_workload"], row["src_port"]) == (WEB, "web", "web", 40000)
    assert (row["dst_ip"], row["dst_name"], row["dst_service"], row["dst_namespace"]) == (
        ORDERS,
        "orders",
        "orders",
        "shop",
    )


def test_oldest_first_newest_first_and_windows(feed: SessionFeed) -> None:
    everything = targets(feed.page(Query(limit=100)))
    assert everything[:3] == ["/orders/0", "/orders/1", "/orders/2"]
    assert targets(feed.page(Query(limit=100, descending=True))) == everything[::-1]
    assert targets(feed.page(Query(limit=5, offset=7))) == everything[7:12]
    assert feed.page(Query(limit=5, offset=100)).num_rows == 0
    assert feed.page(Query(limit=0)).num_rows == 0


@pytest.mark.parametrize("order", ["time", "latency_ns", "dst_name", "status", "id", "src_ip", "target"])
@pytest.mark.parametrize("descending", [False, True])
def test_going_on_after_a_key_gives_every_row_once(feed: SessionFeed, order: str, descending: bool) -> None:
    columns = tuple({"id", order})
    whole = feed.page(Query(order=order, descending=descending, columns=columns))
    ids = [str(i) for i in whole["id"].to_pylist()]
    paged: list[str] = []
    after = None
    while part := rows_of(feed, Query(order=order, descending=descending, limit=5, after=after, columns=columns)):
        paged += [str(row["id"]) for row in part]
        value = part[-1][order]
        after = Key(value if value is None or isinstance(value, int) else str(value), str(part[-1]["id"]))
    assert paged == ids
    values = [v for v in whole[order].to_pylist() if v is not None]
    assert values == sorted(values, reverse=descending)


def rows_of(feed: SessionFeed, query: Query) -> list[dict[str, Any]]:
    table = feed.page(query)
    if "time" in table.schema.names:
        table = table.set_column(table.schema.names.index("time"), "time", table["time"].cast(pa.int64()))
    listed: list[dict[str, Any]] = table.to_pylist()
    return listed


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("status >= 500", ["/orders/3"]),
        ("status >= 500 || outcome == 'timeout'", ["/orders/3", "/orders/4"]),
        ("latency > 1s", ["/charge"]),
        ('dst.service == "payments"', ["/charge"]),
        ('protocol == "dns"', ["payments.shop.svc.cluster.local"]),
        ('request.headers["x-id"] == "b"', ["/orders/6"]),
        ('request.body.contains("kettle")', ["/orders/6"]),
        ('request.body.contains("kettle") && status >= 500', []),
        ('request.body.contains("kettle") || latency > 1s', ["/orders/6", "/charge"]),
    ],
)
def test_filters_on_rows_names_headers_and_bodies(feed: SessionFeed, where: str, expected: list[str]) -> None:
    assert targets(feed.page(Query(where))) == expected
    assert targets(feed.page(Query(where, descending=True))) == expected[::-1]
    assert sorted(targets(feed.page(Query(where, order="latency_ns")))) == sorted(expected)
    assert feed.count(where) == len(expected)
    assert [t for table in feed.batches(Query(where, limit=0)) for t in targets(table)] == expected


def test_a_range_of_time(feed: SessionFeed) -> None:
    span = Span(T0 + 2 * SECOND, T0 + 5 * SECOND)
    assert targets(feed.page(Query(span=span))) == ["/orders/2", "/orders/3", "/orders/4"]
    assert feed.count("status == 500", span) == 1
    assert feed.count("", Span(T0 + 20 * SECOND)) == 4


def test_columns_with_payload(feed: SessionFeed) -> None:
    table = feed.page(Query(columns=("target", "request_body", "request_headers"), descending=True))
    assert table.schema.names == ["target", "request_body", "request_headers"]
    found = {row["target"]: row for row in table.to_pylist()}
    assert found["/orders/6"]["request_body"] == b'{"item": "kettle"}'
    assert found["/orders/6"]["request_headers"][3] == {"name": "unknown", "value": None}
    assert found["/orders/7"]["request_body"] is None


def test_payload_of_rows_from_several_batches_stays_with_its_row(tmp_path: Path) -> None:
    batches = [
        engine_batch(
            [call(WEB, ORDERS, 10 * i + b, 1, id=10 * i + b, request_body=b"%d" % (10 * i + b)) for i in range(9)]
        )
        for b in range(5)
    ]
    with recorded(tmp_path / "x.tap", batches) as feed:
        table = feed.page(Query(order="latency_ns", columns=("time", "request_body")))
        seconds = [(t - T0) // SECOND for t in table["time"].cast(pa.int64()).to_pylist()]
        assert [int(b) for b in table["request_body"].to_pylist()] == seconds


def test_headers_of_a_part_of_a_batch_stay_with_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "FIRST", 4)
    monkeypatch.setattr(selection, "MOST", 4)
    rows = [
        call(WEB, ORDERS, n, 1, id=n, target=str(n), request_headers=[("a", "x"), ("n", str(n)), ("b", None)][n % 3 :])
        for n in range(30)
    ]
    with recorded(tmp_path / "x.tap", [engine_batch(rows)]) as feed:
        for n in range(30):
            found = feed.page(Query(f'request.headers["n"] == "{n}"', columns=("target", "request_headers")))
            assert targets(found) == ([str(n)] if n % 3 < 2 else [])
            assert all(h[-2]["value"] == str(n) for h in found["request_headers"].to_pylist())


def test_without_payloads_there_is_nothing_in_them(tmp_path: Path) -> None:
    batch = shop()
    batch.payloads = None
    with recorded(tmp_path / "x.tap", [batch]) as feed:
        assert feed.page(Query(columns=("request_body",)))["request_body"].null_count == 24
        assert feed.count('request.body.contains("kettle")') == 0
        assert feed.exchange(str(feed.page(Query())["id"][6].as_py())).request.headers == ()


@pytest.mark.parametrize(
    "query",
    [Query(order="nonsense"), Query(columns=("nonsense",)), Query(limit=-1), Query(offset=-1), Query(limit=10**9)],
)
def test_what_can_not_be_asked_is_told(feed: SessionFeed, query: Query) -> None:
    with pytest.raises(FeedError):
        feed.page(query)


def test_a_wrong_filter_is_told(feed: SessionFeed) -> None:
    from tapper.filter import FilterError

    with pytest.raises(FilterError):
        feed.page(Query("statuss >= 500"))


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 12), descending=st.booleans(), offset=st.integers(0, 8), limit=st.integers(0, 8))
def test_chunks_of_any_size_give_the_same(
    feed: SessionFeed, size: int, descending: bool, offset: int, limit: int
) -> None:
    query = Query("size > 0", descending=descending, limit=1000)
    whole = targets(feed.page(query))
    exact = 'method != "PUT" && (request.body.contains("kettle") || !request.body.contains("pot"))'
    before = selection.FIRST, selection.MOST, selection.BUCKETS
    selection.FIRST, selection.MOST, selection.BUCKETS = min(2, size), size, 3
    try:
        streamed = Query(exact, descending=descending, limit=limit, offset=offset)
        got = [t for table in feed.batches(streamed) for t in targets(table)]
        assert got == whole[offset:][: limit or None]
        assert targets(feed.page(streamed)) == whole[offset : offset + limit]
        assert feed.count(exact) == len(whole)
    finally:
        selection.FIRST, selection.MOST, selection.BUCKETS = before


def test_rows_of_one_and_the_same_time_are_split_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "FIRST", 3)
    monkeypatch.setattr(streams, "MOST", 1)
    batch = engine_batch([call(WEB, ORDERS, 0, 1, id=n, target=str(n)) for n in range(10)])
    with recorded(tmp_path / "x.tap", [batch]) as feed:
        tables = list(feed.batches(Query(limit=0)))
        assert [t for table in tables for t in targets(table)] == [str(n) for n in range(10)]
        assert max(table.num_rows for table in tables) == 2


@pytest.mark.parametrize("order", ["latency_ns", "dst_name", "time"])
@pytest.mark.parametrize("where", ["", 'method != "PUT" && !request.body.contains("kettle")'])
def test_a_stream_in_any_order_is_the_page_of_that_order(
    feed: SessionFeed, order: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SORTED_ROWS", 5)
    query = Query(where, order=order, descending=True, columns=("target", "request_body"), limit=20, offset=2)
    assert pa.concat_tables(feed.batches(query)).to_pylist() == feed.page(query).to_pylist()


def test_large_bodies_come_in_small_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PART_BYTES", 10_000)
    rows = [call(WEB, ORDERS, n, 1, id=n, response_body=bytes(4000), response_body_bytes=4000) for n in range(10)]
    with recorded(tmp_path / "x.tap", [engine_batch(rows)]) as feed:
        tables = list(feed.batches(Query(limit=0, columns=("time", "response_body"))))
        assert max(table.num_rows for table in tables) <= 3
        assert [len(b) for table in tables for b in table["response_body"].to_pylist()] == [4000] * 10


def test_a_stream_may_be_left_early(feed: SessionFeed) -> None:
    assert len(list(islice(feed.follow(), 1))) == 1


def test_values_and_how_often(feed: SessionFeed) -> None:
    assert feed.values("protocol").to_pylist() == [{"value": "http", "count": 23}, {"value": "dns", "count": 1}]
    assert feed.values("dst_name", limit=1).to_pylist() == [{"value": "orders", "count": 21}]
    assert feed.values("status", "dst.service == 'orders'").to_pylist()[1:] == [
        {"value": "404", "count": 1},
        {"value": "500", "count": 1},
    ]


def test_connections_failed_ones_first(feed: SessionFeed) -> None:
    table = feed.connections(ConnectionQuery(failed_first=True))
    assert table.schema.names == rows.CONNECTION_ROW.names
    assert table.schema.types == rows.CONNECTION_ROW.types
    assert set(table["state"].to_pylist()[:2]) == {"refused", "reset"}
    failed = feed.connections(ConnectionQuery(failed_only=True, order="dst_name"))
    assert failed["dst_name"].to_pylist() == ["10.0.9.3", "orders"]
    assert feed.count_connections(ConnectionQuery(failed_only=True)) == 2
    assert feed.count_connections(ConnectionQuery('src.workload == "orders"')) == 2


def test_any_thread_may_ask(feed: SessionFeed) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda n: feed.count(f"status == {n}"), [200, 404, 500] * 8))
        exact = list(pool.map(lambda _: feed.count('request.body.contains("kettle")'), range(8)))
    assert counts == [20, 1, 1] * 8
    assert exact == [1] * 8


def test_several_ids(feed: SessionFeed) -> None:
    with pytest.raises(AmbiguousError) as caught:
        feed.exchange("0197")
    assert len(caught.value.ids) > 1
