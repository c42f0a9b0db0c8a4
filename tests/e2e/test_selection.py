"""Which pods are tapped, in each way to say so; the command tells which they are before it taps."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.taps import run
from tests.e2e.world import SERVER

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def _tapped(*arguments: str) -> set[str]:
    """What a tap says that it taps; the names of a deployment's pods end in "-"."""
    ended = run("tap", *arguments, "-o", "none", "--for", "1s", "--agent-cpu", "50m")
    assert ended.returncode == 0, ended.stderr
    told = re.search(r"^tapping  (.+)  \((\d+) pods?, ", ended.stderr, re.MULTILINE)
    assert told, ended.stderr
    names = told[1].split(", ")
    assert len(names) == int(told[2])
    assert "removed what was placed in the cluster" in ended.stderr
    return {re.sub(r"(/orders-).*", r"\1", name) for name in names}


def test_what_is_tapped_is_told_however_it_was_said(world: World) -> None:
    mine = world.namespace
    world.deployment("orders", "1.0", SERVER.format(port=8080), 8080)
    for name in ("simple-app", "visitor", "idle"):
        world.pod(name, SERVER.format(port=80), port=80, meta={"labels": {"app": name, "of": mine}})
    world.service("front", of="visitor")
    ways = {
        ("deploy/orders", "svc/front", "^id.*", "-n", mine): {"idle", "orders-", "visitor"},
        ("-n", mine, "-l", "app notin (idle,orders)"): {"simple-app", "visitor"},
        ("-A", "-l", f"of={mine},app!=visitor"): {"idle", "simple-app"},
    }
    with ThreadPoolExecutor(3) as several:
        told = list(several.map(lambda way: _tapped(*way), ways))
    assert told == [{f"{mine}/{name}" for name in names} for names in ways.values()]
