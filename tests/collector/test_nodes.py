"""Names for addresses that only a node itself knows."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

from agent.shipper import Shipper
from agent.spool import Spool
from tapper.collector.nodes import NodeAddresses
from tapper.model import control
from tapper.model.schema import SCHEMA_VERSION
from tests.collector.running import CLIENT, SERVER, Running, agent, behind_nat, collector, requests
from tests.live.network import needs_root, wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_an_address_of_several_nodes_is_the_name_of_none() -> None:
    nodes = NodeAddresses()
    begun, wrong = nodes.told("one", ["10.244.1.1", "172.17.0.1", "127.0.0.1", "fe80::1", "nonsense", "10.0.0.1"])
    assert [(str(c.network), c.names.node, c.source) for c in begun] == [
        ("10.0.0.1/32", "one", "interface"),
        ("10.244.1.1/32", "one", "interface"),
        ("172.17.0.1/32", "one", "interface"),
    ]
    assert not wrong
    assert nodes.told("one", ["10.244.1.1", "172.17.0.1", "10.0.0.1"]) == ([], [])
    begun, wrong = nodes.told("two", ["172.17.0.1"])
    assert (begun, [str(c.network) for c in wrong]) == ([], ["172.17.0.1/32"])
    begun, wrong = nodes.told("one", ["10.244.1.1", "10.0.0.1"])
    assert [(str(c.network), c.names.node) for c in begun] == [("172.17.0.1/32", "two")]
    assert not wrong


def test_further_addresses_of_a_node_are_not_named() -> None:
    begun, _ = NodeAddresses().told("one", (f"10.{n >> 8}.{n & 255}.1" for n in range(control.MAX_ADDRESSES + 9)))
    assert len(begun) == control.MAX_ADDRESSES


def say_hello(there: Running, node: str, *addresses: str) -> None:
    """An agent of that node comes, and is gone."""
    hello = control.Hello(node, "boot", SCHEMA_VERSION, node=node, addresses=addresses)

    async def connect() -> None:
        shipper = Shipper(there.place(), hello, Spool(1 << 20), lambda _: None, control.Status)
        shipper.leave()
        await shipper.run()

    asyncio.run(connect())


class TestNetwork:
    pytestmark = needs_root

    def test_requests_from_an_address_of_a_node_are_from_that_node(self, tmp_path: Path) -> None:
        with (
            behind_nat(tmp_path) as (client, server),
            collector(tmp_path) as there,
            agent(there, "a", "--netns", server.path),
        ):
            there.wait_for_ready("a")
            say_hello(there, "node-1", CLIENT, "172.17.0.1")
            subprocess.run(requests(client, "n", 5), check=True)
            wait_until(lambda: len(there.exchanges()) == 5)
            ends = {(row["src_name"], row["src_name_source"], row["dst_name"]) for row in there.exchanges()}
            assert ends == {("node-1", "interface", SERVER)}
