"""Rows as they come, for those who follow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tapper.feed.interface import Health
from tapper.feed.live import LiveFeed, Log
from tapper.store.errors import StoreError
from tapper.store.tables import EXCHANGE
from tests.feed.shop import recorded, shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

FOLLOWERS, PIECES = 32, 8


def test_any_number_that_follow_do_not_use_up_the_stores_memory(tmp_path: Path) -> None:
    with recorded(tmp_path / "x.tap", [shop()]) as saved, ThreadPoolExecutor(FOLLOWERS) as pool:
        rows = saved.session.query("SELECT * FROM exchange").cast(EXCHANGE)
        log, all_have_it = Log(), threading.Barrier(FOLLOWERS + 1, timeout=60)
        feed = LiveFeed(saved.session, log, Health)

        def follow(coming: Iterator[pa.Table]) -> int:
            came = 0
            try:
                for table in coming:
                    if table.num_rows:
                        came += table.num_rows
                        all_have_it.wait()
            except BaseException:
                all_have_it.abort()
                raise
            return came

        following = pool.map(follow, [feed.follow() for _ in range(FOLLOWERS)])
        try:
            for _ in range(PIECES):
                log.add(rows)
                all_have_it.wait()
        finally:
            log.end()
        assert list(following) == [PIECES * rows.num_rows] * FOLLOWERS


def test_an_answer_without_memory_is_an_error_that_says_so(tmp_path: Path) -> None:
    large = "SELECT list(hash(a.range * b.range)) FROM range(100000) a, range(1000) b"
    with recorded(tmp_path / "x.tap", [shop()]) as saved, pytest.raises(StoreError, match="no memory left"):
        saved.session.query(large)
