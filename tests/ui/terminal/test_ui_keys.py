"""What each key does, on real records."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
from textual.events import Key
from textual.widgets import Input

from tests.feed.shop import recorded
from tests.store.records import engine_batch
from tests.ui.terminal.driving import driven, press, screen, settled, until
from ui.terminal.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.feed.interface import Feed

pytestmark = pytest.mark.asyncio


def lines(pilot: Any) -> list[str]:
    return screen(pilot).splitlines()


async def test_moving_in_the_list(small: Feed) -> None:
    async with driven(small, size=(80, 12)) as pilot:
        rows = pilot.app.requests.rows
        for keys, cursor in (
            (["down"], 1), (["j"], 2), (["k"], 1), (["up"], 0), (["pagedown"], 7), (["ctrl+f"], 14), (["ctrl+b"], 7),
            (["pageup"], 0), (["end"], 23), (["home"], 0), (["G"], 23), (["g"], 0), (["up"], 0),
        ):  # fmt: skip
            await press(pilot, *keys)
            assert rows.cursor == cursor, keys
        assert not rows.follow  # nothing more can come


async def test_every_column_orders(small: Feed) -> None:
    async with driven(small) as pilot:
        for key, column, falls in (
            ("l", "latency_ns", True), ("s", "status", True), ("z", "response_body_bytes", True),
            ("n", "request_body_bytes", True), ("f", "src_name", False), ("o", "dst_name", False),
            ("r", "target", False), ("p", "protocol", False), ("h", "authority", False), ("t", "time", False),
        ):  # fmt: skip
            await press(pilot, "s", key)
            assert (pilot.app.requests.list.query_.order, pilot.app.requests.list.query_.descending) == (column, falls)
        await press(pilot, "v")
        assert pilot.app.requests.list.query_.descending
        await press(pilot, "L")
        assert "/charge" in lines(pilot)[3]
        await press(pilot, "A")
        assert "/orders/0" in lines(pilot)[3]


async def test_titles_are_clicked_to_sort_rows_to_open_names_to_go(small: Feed) -> None:
    async with driven(small) as pilot:
        at = lines(pilot)[2].index("LATENCY")
        await pilot.click(offset=(at + 2, 2))
        await settled(pilot)
        assert pilot.app.requests.list.query_.order == "latency_ns"
        await pilot.click(offset=(20, 6))
        await settled(pilot)
        assert pilot.app.requests.rows.cursor == 3
        await pilot.click(offset=(20, 6))
        await settled(pilot)
        assert pilot.app.requests.detail.whole is not None
        await pilot.click(offset=(lines(pilot)[4].index("timing") + 1, 4))
        await settled(pilot)
        assert pilot.app.requests.detail.tab == "timing"
        await pilot.click(offset=(lines(pilot)[0].index("map"), 0))
        await settled(pilot)
        assert pilot.app.pane.id == "map"


async def test_a_filter_is_completed_and_used(small: Feed) -> None:
    async with driven(small, "/", "=prot") as pilot:
        assert "protocol" in screen(pilot)
        await press(pilot, "tab", '= == "')
        assert '"dns"' in screen(pilot)  # a value that was seen
        await press(pilot, "=dn", "tab", "enter")
        assert pilot.app.where == 'protocol == "dns"'
        assert pilot.app.requests.rows.total == 1
        await press(pilot, "escape")
        assert pilot.app.where == ""
        assert pilot.app.requests.rows.total == 24
        await press(pilot, "[")
        assert pilot.app.where == 'protocol == "dns"'
        await press(pilot, "[", "]")
        assert pilot.app.where == 'protocol == "dns"'
        await press(pilot, "escape", "/", "up")
        assert pilot.app._line._input.value == 'protocol == "dns"'
        await press(pilot, "escape")
        assert pilot.app.where == ""


@pytest.mark.parametrize(("typed", "what"), [("/selfish", "filter"), (":selfish", "commands"), ("//:*xq1f", "filter")])
async def test_what_is_typed_ahead_goes_where_the_first_key_leads(small: Feed, typed: str, what: str) -> None:
    async with driven(small) as pilot:
        names = {"/": "slash", ":": "colon", "*": "asterisk"}
        for char in typed:
            pilot.app.post_message(Key(names.get(char, char), char))
        await settled(pilot)
        line = pilot.app.focused
        assert isinstance(line, Input)
        await until(pilot, lambda: line.value == typed[1:])
        assert (line is pilot.app._line._input) == (what == "filter")


async def test_what_is_typed_fast_is_done_in_its_order(small: Feed) -> None:
    async with driven(small, where="status >= 200") as pilot:
        keys = (("slash", "/"), ("ctrl+u", "\x15"), ("a", "a"), ("b", "b"), ("ctrl+u", "\x15"), ("c", "c"), ("d", "d"))
        for key, char in (*keys, ("backspace", "\x7f"), ("e", "e")):
            pilot.app.post_message(Key(key, char))
        await settled(pilot)
        assert pilot.app._line._input.value == "ce"


@pytest.mark.parametrize(
    ("typed", "names", "value"),
    [
        ("xh\x15/tmp/q", {"\x15": "ctrl+u", "/": "slash"}, "/tmp/q"),
        ("*+slow", {"*": "asterisk", "+": "plus"}, "slow"),
        (":export\rlsave.jsonl", {":": "colon", "\r": "enter", ".": "full_stop"}, "requests.jsonlsave.jsonl"),
    ],
    ids=["export", "keep", "palette"],
)
async def test_what_is_typed_behind_a_menus_key_goes_where_that_leads(
    small: Feed, typed: str, names: dict[str, str], value: str
) -> None:
    async with driven(small, *["down"] * 6, where="status >= 0") as pilot:
        for char in typed:
            pilot.app.post_message(Key(names.get(char, char), char))
        await settled(pilot)
        await until(pilot, lambda: isinstance(pilot.app.focused, Input) and pilot.app.focused.value == value)


async def test_a_row_is_opened_that_was_not_there_yet(small: Feed) -> None:
    async with driven(small) as pilot:
        for key in ("s", "l", "enter"):
            pilot.app.post_message(Key(key, key[0]))
        await until(pilot, lambda: pilot.app.requests.detail.whole is not None)
        assert pilot.app.requests.detail.whole.exchange.target == "/charge"


async def test_a_choice_made_twice_is_made_once(small: Feed) -> None:
    async with driven(small, "s") as pilot:
        for _ in range(2):
            pilot.app.post_message(Key("l", "l"))
        await settled(pilot)
        assert pilot.app.requests.list.query_.order == "latency_ns"
        assert len(pilot.app.screen_stack) == 1


async def test_the_caret_is_under_the_wrong_word(small: Feed) -> None:
    async with driven(small, "/", "=status >= 500 && latencyy > 1s", "enter") as pilot:
        typed, caret, words = lines(pilot)[1:4]
        assert caret.index("^") == typed.index("latencyy")
        assert caret.strip() == "^" * len("latencyy")
        assert "latency" in words
        assert pilot.app.where == ""
        await press(pilot, "escape")
        assert "^" not in lines(pilot)[2]


async def test_filters_are_kept_by_name_and_brought_back(small: Feed, tmp_path: Path) -> None:
    state = State.read(tmp_path / "terminal.json")
    async with driven(small, "*", state=state) as pilot:
        assert "no filter is kept yet" in screen(pilot)
        await press(pilot, "/", "=status >= 500", "enter", "*", "+", "=broken", "enter", "escape")
        assert pilot.app.where == ""
        await press(pilot, "*", "enter")
        assert pilot.app.where == "status >= 500"
    again = State.read(tmp_path / "terminal.json")
    assert again.saved == {"broken": "status >= 500"}
    assert again.history == ["status >= 500"]
    async with driven(small, ":", "=broken", "enter", state=again) as pilot:
        assert pilot.app.where == "status >= 500"


async def test_state_is_remembered(small: Feed, tmp_path: Path) -> None:
    path = tmp_path / "terminal.json"
    async with driven(small, ":", "=theme light", "enter", "ctrl+w", state=State.read(path)) as pilot:
        assert pilot.app.theme == "light"
        await press(pilot, ":", "=hide column size", "enter", "2", "n")
    async with driven(small, state=State.read(path)) as pilot:
        assert pilot.app.theme == "light"
        assert pilot.app.requests.rows.has_class("wide")
        assert pilot.app.state.hidden == ["SIZE"]
        assert pilot.app.state.level == "workload"
        await press(pilot, "ctrl+w")
        assert "SIZE" not in lines(pilot)[2]
    path.write_text('{"theme": 7, "saved": ["x"], "history": [1, "a"]}')
    assert State.read(path) == State(history=["a"], path=path)
    path.write_bytes(b"\xff{")
    assert State.read(path) == State(path=path)


async def test_no_colour(small: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven(small, "down", "down") as pilot:
        assert pilot.app.no_color
        assert "500 ✗" in screen(pilot)  # outcomes read without colour


async def test_errors_only_and_back(small: Feed) -> None:
    async with driven(small, "e") as pilot:
        assert pilot.app.where == "failed"
        assert pilot.app.requests.rows.total == 2
        await press(pilot, "ctrl+z")
        assert pilot.app.where == ""
        await press(pilot, "/", '=protocol == "http"', "enter", "e")
        assert pilot.app.where == 'failed && (protocol == "http")'
        await press(pilot, "e")
        assert pilot.app.where == 'protocol == "http"'


async def test_next_and_previous_without_going_back(small: Feed) -> None:
    async with driven(small, "enter", size=(80, 24)) as pilot:
        detail = pilot.app.requests.detail
        assert detail.whole.exchange.target == "/orders/0"
        await press(pilot, "space", "space")
        assert detail.whole.exchange.target == "/orders/2"
        await press(pilot, "p")
        assert detail.whole.exchange.target == "/orders/1"
        await press(pilot, "escape")
        assert pilot.app.requests.rows.cursor == 1


async def test_parts_of_a_request(small: Feed) -> None:
    async with driven(small, "down", "down", "down", "down", "down", "down", "enter") as pilot:
        detail = pilot.app.requests.detail
        seen = {}
        for _ in range(5):
            seen[detail.tab] = screen(pilot)
            await press(pilot, "tab")
        assert set(seen) == {"request", "response", "timing", "connection", "packets"}
        assert "(not known)" in seen["request"]
        assert '"item": "kettle"' in seen["request"]
        assert "trailers" in seen["response"]
        assert "cut" in seen["response"]
        assert "handshake" in seen["connection"]
        assert "--pcap" in seen["packets"] or "not kept" in seen["packets"]
        await press(pilot, "shift+tab", "shift+tab")
        assert detail.tab == "packets"


async def test_body_views_folding_and_search(small: Feed) -> None:
    async with driven(small, *["down"] * 6, "enter", "shift+tab") as pilot:
        detail = pilot.app.requests.detail
        assert detail.tab == "request"
        await press(pilot, "/", "=kettle", "enter")
        assert "1 lines have it" in screen(pilot)
        await press(pilot, "up", "enter")
        assert "{ … 2 lines" in screen(pilot)
        await press(pilot, "enter", "m")
        assert "body as" in screen(pilot)
        views = set()
        for _ in range(4):
            await press(pilot, "m")
            views.add(detail._views["request"])
        assert {"json", "hex"} <= views


async def test_copies_reach_the_clipboard(small: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.terminal.clipboard.shutil.which", lambda name: None)  # only the terminal is left
    async with driven(small, *["down"] * 6) as pilot:
        await press(pilot, "c", "c")
        assert pilot.app.clipboard.startswith("curl -sS -i -X POST")
        assert '\'{"item": "kettle"}\'' in pilot.app.clipboard
        await press(pilot, "y", "u")
        assert pilot.app.clipboard == "http://orders.shop:80/orders/6"
        await press(pilot, "y", "b")
        assert pilot.app.clipboard == "made"
        await press(pilot, "y", "r")
        assert pilot.app.clipboard == '{"item": "kettle"}'
        await press(pilot, "y", "j")
        assert '"kettle' in pilot.app.clipboard or base64.b64encode(b"kettle").decode() in pilot.app.clipboard


async def test_the_cursor_stays_in_sight_when_the_terminal_gets_smaller(small: Feed) -> None:
    async with driven(small, *["down"] * 15, size=(120, 30)) as pilot:
        here = next(text for text in lines(pilot) if text.startswith(">"))
        await pilot.resize_terminal(100, 14)
        await settled(pilot)
        rows = pilot.app.requests.list.rows
        await until(pilot, lambda: rows.size.height < 14)
        await settled(pilot)
        shown = next(text for text in lines(pilot) if text.startswith(">"))
        assert shown.split()[0] == here.split()[0]


async def test_the_map_leads_to_requests(small: Feed) -> None:
    async with driven(small, "2") as pilot:
        app = pilot.app
        assert "10.0.9.3" in lines(pilot)[3]  # refused hurts most
        await press(pilot, "enter")
        assert app.pane.id == "flows"
        assert "refused" in lines(pilot)[3]
        await press(pilot, "q", "2")
        found = next(n for n, text in enumerate(lines(pilot)) if "payments" in text or "10.0.0.3" in text)
        await press(pilot, *["down"] * (found - 3), "enter")
        assert app.pane.id == "requests"
        assert app.requests.rows.total == 1


@pytest.mark.parametrize("width", [80, 120])
async def test_the_map_has_words_for_what_has_no_calls_and_for_what_has_more(small: Feed, width: int) -> None:
    async with driven(small, "2", "G", size=(width, 20)) as pilot:
        assert re.search(r"^>shop/web +rates.*not parsed +1 connection", screen(pilot), re.MULTILINE)
        found = next(n for n, text in enumerate(lines(pilot)) if re.match(r".shop/web +shop/orders", text))
        assert "1 stream" not in lines(pilot)[found]
        await press(pilot, "g", *["down"] * (found - 3))
        assert "1 stream, 3 messages, 1 open" in lines(pilot)[-1]
        assert "? keys" in lines(pilot)[-1]


async def test_the_map_marks_its_order(small: Feed) -> None:
    async with driven(small, "2", "s", "9") as pilot:
        assert "▾p99" in lines(pilot)[2]
        await press(pilot, "s", "f")
        assert "FROM▴" in lines(pilot)[2]
        await press(pilot, "s", "h")
        assert not set("▾▴") & set(lines(pilot)[2])


async def test_the_map_as_trees_and_around_one(small: Feed) -> None:
    async with driven(small, "2", "tab") as pilot:
        app = pilot.app
        assert "CALLEE, CALLERS" in screen(pilot)
        folded = len(lines(pilot))
        await press(pilot, "space")
        assert "▸" in screen(pilot)
        assert len(lines(pilot)) == folded
        await press(pilot, "tab")
        assert "CALLER, CALLEES" in screen(pilot)
        await press(pilot, "tab")
        assert "CALLERS" in lines(pilot)[2]
        assert app.pane.view == "focus"
        await press(pilot, "l", "tab", "v")
        assert "CALLS OVER TIME" in screen(pilot)
        await press(pilot, "e")
        assert app.pane.only_failed


async def test_failed_flows_first_with_words(small: Feed) -> None:
    async with driven(small, "3") as pilot:
        assert ["reset" in lines(pilot)[3], "refused" in lines(pilot)[4]] == [True, True]
        await press(pilot, "down")
        assert "Usually nothing listens on that port" in " ".join(screen(pilot).split())
        await press(pilot, "e")
        assert pilot.app.pane.rows.total == 2
        await press(pilot, "e", "s", "down", "enter")
        assert pilot.app.pane.query_.order != "time"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("status >= 500", "1 of 5, not filtered: the filter is about requests"),
        ("status >= 500 && src.name == 'web'", "1 of 3, filtered in part: the rest is about requests"),
        ("src.name == 'web'", "1 of 3"),
    ],
)
async def test_flows_are_filtered_by_what_they_have_and_say_so(small: Feed, where: str, said: str) -> None:
    async with driven(small, "/", f"={where}", "enter", "3") as pilot:
        assert lines(pilot)[-1].rstrip().endswith(f" {said}")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("unanswered", ("no answer to the SYN", "network policy or firewall", "belongs to no pod any more")),
        ("refused", ("nothing listens", "process crashed", "no ready endpoint")),
        ("reset", ("reset by one end", "the process ended or crashed meanwhile")),
    ],
)
async def test_what_a_failed_connection_usually_means(tmp_path: Path, state: str, words: tuple[str, ...]) -> None:
    connections = [{"id": 1}, {"id": 2, "state": state, "exchanges": 0}]
    with recorded(tmp_path / "x.tap", [engine_batch([], connections)]) as feed:
        for size in ((120, 30), (80, 24)):
            async with driven(feed, "3", size=size) as pilot:
                assert state in lines(pilot)[3]  # before what went well, though later
                shown = " ".join(screen(pilot).split())
                assert [word for word in words if word not in shown] == []


async def test_health_tells_every_stage(small: Feed) -> None:
    async with driven(small, "4", size=(100, 60)) as pilot:
        shown = screen(pilot)
        assert "gaps" in shown
        assert "segments" in shown
        assert "24" in shown


async def test_a_range_of_time(small: Feed) -> None:
    async with driven(small, "t", "1") as pilot:
        assert pilot.app.requests.rows.total == 24
        await press(pilot, "t", "0")
        assert pilot.app.requests.rows.total == 24


async def test_keys_are_told_for_each_screen(small: Feed) -> None:
    async with driven(small, size=(120, 50)) as pilot:
        for pane, words in (("1", "errors only"), ("2", "focus"), ("3", "failed only"), ("4", "search")):
            await press(pilot, pane, "?")
            assert words in screen(pilot), pane
            await press(pilot, "escape")


async def test_q_goes_back_and_at_the_root_quits(small: Feed) -> None:
    async with driven(small, "2", "q") as pilot:
        assert pilot.app.pane.id == "requests"
        await press(pilot, "enter", "q")
        assert pilot.app.is_running
        await pilot.press("q")
        assert pilot.app.return_code == 0


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_it_is_left_from_everywhere(small: Feed, key: str) -> None:
    async with driven(small, "2", "enter") as pilot:
        await pilot.press(key)
        assert pilot.app.return_code == 0


async def test_the_body_in_a_pager(small: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager")
    async with driven(small, "enter", "o") as pilot:
        assert "no-such-pager is not installed" in screen(pilot)
        body = tmp_path / "body"
        await press(pilot, "escape", *["down"] * 6, "enter", "b", "ctrl+u", f"={body}", "enter")
        assert body.read_bytes() == b"made"
