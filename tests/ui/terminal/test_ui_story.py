"""The way of someone on call, by keyboard alone: slowest edge, slow request, where its time went, failures, exports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.ui.terminal.driving import driven, press, screen, until

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.feed.interface import Feed

pytestmark = pytest.mark.asyncio


async def test_from_the_slowest_edge_to_a_har(demo_feed: Feed, tmp_path: Path) -> None:
    async with driven(demo_feed, size=(120, 36)) as pilot:
        app = pilot.app
        await press(pilot, "2", "s", "9")  # the map, by p99
        assert "1.51 s" in screen(pilot).splitlines()[3]
        await press(pilot, "enter")
        assert app.pane.id == "requests"
        assert 'protocol == "http"' in app.where
        matching = app.requests.rows.total
        assert 0 < matching < 3222

        await press(pilot, "L", "enter")  # slowest first, the first in full
        exchange = app.requests.detail.whole.exchange
        assert exchange.status == 504
        assert exchange.latency_ns > 1_500_000_000
        await press(pilot, "tab")
        shown = screen(pilot)
        assert "waited" in shown
        assert "first to last byte" in shown
        assert "Waiting for" in shown

        edge = app.where
        await press(pilot, "escape", "/", "= && status >= 500", "enter")
        assert app.where == f"{edge} && status >= 500"
        assert 0 < app.requests.rows.total < matching
        failed = app.requests.rows.total

        har = tmp_path / "out.har"
        await press(pilot, "x", "h", "ctrl+u", f"={har}", "enter")
        await until(pilot, har.exists)
        assert len(json.loads(har.read_text())["log"]["entries"]) == failed
        assert har.stat().st_mode & 0o777 == 0o600

        picture = tmp_path / "out.svg"
        await press(pilot, "2", "x", "s", "ctrl+u", f"={picture}", "enter")
        await until(pilot, picture.exists)
        assert "<svg" in picture.read_text()
        assert "wrote" in screen(pilot)


@pytest.mark.parametrize(
    ("key", "begin"),
    [("g", b"<graphml"), ("d", b"digraph"), ("m", b"flowchart"), ("j", b"{"), ("c", b"src"), ("p", b"\x89PNG")],
)
async def test_the_map_in_every_format(small: Feed, tmp_path: Path, key: str, begin: bytes) -> None:
    path = tmp_path / "map"
    async with driven(small, "2", "x", key, "ctrl+u", f"={path}", "enter") as pilot:
        await until(pilot, lambda: "wrote" in screen(pilot) or "can't" in screen(pilot))
        if key == "p" and not path.exists():
            pytest.skip("no program here makes PNG pictures")
        assert begin in path.read_bytes()[:300]


@pytest.mark.parametrize("key", ["h", "l", "j", "y", "c", "p"])
async def test_requests_in_every_format(small: Feed, tmp_path: Path, key: str) -> None:
    path = tmp_path / "requests"
    async with driven(small, "x", key, "ctrl+u", f"={path}", "enter") as pilot:
        await until(pilot, path.exists)
        await until(pilot, lambda: "wrote" in screen(pilot))
        assert path.stat().st_size > 500


async def test_what_is_there_is_replaced_only_when_told_so(small: Feed, tmp_path: Path) -> None:
    path = tmp_path / "requests"
    path.write_text("mine")
    async with driven(small, "x", "h", "ctrl+u", f"={path}", "enter") as pilot:
        await press(pilot, "n")
        assert path.read_text() == "mine"
        await press(pilot, "x", "h", "ctrl+u", f"={path}", "enter", "y")
        await until(pilot, lambda: path.read_text() != "mine")
