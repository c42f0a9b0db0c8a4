"""Commands on a saved session, and the same on the capture itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tapper


def test_a_session_lists_like_its_capture(tapper: Tapper, saved: Path, shop: Path) -> None:
    assert tapper("list", saved, "-o", "wide").out == tapper("list", shop, "-o", "wide").out


def test_show_is_the_same_from_both(tapper: Tapper, saved: Path, shop: Path) -> None:
    wanted = tapper("list", saved, "--errors").out.split()[-1]
    assert tapper("show", saved, wanted).out == tapper("show", shop, wanted).out
    exchange = json.loads(tapper("show", saved, wanted, "-o", "json").out)
    assert exchange["outcome"] == "reset"


def test_open_gives_the_whole_in_one_screen(tapper: Tapper, saved: Path) -> None:
    ran = tapper("open", saved)
    assert ran.code == 0
    for part in ("5 requests: http 5", "Map", "refused 1 of 1", "Failed last", "Slowest", "/charge"):
        assert part in ran.out


def test_a_first_look_is_of_what_a_filter_leaves(tapper: Tapper, saved: Path) -> None:
    ran = tapper("open", saved, "-o", "text", "-f", "status < 400")
    assert "/orders/17" in ran.out
    assert "/charge" not in ran.out
    assert "Failed last" not in ran.out
    assert "of 5 requests match" in ran.err


def test_map_by_address_with_a_filter(tapper: Tapper, saved: Path) -> None:
    ran = tapper("map", saved, "--level", "address", "--to", "10.0.3.4")
    assert ran.code == 0
    assert "10.0.3.4" in ran.out
    assert "/" not in ran.out.splitlines()[0]


def test_a_map_that_changed_exits_with_4(tapper: Tapper, saved: Path, tmp_path: Path) -> None:
    from tests.cli import traffic

    same = tapper("map", "--diff", saved, saved)
    assert same.code == 0
    assert "no difference" in same.out
    more = traffic.shop()
    for _ in range(30):
        more.call(traffic.get("/rates", "bank"), traffic.answer(), client=traffic.PAYMENTS, server="10.0.4.5")
    more.write(tmp_path / "more.pcap")
    ran = tapper("map", "--diff", saved, tmp_path / "more.pcap")
    assert ran.code == 4
    assert "new" in ran.out
    assert "30 calls" in ran.out
    assert json.loads(tapper("map", "--diff", saved, tmp_path / "more.pcap", "-o", "json").out)["changes"]


def test_export_takes_the_format_from_the_file_name(tapper: Tapper, saved: Path, tmp_path: Path) -> None:
    assert tapper("export", saved, "-w", "shop.har").code == 0
    entries = json.loads((tmp_path / "shop.har").read_text())["log"]["entries"]
    assert [entry["response"]["status"] for entry in entries] == [200, 200, 404, 503, 0]
    assert tapper("export", saved, "-w", "shop.parquet", "--errors").code == 0
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "shop.parquet").num_rows == 2


def test_options_of_reading_are_refused_for_a_session(tapper: Tapper, saved: Path) -> None:
    ran = tapper("list", saved, "--no-bodies")
    assert ran.code == 2
    assert "is a session" in ran.err


def test_without_bodies_the_detail_says_so(tapper: Tapper, shop: Path) -> None:
    wanted = tapper("list", shop).out.splitlines()[1].split()[-1]
    assert "not kept" in tapper("show", shop, wanted, "--no-bodies").out


def test_what_a_live_tap_lost_is_told_at_every_stage(tapper: Tapper, tmp_path: Path) -> None:
    from tests.feed.shop import recorded
    from tests.store.records import T0, engine_batch

    told = {"ring": "drops", "shed": "exchanges", "agent": "lost_records", "collector": "lost_shipments"}
    told |= {"recording": "dropped", "store": "not_kept"}
    counters = [{"stage": stage, "name": name, "value": 300, "time": T0} for stage, name in told.items()]
    with recorded(tmp_path / "x.tap", [engine_batch(counters=counters)]):
        pass
    said = tapper("list", tmp_path / "x.tap").err
    assert "the kernel dropped 30.00% of the packets (300 of 1,000)" in said
    for stage, name in told.items():
        assert f"{stage}: {name.replace('_', ' ')} 300" in said
