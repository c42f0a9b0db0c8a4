"""The story that tapper is for, on a real cluster; client and server on different nodes where there are two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapper.feed.interface import Query
from tests.e2e.taps import left, session, tap
from tests.e2e.world import CLIENT, SERVER, until

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def test_what_pods_say_is_shown_and_nothing_is_left(world: World) -> None:
    before = world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("-n", world.namespace) as running, running.feed() as feed:
        mine = session(world.namespace)
        world.pod("visitor", CLIENT.format(url=f"http://{before['status']['podIP']}/hostname"), node=1)
        first = running.row(lambda row: row["src"]["name"] == "visitor", "a first request")
        assert (first["protocol"], first["dst"]["pod"]) == ("http", "simple-app")

        # a service that was made after the tap began has its name, without a restart
        world.service("simple-app")
        running.row(lambda row: row["dst"]["service"] == "simple-app", "the service's name")

        # a client born later calls it by name: one call with both latencies, and its DNS lookup
        url = "http://simple-app/hostname?x=1"
        world.pod("client", CLIENT.format(url=url), node=1)
        lookup = running.row(lambda row: row["protocol"] == "dns" and row["src"]["name"] == "client", "its lookup")
        assert (lookup["dst"]["name"], lookup["dst"]["namespace"]) == ("kube-dns", "kube-system")
        call = running.row(
            lambda row: row["protocol"] == "http" and row["src"]["name"] == "client" and row["view"] == "both",
            "a call seen from both ends",
        )
        assert call["dst"]["name"] == "simple-app"
        assert call["dialled"]["name"] == "simple-app"
        assert call["latency_ns"] >= call["server"]["latency_ns"] > 0
        assert (call["operation"], call["target"], call["status"]) == ("GET", "/hostname?x=1", 200)
        assert {h["name"]: h["value"] for h in call["request"]["headers"]}["Host"] == "simple-app"
        assert call["response"]["body"].strip() == "simple-app"

        # the client goes, another pod may get its address: what was recorded keeps its name
        world.remove("client")
        calls = 'protocol == "http" && src.name == "client"'
        kept = until(lambda: feed.count(calls), "its requests are there")
        world.pod("another", CLIENT.format(url=url), node=1)
        running.row(lambda row: row["src"]["name"] == "another", "a request of another pod")
        assert feed.count(calls) >= kept
        assert feed.page(Query(calls, limit=1))["src_pod"].to_pylist() == ["client"]

        after = world.look("simple-app")
        assert after is not None
        assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])
        assert after["status"]["containerStatuses"][0]["restartCount"] == 0
        assert running.end() == 0, running.told
    assert not left(mine)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_the_command_ends(world: World, number: signal.Signals) -> None:
    world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("simple-app", "-n", world.namespace) as running, running.feed() as feed:
        assert feed.health().title.endswith("simple-app")
        mine = session(world.namespace)
        running.end(number)
    until(lambda: not left(mine), "all of it is gone", 110 if number == signal.SIGKILL else 5)


def test_nothing_is_left_when_the_terminal_is_closed(world: World) -> None:
    """Long before the collector would notice: nothing can be told any more, and it goes on to remove all."""
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    master, slave = os.openpty()
    command = [sys.executable, "-m", "tapper.cli", "tap", "-n", world.namespace, "-o", "jsonl"]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown = b""
    while b'"protocol"' not in shown:
        shown += os.read(master, 65536)
    mine = session(world.namespace)
    os.close(master)
    process.send_signal(signal.SIGHUP)
    process.wait(50)
    assert not left(mine)
