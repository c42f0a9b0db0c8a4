"""What `tapper tap` says of options that a tap of a cluster can't have, before any cluster is asked."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tapper.cli.tapping.loop import Loop

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tapper


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--proto", "{file}"), "tapper show ID --proto FILE --collector URL"),
        (("--names", "{file}"), "go with --local"),
        (("--port", "80"), "go with --local"),
        (("-n", "shop", "-A"), "-n and -A: one of them"),
        (("-l", "app in (x"), "can't be read"),
        (("pots/web",), "no kind 'pots' to tap"),
        (("web[",), "no regular expression"),
        (("--kubeconfig", "{file}.none"), "no kubeconfig at"),
    ],
)
def test_what_can_not_be_is_told(tapper: Tapper, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    file = tmp_path / "a-file"
    file.touch()
    ran = tapper("tap", *(argument.format(file=file) for argument in arguments))
    assert ran.code != 0
    assert words in ran.err


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: one
contexts: [{name: one, context: {cluster: c, user: u}}, {name: other, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
"""


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (KUBECONFIG, "has no context nope; there are: one, other"),
        ("contexts: []", "can't be used"),
        ("{", "can't be used"),
        ("[]", "can't be used"),
        ("contexts: 5", "can't be used"),
        ("a: \0", "can't be used"),
        ("", "can't be used"),
    ],
)
def test_contexts_that_there_are_are_told(tapper: Tapper, tmp_path: Path, contents: str, words: str) -> None:
    file = tmp_path / "config"
    file.write_text(contents)
    ran = tapper("tap", "--kubeconfig", str(file), "--context", "nope")
    assert ran.code != 0
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_who_leaves_waits_until_what_was_begun_is_put_away() -> None:
    steps: list[str] = []

    async def begun() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(steps.append, "put away")

    loop = Loop()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run(begun())
        assert steps == ["put away"]
    finally:
        loop.close()
