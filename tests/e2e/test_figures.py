"""What a tap costs: how long it takes to begin and to go (printed, for machines differ), ports of the nodes (none)."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.taps import left, session, tap
from tests.e2e.world import CLIENT, SERVER, enter

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.alone]

FIRST_RECORD, CLEAN_UP = 5.0, 10.0


def test_a_tap_begins_and_goes_quickly(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    with tap("-n", world.namespace) as running:
        running.row(lambda row: row["protocol"] == "http", "a request")
        first = time.monotonic() - running.begun
        mine = session(world.namespace)
        begun = time.monotonic()
        assert running.end() == 0
        gone = time.monotonic() - begun
    assert not left(mine)
    ready = next(found[1] for line in running.told if (found := re.search(r"nodes +(\S+ s)", line)))
    with capsys.disabled():
        print(f"\ntap to first record: {_against(first, FIRST_RECORD)}, of it placed and ready: {ready}")
        print(f"clean-up: {_against(gone, CLEAN_UP)}")


def _against(seconds: float, goal: float) -> str:
    return f"{seconds:.1f} s (goal {goal:g} s: {'reached' if seconds <= goal else 'MISSED'})"


def _listening(node: str) -> set[str]:
    """Addresses and ports of a node on which somebody listens."""
    command = [enter(), "-n", node, "ss", "-Htuln"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {" ".join((fields[0], fields[4])) for fields in map(str.split, told.splitlines())}


def test_nothing_listens_on_the_nodes(world: World) -> None:
    """Neither agents nor what reaches the collector."""
    world.pod("simple-app", SERVER.format(port=80), port=80)
    before = {node: _listening(node) for node in world.nodes}
    assert all(before.values())
    with tap("-n", world.namespace) as running, running.feed():
        assert {node: _listening(node) for node in world.nodes} == before
