"""Commands that ask a running API instead of reading files: what they say is the same."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapper.collector.api.serving import served
from tests.feed.shop import recorded, shop
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Tapper


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.tap"
    with recorded(path, [shop()]):
        pass
    return path


@pytest.fixture(scope="module")
def url(session: Path) -> Iterator[str]:
    from tapper.feed.session import open_session

    with open_session(session) as feed, served(feed) as address:
        yield address.url()


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "--errors", "-o", "jsonl"),
        ("map",),
        ("map", "-o", "json"),
        ("export", "-o", "har"),
        ("export", "-o", "csv", "--to", "orders"),
    ],
)
def test_a_collector_says_what_its_session_says(tapper: Tapper, session: Path, url: str, arguments: tuple[str]) -> None:
    command, *options = arguments
    read = tapper(command, session, *options)
    asked = tapper(command, "--collector", url, *options)
    assert asked.code == 0
    assert (asked.out, asked.err) == (read.out, read.err)


def test_one_request_in_full(tapper: Tapper, session: Path, url: str) -> None:
    wanted = "0000000006"
    assert tapper("show", "--collector", url, wanted).out == tapper("show", session, wanted).out


def test_the_token_may_be_in_a_file_or_in_the_environment(
    tapper: Tapper, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, _, token = url.partition("/#k=")
    (tmp_path / "token").write_text(token + "\n")
    assert tapper("list", "--collector", base, "--token-file", tmp_path / "token").code == 0
    monkeypatch.setenv("TAPPER_TOKEN", token)
    assert tapper("list", "--collector", base.removeprefix("http://")).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("list", "--collector", "{base}"), 1, "wants a token"),
        (("list", "--collector", "{base}/#k=wrong"), 1, "does not take this token"),
        (("list", "--collector", "http://127.0.0.1:1/#k=x"), 1, "can't be reached: Connection refused"),
        (("list", "--collector", "ftp://x/#k=x"), 1, "not the URL of a collector"),
        (("list", "--collector", "http://[::1/#k=x"), 1, "not a URL"),
        (("list", "x.tap", "--collector", "{url}"), 2, "no SOURCE"),
        (("list", "--collector", "{url}", "-f", "statuss > 1"), 2, "did you mean status"),
        (("show", "--collector", "{url}", "ffff0000"), 1, "no exchange has the id"),
        (("show", "--collector", "{url}", "a", "b"), 2, "tapper show --collector URL ID"),
        (("show", "4f21"), 2, "tapper show SOURCE ID"),
        (("map", "--diff", "--collector", "{url}"), 2, "compares two files"),
        (("list",), 2, "Missing argument"),
    ],
)
def test_what_can_not_be_is_told(tapper: Tapper, url: str, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = tapper(*(a.format(url=url, base=url.partition("/#")[0]) for a in arguments))
    assert (done.code, done.out) == (code, "")
    assert words in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_web_view_of_a_session_until_ctrl_c(session: Path, number: signal.Signals, tapper: Tapper) -> None:
    command = [sys.executable, "-m", "tapper.cli", "open", str(session), "--web"]
    with started(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/#k=\S+", said)
        assert found, said
        assert tapper("list", "--collector", found[0], "-o", "csv").code == 0
        os.kill(process.pid, number)
        assert process.wait(20) == (0 if number == signal.SIGINT else -number)
