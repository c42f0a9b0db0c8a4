"""The story that tapper is for, on a real cluster; client and server on different nodes where there are two."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tapper.feed.interface import Query
from tests.e2e.taps import edges, left, session, tap
from tests.e2e.world import CLIENT, COUNTING, SERVER, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.interface import Feed
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster

CALLS = 30


def test_what_pods_say_is_shown_and_nothing_is_left(world: World) -> None:
    before = world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("-n", world.namespace) as running, running.feed() as feed:
        mine = session(world.namespace)
        [told] = [line for line in running.told if line.startswith("tapping ")]
        assert f"{world.namespace}/simple-app  (1 pod, node {world.node_of(0)})" in told
        world.pod("visitor", CLIENT.format(url=f"http://{before['status']['podIP']}/hostname"), node=1)
        first = running.row(lambda row: row["src"]["name"] == "visitor", "a first request")
        assert (first["protocol"], first["dst"]["pod"]) == ("http", "simple-app")

        # a service that was made after the tap began has its name, without a restart
        world.service("simple-app")
        running.row(lambda row: row["dst"]["service"] == "simple-app", "the service's name")

        # a client born later calls it by name: each call is one, with both latencies, and there is its DNS lookup
        url = "http://simple-app/hostname?x="
        world.pod("client", COUNTING.format(url=url, begin=10, end=10 + CALLS), node=1)
        lookup = running.row(lambda row: row["protocol"] == "dns" and row["src"]["name"] == "client", "its lookup")
        assert (lookup["dst"]["name"], lookup["dst"]["namespace"]) == ("kube-dns", "kube-system")
        last = f"/hostname?x={9 + CALLS}"
        call = running.row(
            lambda row: row["target"] == last and row["src"]["name"] == "client" and row["view"] == "both",
            "a call seen from both ends",
        )
        assert call["dst"]["name"] == "simple-app"
        assert call["dialled"]["name"] == "simple-app"
        assert call["latency_ns"] >= call["server"]["latency_ns"] > 0
        assert (call["operation"], call["status"]) == ("GET", 200)
        assert {h["name"]: h["value"] for h in call["request"]["headers"]}["Host"] == "simple-app"
        assert call["response"]["body"].strip() == "simple-app"
        assert call["response"]["body_bytes"] == len(call["response"]["body"])
        calls = 'protocol == "http" && src.name == "client"'
        until(lambda: feed.count(calls) == CALLS, "each of its calls is there")
        _is_on_the_map(feed, call)

        # the client goes: what was recorded keeps its name
        world.remove("client")
        world.pod("another", CLIENT.format(url=url), node=1)
        running.row(lambda row: row["src"]["name"] == "another", "a request of another pod")
        assert feed.count(calls) == CALLS
        assert feed.page(Query(calls, limit=1))["src_pod"].to_pylist() == ["client"]

        after = world.look("simple-app")
        assert after is not None
        assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])
        assert after["status"]["containerStatuses"][0]["restartCount"] == 0
        assert running.end() == 0, running.told
    assert not left(mine)


def _is_on_the_map(feed: Feed, call: dict[str, Any]) -> None:
    """All calls of the client, which are as long as this one."""
    [edge] = [edge for edge in edges(feed, "client", "simple-app") if edge["protocol"] == "http"]
    assert (edge["calls"], edge["errors"]) == (CALLS, 0)
    assert 0 < edge["p50_ns"] <= edge["p95_ns"] <= edge["max_ns"]
    for way, figure in (("request", "bytes_sent"), ("response", "bytes_received")):
        assert edge[figure] == CALLS * (call[way]["head_bytes"] + call[way]["body_bytes"])


def test_an_address_that_another_pod_has_later_names_each_at_its_time(world: World) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    url = f"http://{simple['status']['podIP']}/hostname?x="
    with tap("-n", world.namespace) as running, running.feed() as feed:
        first = world.pod("first", COUNTING.format(url=url, begin=0, end=5), node=1)["status"]["podIP"]
        until(lambda: feed.count('src.name == "first" && target == "/hostname?x=4"'), "its calls")
        world.remove("first")
        script = COUNTING.format(url=url, begin=5, end=10)
        until(lambda: world.pod_at(first, "second", script, node=1), "another pod has its address", 60)
        calls = f'protocol == "http" && src.ip == "{first}"'
        until(lambda: feed.count(f'{calls} && src.name == "second" && target == "/hostname?x=9"'), "calls of the other")
        made = feed.page(Query(calls, columns=("target", "src_pod")))
        by_number = sorted(zip(made["target"].to_pylist(), made["src_pod"].to_pylist(), strict=True))
        assert by_number == [(f"/hostname?x={n}", "first" if n < 5 else "second") for n in range(10)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_the_command_ends(world: World, number: signal.Signals) -> None:
    world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("simple-app", "-n", world.namespace) as running, running.feed() as feed:
        assert feed.health().title.endswith("simple-app")
        mine = session(world.namespace)
        running.end(number)
    until(lambda: not left(mine), "all of it is gone", 110 if number == signal.SIGKILL else 5)


@pytest.mark.parametrize("enough", [("--for", "9s"), ("--limit", "3")])
def test_nothing_is_left_when_enough_was_shown(world: World, enough: tuple[str, ...]) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("-n", world.namespace, *enough) as running, running.feed():
        mine = session(world.namespace)
        world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
        running.row(lambda row: row["protocol"] == "http", "a request")
        assert running.process.wait(60) == 0
    assert not left(mine)


@contextmanager
def _in_terminal(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`tapper tap` with a terminal of its own: the process, and what the terminal is on our side."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, "-m", "tapper.cli", "tap", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment
    )
    os.close(slave)
    try:
        yield process, master
    finally:
        process.terminate()
        process.wait(60)


def _shown(master: int, wanted: bytes) -> bytes:
    """What the terminal gets until that is there."""
    shown = b""
    while wanted not in shown:
        shown += os.read(master, 65536)
    return shown


def test_the_terminal_ui_begins_with_how_far_it_is_and_leaves_nothing(world: World) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    with _in_terminal("-n", world.namespace) as (process, master):
        assert f"/{len(world.nodes)} nodes, collector".encode() in _shown(master, b"/hostname")
        mine = session(world.namespace)
        os.write(master, b"q")
        _shown(master, b"removed what was placed in the cluster")
        assert process.wait(60) == 0
        os.close(master)
    assert not left(mine)


def test_nothing_is_left_when_the_terminal_is_closed(world: World) -> None:
    """Long before the collector would notice: nothing can be told any more, and it goes on to remove all."""
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    with _in_terminal("-n", world.namespace, "-o", "jsonl") as (process, master):
        _shown(master, b'"protocol"')
        mine = session(world.namespace)
        os.close(master)
        process.send_signal(signal.SIGHUP)
        process.wait(50)
    assert not left(mine)
