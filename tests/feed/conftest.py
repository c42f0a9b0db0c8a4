from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapper.collector.api.serving import served
from tapper.feed.remote import open_remote
from tests.feed.shop import recorded, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.interface import Feed


@pytest.fixture(scope="module", params=["session", "remote"])
def feed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Feed]:
    """The shop's session, and the same over the API; tests only read it."""
    with recorded(tmp_path_factory.mktemp("shop") / "x.tap", [shop()]) as made:
        if request.param == "session":
            yield made
            return
        with served(made) as address, open_remote(address.url()) as remote:
            yield remote
