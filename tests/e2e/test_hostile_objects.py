"""Objects and requests that are made to harm whoever looks at them: what shows is text, and true."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapper.feed.interface import Query
from tests.e2e.taps import run, tap
from tests.e2e.world import SERVER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import World

pytestmark = pytest.mark.cluster

SAID = "\x1b]0;owned\x07\x1b[31m<script>alert('1')</script>\"\u202e\r\n=cmd()"
LONG = SAID * 2000
HOST, PATH = "<script>alert(1)</script>", "/<script>alert('1')</script>\"=cmd()"
ASKING = """
import socket, time
while True:
    with socket.create_connection(({ip!r}, 80)) as s:
        s.sendall(('GET ' + {path!r} + ' HTTP/1.1\\r\\nHost: ' + {host!r} + '\\r\\nX-Said: ').encode()
                  + b'\\x1b[31m\\x9b5n\\r\\nConnection: close\\r\\n\\r\\n')
        while s.recv(65536):
            pass
    time.sleep(0.3)
"""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_what_is_hostile_shows_as_text(world: World, tmp_path: Path) -> None:
    told = {"annotations": {"example.org/said": SAID, "kubectl.kubernetes.io/last-applied-configuration": LONG}}
    longest = "l" * 63
    simple = world.pod("simple-app", SERVER.format(port=80), port=80, meta=told)
    script = ASKING.format(ip=simple["status"]["podIP"], path=PATH, host=HOST)
    labels = {"app": "visitor", "version": longest, longest: longest}
    world.pod("v" + "-is-it-you" * 6, script, node=1, meta={**told, "labels": labels})
    world.service("simple-app", meta=told)
    with tap("-n", world.namespace) as running, running.feed() as feed:
        row = running.row(lambda row: row["target"] == PATH and row["view"] == "both", "the request")
        assert (row["src"]["pod"], row["src"]["version"]) == ("v" + "-is-it-you" * 6, longest)
        assert (row["dst"]["pod"], row["dst"]["service"]) == ("simple-app", "simple-app")
        found = feed.page(Query(f"id == '{row['id']}'", limit=1, columns=("id", "target")))
        assert found["target"].to_pylist() == [PATH]
        shown = [run(*words, "--collector", running.url) for words in _ways(row["id"])]
    for ended in shown:
        assert ended.returncode == 0, ended.stderr
        assert not CONTROL.search(ended.stdout + ended.stderr), ended.args
    picture = next(ended.stdout for ended in shown if "svg" in ended.args)
    assert "<script" not in picture
    listing = subprocess.run(
        [sys.executable, "-m", "tapper.cli", "tap", "-n", world.namespace, "-o", "table", "--limit", "3"],
        check=True,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert "<script>" in listing.stdout
    assert not CONTROL.search(listing.stdout + listing.stderr)


def _ways(request: str) -> list[tuple[str, ...]]:
    formats = ("json", "dot", "mermaid", "graphml", "svg")
    return [("show", request), ("list",), *(("map", "-o", form) for form in formats)]
