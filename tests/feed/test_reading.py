"""From capture files to a session, with the real engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.feed import overview
from tapper.feed.fresh import Matcher
from tapper.feed.interface import Query
from tapper.feed.reading import ReadOptions, read_files, recording
from tapper.feed.session import SessionFeed, open_session
from tapper.identity import names_file
from tapper.store.errors import SessionExistsError

if TYPE_CHECKING:
    from tapper.store.session import Session

pytest.importorskip("agent._engine", reason="the engine is not built")

SHOP = "tapper/demo/shop.pcap.zst"
NGINX, AIOHTTP = "tests/captures/nginx.pcap.zst", "tests/captures/aiohttp.pcap.zst"


def test_a_capture_becomes_a_session_that_opens_again(tmp_path: Path) -> None:
    with recording([SHOP], save=tmp_path / "x.tap") as session:
        steps = list(read_files([SHOP], session))
        live = SessionFeed(session).summary()
    assert steps[-1].position == steps[-1].total == Path(SHOP).stat().st_size
    with open_session(tmp_path / "x.tap") as feed:
        assert feed.summary() == live
        assert (live.complete, live.sources[0].name, live.packets) == (True, SHOP, steps[-1].packets)
        assert live.exchanges == feed.count() > 1000
        names = {n["name"]: n for n in feed.edges().nodes.to_pylist()}
        assert {"web", "gateway", "orders", "payments"} <= set(names)
        assert (names["orders"]["namespace"], names["orders"]["name_source"]) == ("shop", "dns")


def test_what_streams_while_reading_is_what_is_kept(tmp_path: Path) -> None:
    columns = ("id", "src_ip", "dst_ip", "operation", "target", "status", "response_headers")
    where = 'status >= 400 && response.headers["content-type"].contains("json")'
    with recording([SHOP], save=tmp_path / "x.tap") as session:
        matcher = Matcher(session, where, columns)
        streamed = []
        for step in read_files([SHOP], session, ReadOptions(batch_rows=1024), names_at_once=True):
            if step.exchanges is not None:
                streamed += matcher.rows(step.exchanges).to_pylist()
        kept = SessionFeed(session).page(Query(where, columns=columns, limit=100_000)).to_pylist()
    assert len(kept) > 10
    assert sorted(streamed, key=lambda r: r["id"]) == sorted(kept, key=lambda r: r["id"])


def test_several_files_and_one_that_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "notes.txt"
    broken.write_text("no capture")
    paths = [NGINX, str(broken), AIOHTTP, str(tmp_path / "missing.pcap")]
    with recording(paths) as session:
        problems = [step.problem for step in read_files(paths, session) if step.problem]
        found = SessionFeed(session).summary()
    assert len(problems) == 2
    assert [bool(s.problem) for s in found.sources] == [False, True, False, True]
    assert str(broken) in (found.sources[1].problem or "")
    assert found.exchanges > 20
    assert found.complete


def test_without_heads_and_bodies(tmp_path: Path) -> None:
    with recording([NGINX], save=tmp_path / "x.tap") as session:
        for _ in read_files([NGINX], session, ReadOptions(heads=False, bodies=False)):
            pass
        feed = SessionFeed(session)
        assert feed.page(Query(columns=("response_headers",)))["response_headers"].null_count == feed.count()
    assert not (tmp_path / "x.tap" / "payload").exists()


def test_names_of_a_file_go_before_what_dns_says(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    path.write_text("- {ip: 10.77.0.3, name: prober, workload: prometheus}\n- {cidr: 10.77.0.100/31, name: browsers}")
    options = ReadOptions(claims=tuple(names_file.read(path)))
    with recording([SHOP]) as session:
        for _ in read_files([SHOP], session, options):
            pass
        sources = Counter(SessionFeed(session).page(Query(limit=5000))["src_name"].to_pylist())
    assert sources["prober"] > 0
    assert sources["browsers"] > 0
    assert "10.77.0.3" not in sources


def test_leaving_early_keeps_what_was_read_as_not_complete(tmp_path: Path) -> None:
    with recording([SHOP], save=tmp_path / "x.tap") as session:
        steps = read_files([SHOP], session, ReadOptions(batch_rows=256))
        next(steps)
        steps.close()
    with open_session(tmp_path / "x.tap") as feed:
        found = feed.summary()
        assert found.exchanges >= 256
        assert (found.complete, found.sources[0].name) == (False, SHOP)


def test_an_interrupt_keeps_what_was_read(tmp_path: Path) -> None:
    def interrupted(session: Session) -> None:
        for _ in read_files([SHOP], session, ReadOptions(batch_rows=256)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), recording([SHOP], save=tmp_path / "x.tap") as session:
        interrupted(session)
    with open_session(tmp_path / "x.tap") as feed:
        assert feed.count() >= 256


def test_every_loss_is_a_counter_of_the_engine(tmp_path: Path) -> None:
    with recording([NGINX], save=tmp_path / "x.tap") as session:
        for _ in read_files([NGINX], session):
            pass
        counters = SessionFeed(session).counters()
    known = set(zip(counters["stage"].to_pylist(), counters["name"].to_pylist(), strict=True))
    live = {"ring", "recording", "agent", "collector", "store"}  # what a capture file has no part in
    assert {(s, n) for s, names in overview.LOSSES.items() if s not in live for n in names} <= known


def test_a_place_that_is_taken_is_told(tmp_path: Path) -> None:
    with pytest.raises(SessionExistsError), recording([NGINX], save=tmp_path):
        pass


def test_messages_of_streams_keep_their_nanoseconds(tmp_path: Path) -> None:
    with recording([SHOP]) as session:
        list(read_files([SHOP], session))
        feed = SessionFeed(session)
        found = feed.page(Query(where="streaming", limit=1000, columns=("id", "protocol")))
        streams = [feed.exchange(str(row["id"])) for row in found.to_pylist()]
    assert {stream.protocol for stream in streams} == {"grpc", "http", "redis", "websocket"}
    times = [message.time_ns for stream in streams for message in stream.messages]
    assert any(time % 1000 for time in times)
