"""The reference pages say what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tapper.identity import names_file
from tests.cli import reference

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


def test_links_lead_somewhere() -> None:
    import re

    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
