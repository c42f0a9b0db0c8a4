"""A session that is still recorded into, and a collector that goes away."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tapper.collector.api.security import new_token
from tapper.collector.api.serving import served
from tapper.feed.interface import Health
from tapper.feed.recorder import Recorder
from tapper.feed.remote import open_remote
from tapper.feed.session import SessionFeed
from tapper.identity.index import Identity
from tapper.store.session import Session
from tests.feed.shop import CLAIMS, META, ORDERS, WEB, call
from tests.store.records import SCHEMA_MESSAGES, engine_batch
from tests.ui.terminal.driving import driven, press, screen, settled, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.feed.interface import Feed

pytestmark = pytest.mark.asyncio


class Live(SessionFeed):
    """A session of which is known that more comes."""

    def health(self) -> Health:
        return Health(live=True, title="shop/orders", rate=120.0)


class Growing:
    """Records calls when told to."""

    def __init__(self, session: Session) -> None:
        self.feed = Live(session)
        self.recorder = Recorder(session, SCHEMA_MESSAGES, Identity(CLAIMS))
        self.made = 0

    def more(self, number: int, latency_ms: float = 10) -> None:
        rows = [
            call(WEB, ORDERS, n / 10, latency_ms, id=n, target=f"/orders/{n}")
            for n in range(self.made, self.made + number)
        ]
        self.made += number
        self.recorder.add(engine_batch(rows))
        self.recorder.commit()


@contextmanager
def growing(path: Path) -> Iterator[Growing]:
    with Session.create(path, META) as session:
        made = Growing(session)
        made.more(100)
        yield made
        made.recorder.finish()


async def came(pilot: Any, total: int) -> None:
    await until(pilot, lambda: pilot.app.requests.rows.total == total)
    await settled(pilot)


async def test_following_stays_at_the_newest_and_lets_go(tmp_path: Path) -> None:
    with growing(tmp_path / "x.tap") as source:
        async with driven(source.feed, "f", size=(100, 20)) as pilot:
            rows = pilot.app.requests.rows
            await came(pilot, 100)
            assert "● live  120/s" in screen(pilot)
            assert rows.follow
            assert rows.cursor == 99
            source.more(50)
            await came(pilot, 150)
            assert rows.cursor == 149
            assert "/orders/149" in screen(pilot)
            assert "following" in screen(pilot)

            await press(pilot, "up")
            assert not rows.follow
            source.more(28)
            await came(pilot, 178)
            assert rows.current["target"] == "/orders/148"  # the cursor never moves by itself
            assert "+28 new, G to follow" in screen(pilot)

            await press(pilot, "G")
            assert rows.follow
            assert rows.current["target"] == "/orders/177"


@pytest.mark.parametrize("size", [(100, 20), (140, 30)])
async def test_opening_a_request_lets_go_and_it_stays(tmp_path: Path, size: tuple[int, int]) -> None:
    with growing(tmp_path / "x.tap") as source:
        async with driven(source.feed, "f", "enter", size=size) as pilot:
            await came(pilot, 100)
            requests = pilot.app.requests
            opened = requests.detail.exchange_id
            assert opened == requests.rows.current["id"]
            assert not requests.rows.follow
            source.more(50)
            await came(pilot, 150)
            assert requests.detail.exchange_id == requests.rows.current["id"] == opened
            assert "GET /orders/99" in screen(pilot)

            await press(pilot, "escape", "f")
            assert requests.rows.current["target"] == "/orders/149"


async def test_the_wheel_lets_go_too(tmp_path: Path) -> None:
    with growing(tmp_path / "x.tap") as source:
        async with driven(source.feed, "f", size=(100, 20)) as pilot:
            pilot.app.requests.rows.scroll_to(y=3, animate=False)
            await settled(pilot)
            assert not pilot.app.requests.rows.follow


async def test_paused_shows_nothing_new(tmp_path: Path) -> None:
    with growing(tmp_path / "x.tap") as source:
        async with driven(source.feed, "p", size=(100, 20)) as pilot:
            source.more(10)
            await until(pilot, lambda: pilot.app.watching.revision == source.feed.revision())
            await settled(pilot)
            assert pilot.app.requests.rows.total == 100
            assert "paused" in screen(pilot)
            await press(pilot, "p")
            await came(pilot, 110)


async def test_newest_first_keeps_its_place(tmp_path: Path) -> None:
    with growing(tmp_path / "x.tap") as source:
        async with driven(source.feed, "v", "down", "down", "down", size=(100, 20)) as pilot:
            rows = pilot.app.requests.rows
            assert rows.current["target"] == "/orders/96"
            source.more(40)
            await came(pilot, 140)
            assert rows.current["target"] == "/orders/96"


async def test_slowest_first_the_cursor_stays_on_its_request(tmp_path: Path) -> None:
    with growing(tmp_path / "x.tap") as source:
        async with driven(source.feed, "L", *["down"] * 5, size=(100, 20)) as pilot:
            rows = pilot.app.requests.rows
            target, seen = rows.current["target"], rows.cursor - rows.scroll_offset.y
            for number, latency in ((30, 50), (900, 70), (40, 1), (500, 90)):
                before = rows.total
                source.more(number, latency)
                await came(pilot, before + number)
                assert rows.current["target"] == target
                assert rows.cursor - rows.scroll_offset.y == seen  # nor does what is seen move
            assert rows.cursor == 5 + 30 + 900 + 500


async def test_a_collector_that_goes_away_is_told_and_what_was_seen_stays(small: Feed) -> None:
    token = new_token()
    with ExitStack() as first:
        address = first.enter_context(served(small, token=token))
        port = int(address.base.rpartition(":")[2])
        with open_remote(address.base, token) as remote:
            async with driven(remote) as pilot:
                assert pilot.app.requests.rows.total == 24
                await asyncio.to_thread(first.close)
                await until(pilot, lambda: "connection lost" in screen(pilot))
                assert "/orders/3" in screen(pilot)
                await press(pilot, "down", "down")
                assert pilot.app.requests.rows.cursor == 2
                with served(small, token=token, port=port):
                    await until(pilot, lambda: "connection lost" not in screen(pilot))
