"""Whoever is called is called by its name, wherever it runs and however it is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.taps import edges, tap, tapper
from tests.e2e.world import CALLER, CLIENT, SERVER, until

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def test_each_way_to_a_server_has_its_name(world: World) -> None:
    """Host network, headless, node port, a port that differs from its target, localhost, an address outside."""
    simple = world.pod("simple-app", SERVER.format(port=8080), port=8080)
    on_host = world.pod("on-host", SERVER.format(port=18081), port=18081, host_network=True)
    world.pod("pair", SERVER.format(port=8080), port=8080, beside=CLIENT.format(url="http://localhost:8080/within"))
    world.service("mapped", 80, of="simple-app", target=8080)
    world.service("headless", 8080, of="pair", clusterIP="None")
    world.service("outer", 80, of="pair", target=8080, type="NodePort")
    host = on_host["status"]["hostIP"]
    urls = (
        "http://mapped/mapped",
        "http://headless:8080/headless",
        f"http://{host}:{world.node_port('outer')}/node-port",
        f"http://{host}:18081/host-network",
        f"http://{simple['status']['podIP']}:8080/pod",
    )
    with tap("-n", world.namespace) as running, running.feed() as feed:
        world.pod("caller", CALLER.format(urls=urls), node=1)
        wanted = {
            "/mapped": ("caller", "simple-app", "main", "mapped"),
            "/headless": ("caller", "pair", "main", None),
            "/node-port": ("caller", "pair", "main", "outer"),
            "/host-network": ("caller", "on-host", "main", None),
            "/pod": ("caller", "simple-app", "main", None),
            "/within": ("pair", "pair", "main", None),
        }
        seen: dict[str, tuple[str | None, ...]] = {}

        def named() -> bool:
            row = running.row(
                lambda row: row["target"] in wanted, f"still wanted: {wanted.keys() - seen.keys()}\n{seen}"
            )
            if row["view"] in ("both", "loopback"):
                src, dst, dialled = (row[end] or {} for end in ("src", "dst", "dialled"))
                seen[row["target"]] = (src["pod"], dst["pod"], dst["container"], dialled.get("name"))
            return seen == wanted

        until(named, "all of them")
        assert feed.count('protocol == "http"')


OUTSIDE = "203.0.113.7"  # of the addresses for documentation (RFC 5737)
NAMED = """
import time, urllib.request
while True:
    for url, host in {calls!r}:
        try:
            headers = dict(Host=host) if host else dict()
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=2).read()
        except Exception:
            pass
    time.sleep(0.3)
"""


def test_an_address_outside_of_the_cluster_has_the_best_name_that_is_known(world: World) -> None:
    """By a service that stands for it; by the host that the client asked for; as an address."""
    world.outside("billing", OUTSIDE, 8001)
    calls = (
        ("http://billing:8001/hostname?service", None),
        (f"http://{OUTSIDE}:8001/hostname?direct", None),
        (f"http://{OUTSIDE}:8002/hostname?host", "api.example.org"),
    )
    wanted = {"/hostname?service": "billing", "/hostname?direct": "billing", "/hostname?host": "api.example.org"}
    world.pod("caller", NAMED.format(calls=calls), node=1)
    with (
        world.beyond(OUTSIDE, (8001, 8002), node=1),
        tap("-n", world.namespace) as running,
        running.feed() as feed,
    ):
        seen: dict[str, str] = {}

        def named() -> bool:
            row = running.row(lambda row: row["target"] in wanted, f"still wanted: {wanted}\n{seen}")
            seen[row["target"]] = row["dst"]["name"]
            return seen == wanted

        until(named, "all of them")
        nodes = {node["name"]: node["kind"] for node in feed.edges().nodes.to_pylist()}
        assert (nodes["billing"], nodes["api.example.org"]) == ("service", "external")


def test_versions_of_a_deployment_are_told_apart(world: World) -> None:
    world.deployment("orders", "1.0", SERVER.format(port=8080), 8080)
    world.service("orders", 8080)
    meta = {"labels": {"app": "caller", "version": "7"}}
    with tap("-n", world.namespace) as running, running.feed() as feed:
        world.pod("caller", CLIENT.format(url="http://orders:8080/hostname"), node=1, meta=meta)
        for version in ("1.0", "2.0"):
            world.deployment("orders", version, SERVER.format(port=8080), 8080)
            running.row(
                lambda row, version=version: row["dst"]["version"] == version and row["outcome"] == "ok",
                f"a call of version {version}",
                60,
            )
        for version in ("1.0", "2.0"):
            assert edges(feed, "caller 7", f"orders {version}", "version")[0]["calls"], version
        # calls to a pod that ends may be refused: an edge of connections, beside that of the calls
        [edge] = [edge for edge in edges(feed, "caller", "orders") if edge["protocol"] == "http"]
        assert edge["calls"] >= 2
        shown = tapper("map", "--collector", running.url, "--level", "version", "-o", "json")
        assert "orders 2.0" in shown
