"""Network namespaces that come and go, as those of pods do: an agent keeps nothing of those that went."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.collector.running import agent, collector
from tests.live.network import Host, host, ip, needs_root, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.collector.running import Running

pytestmark = needs_root

AT_ONCE, ROUNDS = 40, 5
SETTLED_S = 60


def test_200_namespaces_come_and_go_and_nothing_of_them_is_held(tmp_path: Path) -> None:
    born = [Host(f"born-{os.getpid()}-{number}") for number in range(AT_ONCE)]
    options = [word for one in born for word in ("--netns", one.path)]
    with host() as outer, collector(tmp_path) as there, agent(there, "a", *options) as tapping:
        _come_and_go(born, outer, there)
        descriptors, threads = _held(tapping.pid)
        for _ in range(ROUNDS - 1):
            _come_and_go(born, outer, there)
        wait_until(lambda: _within(tapping.pid, descriptors, threads), SETTLED_S)


def _come_and_go(born: Sequence[Host], outer: Host, there: Running) -> None:
    with ExitStack() as stack:
        for number, one in enumerate(born):
            _add(stack, one, outer, number)
        wait_until(lambda: _sources(there) == len(born), SETTLED_S)
    wait_until(lambda: _sources(there) == 0, SETTLED_S)
    # a cable goes with the namespace of either end: when nothing holds that any more
    wait_until(lambda: _cables(outer) == 0, SETTLED_S)


def _add(stack: ExitStack, one: Host, outer: Host, number: int) -> None:
    ip("netns", "add", one.name)
    stack.callback(ip, "netns", "del", one.name)
    ip("-n", outer.name, "link", "add", f"to{number}", "type", "veth", "peer", "name", "eth0", "netns", one.name)
    one.ip("link", "set", "eth0", "up")


def _sources(there: Running) -> int:
    agents: Sequence[dict[str, int]] = there.states()
    return sum(agent["sources"] for agent in agents)


def _cables(outer: Host) -> int:
    shown = subprocess.run(["ip", "-n", outer.name, "-j", "link"], check=True, capture_output=True)
    return sum(link["ifname"] != "lo" for link in json.loads(shown.stdout))


def _within(pid: int, descriptors: int, threads: int) -> bool:
    held = _held(pid)
    return held[0] <= descriptors and held[1] <= threads


def _held(pid: int) -> tuple[int, int]:
    """Descriptors and threads of a process."""
    descriptors, threads = (len(list(Path(f"/proc/{pid}/{kind}").iterdir())) for kind in ("fd", "task"))
    return descriptors, threads
