from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.feed.shop import recorded, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.session import SessionFeed


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionFeed]:
    """The shop's session; tests only read it."""
    with recorded(tmp_path_factory.mktemp("shop") / "x.tap", [shop()]) as made:
        yield made
