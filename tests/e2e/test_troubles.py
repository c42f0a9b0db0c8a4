"""What goes wrong between pods is shown as what it is: dropped on the way, no pod behind a service, a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapper.feed.interface import ConnectionQuery
from tests.e2e.taps import edges, tap
from tests.e2e.world import CALLER, SERVER, until

if TYPE_CHECKING:
    from tapper.feed.interface import Feed
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster

CRASHING = """
import os, signal, socket
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listening = socket.create_server(("", 8080))
while True:
    taken, _ = listening.accept()
    if os.fork() == 0:
        taken.recv(10)  # what a process leaves unread when it dies has the kernel reset the connection
        taken.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\nbegun")
        os._exit(1)
    taken.close()
"""


def test_a_service_without_pods_refuses_and_a_crash_resets(world: World) -> None:
    world.pod("crashing", CRASHING, port=8080)
    world.service("crashing", 8080)
    world.service("nobody", 8080)
    with tap("-n", world.namespace) as running, running.feed() as feed:
        world.pod("caller", CALLER.format(urls=("http://crashing:8080/crash", "http://nobody:8080/")), node=1)
        crash = running.row(lambda row: row["target"] == "/crash" and row["view"] == "both", "a crash, from both ends")
        assert (crash["status"], crash["outcome"], crash["dst"]["pod"]) == (200, "reset", "crashing")
        assert crash["response"]["body"] == "begun"
        until(lambda: _states(feed, "nobody") == {"refused"}, "nobody is there")
        until(lambda: _edge(feed, "caller", "nobody", "refused"), "the map shows it")
        until(lambda: _edge(feed, "caller", "crashing", "errors"), "the map shows the crash")


def test_what_is_dropped_on_the_way_was_not_answered(world: World) -> None:
    """As a NetworkPolicy drops it: the SYN is forwarded by the server's node to nobody."""
    world.pod("walled", SERVER.format(port=8080), port=8080)
    world.service("walled", 8080)
    pod = world.look("walled")
    assert pod is not None
    with (
        world.dropped(pod["status"]["podIP"], 8080, node=0),
        tap("-n", world.namespace) as running,
        running.feed() as feed,
    ):
        world.pod("caller", CALLER.format(urls=("http://walled:8080/",)), node=1)
        until(lambda: _states(feed, "walled") == {"unanswered"}, "its SYN was not answered")
        found = feed.connections(ConnectionQuery('dst.name == "walled" && src.name == "caller"'))
        assert all("no answer to the SYN" in reason for reason in found["reason"].to_pylist())
        until(lambda: _edge(feed, "caller", "walled", "unanswered"), "the map shows it")


def _states(feed: Feed, called: str) -> set[str]:
    """How the caller's connections ended."""
    where = f'dst.name == "{called}" && src.name == "caller"'
    return set(feed.connections(ConnectionQuery(where))["state"].to_pylist())


def _edge(feed: Feed, caller: str, called: str, figure: str) -> int:
    """A figure of an edge of the map; 0: there is no such edge."""
    return sum(edge[figure] for edge in edges(feed, caller, called))
