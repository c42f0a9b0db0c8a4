"""What a live reader makes of real traffic in namespaces of our own."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

from agent._engine import LiveReader
from tests.live.network import bridged, host, needs_root, nginx, pair, process, wait_for_port, wait_until
from tests.live.tap import Tap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.network import Host

pytestmark = needs_root

URL = "http://10.9.0.2:8080/plain"


def test_requests_over_a_cable(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path), Tap(netns=client.path) as tap:
        client.run("curl", "-sS", f"{URL}?a=1", "http://[fd09::2]:8080/none")
    first, second = tap.exchanges()
    assert (first["operation"], first["target"], first["status"]) == ("GET", "/plain?a=1", 200)
    assert (second["target"], second["status"]) == ("/none", 404)
    assert [c["state"] for c in tap.connections()] == ["closed", "closed"]
    assert tap.counters()["ring.drops"] == 0


def test_one_interface_by_name(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path), Tap(netns=server.path, interface="lo") as tap:
        client.run("curl", "-sS", URL)
        server.run("curl", "-sS", "http://127.0.0.1:8080/plain")
    assert [e["src_ip"] for e in tap.exchanges()] == ["127.0.0.1"]


def test_loopback_once(tmp_path: Path) -> None:
    with host() as one, nginx(one, tmp_path), Tap(netns=one.path) as tap:
        one.run("curl", "-sS", "http://127.0.0.1:8080/plain", "http://[::1]:8080/plain")
    assert [(e["status"], e["view"], e["notes"]) for e in tap.exchanges()] == [(200, "loopback", 0)] * 2
    assert tap.counters()["stream.retransmitted"] == 0


def test_large_frames_are_taken_whole(tmp_path: Path) -> None:
    """Segmentation is left to the other end of the cable: frames of 64 KiB pass."""
    with (
        pair() as (client, server),
        nginx(server, tmp_path, files={"large": bytes(8 << 20)}),
        Tap(netns=client.path, ring_bytes=64 << 20) as tap,
    ):
        client.run("curl", "-sS", "-o", "/dev/null", "http://10.9.0.2:8080/large")
    (exchange,) = tap.exchanges()
    assert (exchange["status"], exchange["outcome"], exchange["response_body_bytes"]) == (200, "ok", 8 << 20)
    (connection,) = tap.connections()
    counters = tap.counters()
    assert connection["gaps"] == 0
    assert counters["source.bytes"] / counters["source.packets"] > 3000, "no frames larger than the link's"


def test_our_own_traffic_is_left_out(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path):
        exclude = [("10.9.0.2", 8080), ("fd09::2", 8080)]
        with Tap(netns=client.path, exclude=exclude) as tap:
            client.run("curl", "-sS", URL, "http://[fd09::2]:8080/plain")
            assert tap.reader.set_filter(exclude=exclude[1:]) is None
            client.run("curl", "-sS", URL, "http://[fd09::2]:8080/plain")
    assert [e["dst_ip"] for e in tap.exchanges()] == ["10.9.0.2"]


def test_only_wanted_ports(tmp_path: Path) -> None:
    with (
        host() as one,
        nginx(one, tmp_path / "a"),
        nginx(one, tmp_path / "b", port=8081),
        Tap(netns=one.path, ports=[8081]) as tap,
    ):
        one.run("curl", "-sS", "http://127.0.0.1:8080/plain", "http://127.0.0.1:8081/plain")
    assert [e["dst_port"] for e in tap.exchanges()] == [8081]


def test_forwarded_frames_are_seen_once(tmp_path: Path) -> None:
    """A bridge passes each frame in at one port and out at another; a host's own also through the bridge itself."""
    with bridged(2) as (middle, (client, server)), nginx(server, tmp_path), Tap(netns=middle.path) as tap:
        client.run("curl", "-sS", "http://10.8.0.2:8080/plain")
        middle.run("curl", "-sS", "http://10.8.0.2:8080/plain")
    seen = [(e["src_ip"], e["status"], e["notes"], e["view"]) for e in tap.exchanges()]
    assert seen == [("10.8.0.1", 200, 0, None), ("10.8.0.254", 200, 0, "client")]
    assert [c["retransmits"] for c in tap.connections()] == [0, 0]
    assert tap.counters()["flow.copies"] > 0


def test_the_view_of_each_end(tmp_path: Path) -> None:
    with (
        pair() as (client, server),
        nginx(server, tmp_path),
        Tap(netns=client.path) as at_client,
        Tap(netns=server.path) as at_server,
    ):
        client.run("curl", "-sS", URL)
    views = [tap.exchanges()[0]["view"] for tap in (at_client, at_server)]
    assert views == ["client", "server"]


def test_what_is_open_is_reported(tmp_path: Path) -> None:
    with pair() as (client, server), Tap(netns=client.path) as tap, listener(server, 9000):
        waiting = subprocess.Popen(client.command("curl", "-sS", "http://10.9.0.2:9000/slow"))
        try:
            wait_until(lambda: [e["outcome"] for e in tap.exchanges()] == ["open"])
        finally:
            waiting.kill()
            waiting.wait()
    assert [e["target"] for e in tap.exchanges()] == ["/slow"]


def listener(host: Host, port: int):
    """Takes connections and never answers."""
    stack = ExitStack()
    code = f"import socket,time; s=socket.create_server(('', {port})); c=s.accept(); time.sleep(60)"
    stack.enter_context(process(host, "python3", "-c", code))
    wait_for_port(host, port)
    return stack


def test_shedding_is_counted(tmp_path: Path) -> None:
    """What is there and what is counted as left out make up what was asked."""
    with pair() as (client, server), nginx(server, tmp_path), Tap(netns=client.path) as tap:
        tap.reader.shed(bodies=True, keep_one_in=3)
        for _ in range(30):
            client.run("curl", "-sS", *[URL] * 5)
    counters = tap.counters()
    assert 0 < len(tap.exchanges()) < 150
    assert len(tap.exchanges()) + counters["shed.exchanges"] == 150
    assert counters["output.exchanges"] == len(tap.exchanges())


def test_drops_of_a_small_ring_are_counted(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path, files={"large": bytes(64 << 20)}):
        reader = LiveReader(netns=client.path, ring_bytes=1 << 20)
        client.run("curl", "-sS", "-o", "/dev/null", "http://10.9.0.2:8080/large")  # nobody reads yet
        batch = next(reader)
        reader.close()
        batches = [batch, *reader]
    tap = Tap(netns=None, interface="lo")
    tap.batches = batches
    counters = tap.counters()
    tap.reader.close()
    assert counters["ring.drops"] > 0
    assert counters["ring.packets"] == counters["ring.drops"] + counters["source.packets"]
