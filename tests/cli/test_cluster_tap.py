"""What `tapper tap` says of options that a tap of a cluster can't have, before any cluster is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
