"""The live test of `tapper check` ends with what became of it, whatever that is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tapper.cli.tapping import trial
from tapper.kube.checking import BAD, DOUBT, GOOD, Finding
from tapper.kube.manifest import namespace
from tapper.kube.placement import Placement
from tests.kube.objects import Objects, kept

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PLACEMENT = Placement("abc", "x")


def _last(tmp_path: Path, *, stays: bool = False, forbidden: str = "nothing") -> tuple[Finding, Objects]:
    async def run() -> tuple[Finding, Objects]:
        async with kept(tmp_path) as (there, cluster):

            async def before(asked: str) -> None:
                if stays and asked.startswith("GET"):
                    there.put(namespace(PLACEMENT))

            there.before = before
            # it can't even be placed
            there.refused = lambda asked: "services/" in asked or forbidden in asked
            found = [finding async for finding in trial.trial(cluster, PLACEMENT, lambda text: None)]
            assert (found[0].what, found[0].result) == ("live test", BAD)
            return found[-1], there

    return asyncio.run(run())


def test_what_was_placed_is_removed(tmp_path: Path) -> None:
    found, there = _last(tmp_path)
    assert (found.what, found.result) == ("clean-up", GOOD)
    assert not [path for path in there.there if path == "/api/v1/namespaces/tapper-abc"]


def test_a_namespace_that_is_not_gone_in_time_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "REMOVE_SECONDS", 0.5)
    found, _ = _last(tmp_path, stays=True)
    assert (found.what, found.result, found.told) == ("clean-up", DOUBT, "tapper-abc is still being deleted")


def test_a_removal_that_is_refused_is_told(tmp_path: Path) -> None:
    found, _ = _last(tmp_path, forbidden="DELETE /api/v1/namespaces/tapper-abc")
    assert (found.what, found.result, found.advice) == ("clean-up", BAD, "tapper clean abc")
