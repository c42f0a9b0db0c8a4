from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapper.collector.api.serving import served
from tests.api.client import Client
from tests.feed.shop import recorded, shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.feed.session import SessionFeed


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionFeed]:
    with recorded(tmp_path_factory.mktemp("shop") / "x.tap", [shop()]) as made:
        yield made


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build of the web view looks like."""
    root = tmp_path_factory.mktemp("dist")
    (root / "assets").mkdir()
    (root / "index.html").write_text("<!doctype html><title>tapper</title>")
    (root / "assets" / "index-1a2b.js").write_text("start()")
    return root


@pytest.fixture(scope="module")
def client(feed: SessionFeed, dist: Path) -> Iterator[Client]:
    with served(feed, page=dist) as address:
        yield Client(address)
