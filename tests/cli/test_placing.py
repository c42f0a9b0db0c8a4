"""What is told of what a tap or an installation places, and of what earlier ones left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
import pytest

from tapper.cli.cluster_options import time_of
from tests.kube.objects import Objects, kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran, Tapper


def _nothing(there: Objects) -> None:
    pass


def ran(process: Tapper, folder: Path, *command: str, before: Callable[[Objects], None] = _nothing) -> Ran:
    """A command at a cluster with one pod, shop/orders, that lets no agents be placed."""

    async def run() -> Ran:
        async with kept(folder) as (there, _):
            there.put({"kind": "Pod", "metadata": {"name": "orders", "namespace": "shop"}, "spec": {"nodeName": "w1"}})
            there.refused = lambda asked: asked.startswith("PATCH") and "daemonsets" in asked
            before(there)
            return await asyncio.to_thread(process, *command, "--kubeconfig", str(folder / "config"))

    return asyncio.run(run())


@pytest.mark.parametrize("command", [("tap", "orders", "-n", "shop", "-o", "jsonl"), ("install",)])
def test_the_level_of_the_namespace_is_told(process: Tapper, tmp_path: Path, command: tuple[str, ...]) -> None:
    told = ran(process, tmp_path, *command)
    assert told.code == 1
    assert "daemonsets" in told.err
    [line] = [line for line in told.err.splitlines() if "pod-security level privileged" in line]
    assert line.startswith("placing  namespace tapper")


def test_who_wants_no_words_gets_none_of_it(process: Tapper, tmp_path: Path) -> None:
    assert "placing" not in ran(process, tmp_path, "tap", "orders", "-n", "shop", "-o", "jsonl", "--quiet").err


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30", 30), ("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1.5s", 1.5), ("1h", 3600)]
)
def test_times_are_as_kubectl_takes_them(text: str, seconds: float) -> None:
    assert time_of("--request-timeout", text) == seconds


@pytest.mark.parametrize("text", ["", "-1s", "s", "1x", "1m 30s", "٣"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="takes 30, 30s, 1m30s, 500ms"):
        time_of("--request-timeout", text)
