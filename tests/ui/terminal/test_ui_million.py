"""A session of a million requests: whatever is done in its list, only windows of it are asked for and held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from tapper.feed.session import SessionFeed
from tapper.store.session import ROWS, Session
from tests.feed.shop import ORDERS, WEB, call, recorded
from tests.store.records import engine_batch
from tests.ui.terminal.driving import driven, press, screen, settled
from ui.terminal.row_window import AHEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tapper.feed.interface import Query

pytestmark = pytest.mark.asyncio

MILLION = 1_000_000
HEIGHT = 30
MOST = HEIGHT + 2 * AHEAD
COPIES = """
INSERT INTO exchange SELECT exchange.* REPLACE (
  CAST(printf('%032x', n) AS UUID) AS id, make_timestamp_ns(epoch_ns(time) + n * 1000000) AS time,
  '/orders/' || n AS target, (n * 7919) % 1000003 * 1000 AS latency_ns)
FROM exchange, range(1, ?) copy(n)"""
"""A request a millisecond; all their latencies differ."""


class Counting(SessionFeed):
    """Tells how many rows each question was for."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.asked: list[int] = []

    def page(self, query: Query) -> pa.Table:
        self.asked.append(query.limit)
        return super().page(query)


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    path = tmp_path_factory.mktemp("million") / "x.tap"
    with recorded(path, [engine_batch([call(WEB, ORDERS, 0, 0, id=0, target="/orders/0")])]):
        pass
    with duckdb.connect(str(path / ROWS)) as rows:
        rows.execute(COPIES, [MILLION])
    with Counting(Session.open(path)) as feed:
        yield feed


async def test_moving_among_a_million_rows_holds_a_window_of_them(million: Counting) -> None:
    async with driven(million, size=(100, HEIGHT + 4)) as pilot:
        rows = pilot.app.requests.rows
        assert rows.total == MILLION
        assert rows.size.height == HEIGHT

        async def at(*keys: str, cursor: int) -> None:
            await press(pilot, *keys)
            assert rows.cursor == cursor
            assert rows.current is not None
            assert rows.current["target"] == f"/orders/{cursor}"
            assert f"/orders/{cursor} " in screen(pilot)
            assert len(rows.held[1]) <= MOST

        page = HEIGHT - 1
        await at(*["pagedown"] * 12, cursor=12 * page)
        await at("end", cursor=MILLION - 1)
        await at(*["pageup"] * 12, cursor=MILLION - 1 - 12 * page)
        await at("home", cursor=0)
        await at("G", "g", "G", cursor=MILLION - 1)
        for place in (500_000, 123_456, 876_543):
            rows.scroll_to(y=place, animate=False)  # as the scroll bar does when it is drawn there
            await settled(pilot)
            assert f"/orders/{place} " in screen(pilot)
            assert f"/orders/{place + page} " in screen(pilot)
            assert len(rows.held[1]) <= MOST
        assert max(million.asked) <= MOST


async def test_a_million_rows_in_another_order_and_filtered(million: Counting) -> None:
    async with driven(million, "L", size=(100, HEIGHT + 4)) as pilot:
        rows = pilot.app.requests.rows
        assert rows.total == MILLION

        def latencies() -> list[int]:
            return [row["latency_ns"] for row in rows.held[1]]

        assert latencies() == sorted(latencies(), reverse=True)
        assert latencies()[0] == 1_000_002_000
        await press(pilot, "end")
        assert latencies()[-1] == 0
        assert latencies() == sorted(latencies(), reverse=True)
        await press(pilot, "/", "=latency > 999ms", "enter")
        assert rows.total == 1002
        assert min(latencies()) > 999_000_000
        assert len(rows.held[1]) <= MOST
        assert max(million.asked) <= MOST
