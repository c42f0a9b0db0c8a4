"""Live packets of namespaces of our own, with real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from network import host, needs_root, nginx, pair
from tap import Tap

from agent._engine import CaptureError, LiveReader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_root


def test_requests_over_a_cable(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path), Tap(netns=client.path) as tap:
        client.run("curl", "-sS", "http://10.9.0.2:8080/plain?a=1", "http://[fd09::2]:8080/none")
    first, second = tap.exchanges()
    assert (first["operation"], first["target"], first["status"]) == ("GET", "/plain?a=1", 200)
    assert (second["target"], second["status"]) == ("/none", 404)
    assert [c["state"] for c in tap.connections()] == ["closed", "closed"]
    assert tap.counters()["ring.drops"] == 0


def test_loopback_once(tmp_path: Path) -> None:
    with host() as one, nginx(one, tmp_path), Tap(netns=one.path) as tap:
        one.run("curl", "-sS", "http://127.0.0.1:8080/plain", "http://[::1]:8080/plain")
    assert [(e["status"], e["view"], e["notes"]) for e in tap.exchanges()] == [(200, "loopback", 0)] * 2
    assert tap.counters()["stream.retransmitted"] == 0


def test_what_is_missing_is_said() -> None:
    with pytest.raises(CaptureError, match="there is no network namespace at /run/netns/live-none"):
        LiveReader(netns="/run/netns/live-none")
    with pytest.raises(CaptureError, match="/etc/passwd is no network namespace"):
        LiveReader(netns="/etc/passwd")
    with pytest.raises(CaptureError, match="there is no interface eth7"):
        LiveReader(interface="eth7")
