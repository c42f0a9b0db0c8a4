"""How the memory for rings is shared out."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent.spool import Spool
from agent.tapping import MAX_RING, MIN_RING, Tapping
from tapper.model.control import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20


class Silent:
    """A reader of which nothing comes until it is closed."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        self._closed.wait()
        return iter(())

    def shed(self, **_: Any) -> None:
        pass

    def close(self) -> None:
        self._closed.set()


class Rings:
    """Opens silent sources, and notes their rings."""

    def __init__(self, memory: int) -> None:
        self.sizes: list[int] = []
        self.tapping = Tapping(Spool(MIB), self._open, lambda settings: (), None, memory)

    def _open(self, _target: Any, _place: Any, _settings: Any, ring: int) -> Silent:
        self.sizes.append(ring)
        return Silent()


def _targets(count: int) -> list[Target]:
    """This process' namespace, as if it were many."""
    return [Target("netns", f"/proc/{os.getpid()}/ns/net", ports=(port,)) for port in range(1, count + 1)]


@pytest.mark.parametrize(
    ("count", "told", "size"),
    [(1, False, 16), (2, False, 8.5), (1, True, 8.5), (2, True, 17 / 3), (16, True, 1), (100, True, 0.5)],
)
def test_all_at_once_share_alike(count: int, told: bool, size: float) -> None:
    rings = Rings(17 * MIB)
    (rings.tapping.told if told else rings.tapping.own)(_targets(count))
    rings.tapping.look()
    rings.tapping.close()
    assert rings.sizes == [pytest.approx(size * MIB, abs=1)] * count


def test_those_that_come_one_by_one_have_less_and_less_and_stay_within_the_memory() -> None:
    rings = Rings(17 * MIB)
    for count in range(1, 11):
        rings.tapping.told(_targets(count))
        rings.tapping.look()
    rings.tapping.close()
    assert min(rings.sizes) == MIN_RING < max(rings.sizes) < MAX_RING
    assert len(set(rings.sizes)) > 3
    assert sum(rings.sizes) <= 17 * MIB + 10 * MIN_RING
