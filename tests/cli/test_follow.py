"""`tapper follow` of a real API: requests come as they are recorded, and it ends in order at any moment."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapper.collector.api.serving import served
from tests.feed.shop import recorded, shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tapper.feed.session import open_session

    path = tmp_path_factory.mktemp("shop") / "shop.tap"
    with recorded(path, [shop()]):
        pass
    with open_session(path) as feed, served(feed) as address:
        yield address.url()


def following(url: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tapper.cli", "follow", "--collector", url, *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def test_a_feed_that_does_not_grow_is_followed_to_its_end(url: str) -> None:
    process = following(url, "-o", "jsonl")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert all(json.loads(line)["protocol"] for line in out.splitlines())
    assert "request" in err
    assert "Traceback" not in err


def test_without_a_collector_it_is_said_what_to_give() -> None:
    process = following("")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--collector URL" in err
