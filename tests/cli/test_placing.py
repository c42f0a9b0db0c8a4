"""What is told of what a tap or an installation places, and of what earlier ones left."""

from __future__ import annotations

import asyncio
import signal
import sys
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


def test_what_an_earlier_tap_left_that_was_killed_is_told(process: Tapper, tmp_path: Path) -> None:
    def leave(there: Objects) -> None:
        there.put({"kind": "Namespace", "metadata": {"name": "tapper-0a1b", "labels": {"tapper.dev/session": "0a1b"}}})

    told = ran(process, tmp_path, "tap", "orders", "-n", "shop", "-o", "jsonl", before=leave).err
    assert "left     tapper-0a1b, of a tap that was killed as it began: `tapper clean 0a1b` removes it" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_check_that_is_ended_removes_its_test(tmp_path: Path, number: signal.Signals) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, _):
            there.there["/version"] = {"kind": "Version", "metadata": {"name": ""}, "gitVersion": "v1.35.0"}
            command = ["-m", "tapper.cli", "check", "--kubeconfig", str(tmp_path / "config")]
            pipe = asyncio.subprocess.PIPE
            check = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=pipe, stderr=pipe)
            placed = asyncio.Event()

            async def before(asked: str) -> None:
                if "daemonsets/tapper-probe" in asked:
                    placed.set()

            there.before = before
            async with asyncio.timeout(60):
                await placed.wait()
                assert len(there.names("Namespace")) == 1
                check.send_signal(number)
                _, told = await check.communicate()
            assert check.returncode == 130
            assert b"Traceback" not in told
            assert there.names("Namespace") == []

    asyncio.run(run())
