"""The reference pages say what the program does."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapper.identity import names_file
from tests.cli import reference

if TYPE_CHECKING:
    from tests.cli.conftest import Tapper

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", reference.PAGES)
def test_pages_are_as_the_code_says(name: str) -> None:
    page = (reference.DOCS / name).read_text(encoding="utf-8")
    assert page == reference.PAGES[name](), "run: python tests/cli/reference.py"


def test_the_example_of_the_names_file_is_one(tmp_path: Path) -> None:
    page = (reference.DOCS / "names-file.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "names.yaml").write_text(example)
    assert len(names_file.read(tmp_path / "names.yaml")) == len(yaml.safe_load(example))
    for key in names_file.KEYS:
        assert f"`{key}`" in page


def test_what_the_readme_shows_is_what_comes(tapper: Tapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "tapper" / "demo")
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("```console\n")[1].split("```")[0]
    for example in shown.split("$ tapper ")[1:]:
        command, *lines = example.strip().splitlines()
        ran = tapper(*shlex.split(command))
        assert ran.code == 0
        came = [line.strip() for line in (ran.out + ran.err).splitlines()]
        assert [line for line in lines if line.strip() not in (*came, "", "...")] == [], command


def test_links_lead_somewhere() -> None:
    import re

    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
