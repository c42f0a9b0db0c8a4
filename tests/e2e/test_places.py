"""Whoever is called is called by its name, wherever it runs and however it is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import CALLER, CLIENT, SERVER, tap, until

if TYPE_CHECKING:
    from world import World

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
            "/mapped": ("caller", "simple-app", "mapped"),
            "/headless": ("caller", "pair", None),
            "/node-port": ("caller", "pair", None),
            "/host-network": ("caller", "on-host", None),
            "/pod": ("caller", "simple-app", None),
            "/within": ("pair", "pair", None),
        }
        seen: dict[str, tuple[str, str, str | None]] = {}

        def named() -> bool:
            row = running.row(
                lambda row: row["target"] in wanted, f"still wanted: {wanted.keys() - seen.keys()}\n{seen}"
            )
            src, dst, dialled = (row[end] or {} for end in ("src", "dst", "dialled"))
            if row["view"] in ("both", "loopback"):
                seen[row["target"]] = (src["pod"], dst["pod"], dialled.get("name"))
            return all(seen.get(target, ())[:2] == ends[:2] for target, ends in wanted.items())

        until(named, "all of them")
        assert feed.count('protocol == "http"')
