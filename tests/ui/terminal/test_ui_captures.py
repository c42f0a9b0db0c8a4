"""Requests of real captures in full: packets layer by layer, messages of streams, what is copied of them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.feed.reading import ReadOptions, read_files, recording
from tapper.feed.session import SessionFeed
from tests.feed.shop import ORDERS, WEB, call, recorded
from tests.store.records import T0, engine_batch, exchange_id
from tests.ui.terminal.driving import driven, press, screen, settled

if TYPE_CHECKING:
    from tapper.feed.interface import Feed

pytestmark = pytest.mark.asyncio

CAPTURES = Path(__file__).parents[2] / "captures"


async def test_packets_are_shown_layer_by_layer(demo_feed: Feed) -> None:
    async with driven(demo_feed, "enter", size=(120, 60)) as pilot:
        pilot.app.requests.detail.show_tab("packets")
        await settled(pilot)
        text = pilot.app.requests.detail.pager.text
        exchange = pilot.app.requests.detail.whole.exchange
        layers = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
        assert {"Ethernet", "IP"} <= set(layers)
        assert {"UDP", "TCP"} & set(layers)
        assert "type=IPv4" in text
        assert "proto=udp" in text or "flags=PA" in text
        assert exchange.src.ip in text
        assert exchange.dst.ip in text
        assert "#1" in screen(pilot)
        assert "#2" in screen(pilot)


async def test_messages_of_a_grpc_call_and_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.terminal.clipboard.shutil.which", lambda name: None)  # only the terminal is left
    watch = call(WEB, ORDERS, 0, 10, id=0, protocol="grpc", operation="Watch", target="/shop.Stock/Watch") | {
        "authority": "stock.shop:50051",
        "request_headers": [("x-tenant", "a b"), ("content-type", "application/grpc")],
        "messages_sent": 1,
        "messages_received": 2,
    }
    exchange = exchange_id(0, T0)
    messages = [{"exchange": exchange, "index": n, "body": b"\x08\x07\x12\x06kettle"} for n in range(3)]
    with recorded(tmp_path / "x.tap", [engine_batch([watch], [], messages)]) as feed:
        async with driven(feed, "enter", size=(120, 40)) as pilot:
            pilot.app.requests.detail.show_tab("messages")
            await settled(pilot)
            assert "Messages" in screen(pilot)
            assert screen(pilot).count("kettle") == 3
            await press(pilot, "c", "g")
            command = "grpcurl -plaintext -H 'x-tenant: a b' -d '{}' -- stock.shop:50051 shop.Stock/Watch"
            assert pilot.app.clipboard == command


async def test_messages_of_a_websocket(tmp_path: Path) -> None:
    capture, options = [str(CAPTURES / "websocket.pcap.zst")], ReadOptions()
    with recording(capture, options, save=tmp_path / "x.tap") as session:
        for _ in read_files(capture, session, options):
            pass
        async with driven(SessionFeed(session), "enter", size=(120, 40)) as pilot:
            detail = pilot.app.requests.detail
            detail.show_tab("messages")
            await settled(pilot)
            assert detail.whole.exchange.protocol == "websocket"
            shown = detail.pager.text
            assert len(shown.splitlines()) > len(detail.whole.messages) > 2
            assert "Messages" in screen(pilot)


async def test_the_body_is_given_to_the_pager(small: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pager, got = tmp_path / "pager", tmp_path / "got"
    pager.write_text(f"#!/bin/sh\ncat > {got}\n")
    pager.chmod(pager.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PAGER", str(pager))
    monkeypatch.setattr("ui.terminal.app.TapperApp.suspend", lambda app: app.batch_update())  # no terminal to give
    async with driven(small, *["down"] * 6, "enter", "o") as pilot:
        assert got.read_text() == pilot.app.requests.detail.pager.text
        assert "made" in got.read_text()
