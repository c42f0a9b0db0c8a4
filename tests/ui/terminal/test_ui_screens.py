"""Each screen in each of its states, as pictures (SVG) that were looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tapper.feed.interface import AgentState, Health, TargetState
from tapper.feed.session import SessionFeed
from tests.feed.shop import recorded, shop
from tests.store.records import T0, engine_batch
from tests.ui.terminal import bodies
from tests.ui.terminal.driving import press, settled, until
from tests.ui.terminal.hostile import batch
from ui.terminal.app import TapperApp
from ui.terminal.state import State
from ui.terminal.top_line import TopLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tapper.feed.interface import Feed

SIXTH = ("down",) * 6
STREAM = ("G", "up")

SCREENS: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "requests": ((120, 30), ()),
    "requests_80": ((80, 24), ("down", "down", "down")),
    "requests_40": ((40, 16), ()),
    "requests_wide": ((120, 20), ("ctrl+w", "right", "right", "right", "right")),
    "requests_slowest": ((100, 20), ("L",)),
    "requests_filtered": ((100, 16), ("/", "=status >= 500", "enter")),
    "no_match": ((80, 12), ("/", "=status == 418", "enter")),
    "filter_fields": ((100, 20), ("/", "=dst.")),
    "filter_wrong": ((100, 12), ("/", "=statsu >= 500 && latency > 1s", "enter")),
    "commands": ((100, 24), (":", "=th")),
    "keys": ((120, 36), ("?",)),
    "keys_40": ((40, 16), ("?",)),
    "order": ((80, 24), ("s",)),
    "export": ((80, 24), ("x",)),
    "beside": ((160, 30), ("L", "enter")),
    "request": ((80, 24), (*SIXTH, "enter", "shift+tab")),
    "response": ((80, 24), (*SIXTH, "enter")),
    "timing": ((100, 20), ("L", "enter", "tab")),
    "messages": ((100, 20), (*STREAM, "enter", "tab", "tab")),
    "connection": ((100, 24), (*SIXTH, "enter", "shift+tab", "shift+tab", "shift+tab")),
    "detail_40": ((40, 16), (*SIXTH, "enter")),
    "map": ((120, 20), ("2",)),
    "map_40": ((40, 16), ("2",)),
    "map_callees": ((100, 20), ("2", "tab")),
    "map_focus": ((120, 16), ("2", "down", "tab", "tab", "tab")),
    "flows": ((100, 20), ("3",)),
    "flows_40": ((40, 20), ("3",)),
    "health": ((100, 40), ("4",)),
    "health_40": ((40, 24), ("4",)),
    "light_connection": ((100, 24), (":", "=theme light", "enter", *SIXTH, "enter", "tab", "tab")),
    "light": ((100, 20), (":", "=theme light", "enter", "down", "down", "down")),
}


def is_told(app: TapperApp) -> bool:
    """Whether the top line has its facts, which are asked for now and then, and waits for no answer."""
    top = app.query_one(TopLine)
    return top.summary is not None and top.health is not None and not top.busy


@pytest.fixture
def looks(snap_compare: Any) -> Callable[..., None]:
    def compare(feed: Feed, size: tuple[int, int], keys: tuple[str, ...] = ()) -> None:
        app = TapperApp(feed, state=State())

        async def before(pilot: Any) -> None:
            await settled(pilot)
            await press(pilot, *keys)
            await until(pilot, lambda: is_told(app))
            await settled(pilot)

        try:
            assert snap_compare(app, terminal_size=size, run_before=before)
        finally:
            app.desk.close()

    return compare


@pytest.mark.parametrize("name", SCREENS)
def test_screen(small: Feed, looks: Callable[..., None], name: str) -> None:
    looks(small, *SCREENS[name])


def test_without_colour(small: Feed, looks: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    looks(small, (100, 20), ("down", "down", "down"))


class Waiting(SessionFeed):
    """Something is tapped; nothing came yet."""

    def health(self) -> Health:
        return Health(live=True, title="shop/orders", rate=0.0)


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[SessionFeed]:
    with recorded(tmp_path / "x.tap", [engine_batch([])]) as feed:
        yield feed


@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
def test_empty(nothing: SessionFeed, looks: Callable[..., None], pane: str) -> None:
    looks(nothing, (80, 12), (pane,))


def test_nothing_came_yet(nothing: SessionFeed, looks: Callable[..., None]) -> None:
    nothing.__class__ = Waiting
    looks(nothing, (80, 12))


class Tapping(SessionFeed):
    """Three nodes, of which two make trouble."""

    def health(self) -> Health:
        agents = (
            AgentState(
                "a-x1", "node-a", "ready", T0, None, 3, 981_233, 20_611, 4_211, 0, 0, 3_000_000, None, 0.21, 91 << 20
            ),
            AgentState("a-x2", "node-b", "failed", T0, "image pull failed (401): check the pull secret"),
            AgentState("a-x3", "node-c", "ready", T0, None, 2, 5_000, 0, 900, 17, 3 << 20, 0, "bodies", 0.5, 64 << 20),
        )
        targets = (
            TargetState("orders-7d9f-x2x9k", "pod", "shop", "node-a"),
            TargetState("payments-5c-abcde", "pod", "shop", "node-b", "failed", "its node has no agent that is ready"),
            TargetState("news-0", "pod", "shop", None, "waiting", "Pending: Insufficient cpu"),
        )
        hints = (
            "1 of 3 nodes is not capturing: node-b: image pull failed (401). Requests through node-b are missing.",
            "node-a dropped 2.1 % of packets: some requests are incomplete. Narrow the tap, or give the agent more.",
        )
        return Health(live=True, title="shop", agents=agents, targets=targets, rate=41.0, hints=hints)


@pytest.mark.parametrize("size", [(110, 50), (40, 50)], ids=["110", "40"])
def test_agents(tmp_path: Path, looks: Callable[..., None], size: tuple[int, int]) -> None:
    with recorded(tmp_path / "x.tap", [shop()]) as feed:
        feed.__class__ = Tapping
        looks(feed, size, ("4",))


@pytest.mark.parametrize("keys", [("1",), ("1", "enter", "shift+tab"), ("1", "enter"), ("2",), ("3",)], ids="".join)
def test_hostile(tmp_path: Path, looks: Callable[..., None], keys: tuple[str, ...]) -> None:
    with recorded(tmp_path / "x.tap", [batch()], []) as feed:
        looks(feed, (100, 20), keys)


@pytest.mark.parametrize("name", bodies.BODIES)
def test_body(tmp_path: Path, looks: Callable[..., None], name: str) -> None:
    with recorded(tmp_path / "x.tap", [bodies.batch()]) as feed:
        looks(feed, (90, 24), ("down",) * list(bodies.BODIES).index(name) + ("enter", "shift+tab"))
