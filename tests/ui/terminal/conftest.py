from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.feed.reading import ReadOptions, read_files, recording
from tapper.feed.session import open_session
from tapper.identity.names_file import read
from tests.feed.shop import recorded, shop
from ui.terminal import key_line, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.interface import Feed

DEMO = Path(__file__).parents[3] / "tapper" / "demo"


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Zone, colours and state do not depend on who runs the tests; how busy the machine is shows nowhere."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(watching, "PATIENCE_S", float("inf"))
    monkeypatch.setattr(key_line, "SAID_S", float("inf"))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """A few records of every kind, written by hand: nothing in it changes with the engine."""
    with recorded(tmp_path_factory.mktemp("small") / "x.tap", [shop()]) as feed:
        yield feed


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's capture, read into a session."""
    path = tmp_path_factory.mktemp("demo") / "shop.tap"
    capture = [str(DEMO / "shop.pcap.zst")]
    options = ReadOptions(claims=tuple(read(DEMO / "names.yaml")))
    with recording(capture, options, save=path) as session:
        for _ in read_files(capture, session, options):
            pass
    return path


@pytest.fixture
def demo_feed(demo: Path) -> Iterator[Feed]:
    with open_session(demo) as feed:
        yield feed
