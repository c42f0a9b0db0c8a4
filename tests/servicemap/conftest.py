"""Mermaid's own parser as a process, installed once into pytest's cache."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent / "mermaid"


@pytest.fixture(scope="session")
def mermaid_parse(pytestconfig: pytest.Config) -> Iterator[Callable[[str], dict[str, Any]]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Mermaid's parser needs node and npm")
    home = _installed(Path(pytestconfig.cache.mkdir("mermaid")), npm)  # type: ignore[union-attr]
    with started(
        [node, home / "parse.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as parser:
        assert parser.stdin
        assert parser.stdout

        def parse(chart: str) -> dict[str, Any]:
            parser.stdin.write(json.dumps(chart) + "\n")
            parser.stdin.flush()
            answer: dict[str, Any] = json.loads(parser.stdout.readline())
            return answer

        yield parse
        parser.stdin.close()


def _installed(cache: Path, npm: str) -> Path:
    package = (HERE / "package.json").read_bytes()
    home = cache / "-".join(sorted(json.loads(package)["dependencies"].values()))
    if not home.exists():
        # Several workers may install at once: the first to be ready gives the place.
        fresh = Path(tempfile.mkdtemp(dir=cache))
        (fresh / "package.json").write_bytes(package)
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"],
            cwd=fresh,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(fresh)
            pytest.skip(f"Mermaid could not be installed: {done.stderr[-300:]}")
        try:
            fresh.rename(home)
        except OSError:
            shutil.rmtree(fresh)
    shutil.copy(HERE / "parse.mjs", home)
    return home
