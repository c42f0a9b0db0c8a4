"""What a tap leaves that was killed: listed, and removed at once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.taps import left, session, tap, tapper
from tests.e2e.world import SERVER, until

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def test_what_a_killed_tap_leaves_is_listed_and_removed(world: World) -> None:
    world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("simple-app", "-n", world.namespace) as running, running.feed():
        mine = session(world.namespace)
        running.end(signal.SIGKILL)
    listed = tapper("clean", mine, "--dry-run").splitlines()
    assert sorted(listed) == sorted(left(mine))
    assert any(line.startswith("namespace/") for line in listed)
    assert tapper("clean", mine).splitlines() == listed
    assert not left(mine)
    assert tapper("clean", mine, "--dry-run") == ""


def test_a_tap_that_is_cleaned_away_ends_and_says_so(world: World) -> None:
    world.pod("simple-app", SERVER.format(port=80), port=80)
    with tap("simple-app", "-n", world.namespace) as running, running.feed():
        mine = session(world.namespace)
        tapper("clean", mine)
        assert not left(mine)
        assert running.process.wait(90) != 0
    until(lambda: "no more in the cluster" in "\n".join(running.told), "it says why", 10)
