"""Runs every scenario file through the engine, as it is and in variations that must give the same records."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from tests.engine import scenario
from tests.engine.expectation import Result, compare, leaks, read, without
from tests.engine.variation import VARIATIONS, applies, capture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@lru_cache(maxsize=8)
def result(path: Path, name: str, folder: Path) -> Result:
    """What the engine makes of a scenario in a variation."""
    case = scenario.read(path)
    file = folder / "capture"
    file.write_bytes(capture(case, name))
    return read(file, case.options)


def cases() -> Iterator[object]:
    for path in scenario.scenarios():
        case = scenario.read(path)
        for name in VARIATIONS:
            if applies(case, name):
                yield pytest.param(path, name, id=f"{case.name}-{name}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scenarios")


@pytest.mark.parametrize(("path", "name"), list(cases()))
def test_scenario(path: Path, name: str, folder: Path) -> None:
    case = scenario.read(path)
    made = result(path, name, folder)
    changes = VARIATIONS[name].changes | set(case.capture.may_change)
    wrong = compare("exchange", case.expect.get("exchange", []), made.exchanges, path.parent, changes)
    wrong += compare("message", case.expect.get("message", []), made.messages, path.parent, changes)
    wrong += leaks(made, case.expect.get("never", []))
    if name == "as-it-is":
        if "connection" in case.expect:
            wrong += compare("connection", case.expect["connection"], made.connections, path.parent, frozenset())
        for counter, value in case.expect.get("counters", {}).items():
            if made.counters.get(counter) != value:
                wrong.append(f"counter {counter} should be {value}, is {made.counters.get(counter)}")
        pattern = case.expect.get("error")
        if pattern is None and made.errors:
            wrong.append(f"unexpected: {made.errors}")
        elif pattern is not None and not (len(made.errors) == 1 and re.search(pattern, made.errors[0])):
            wrong.append(f"the error should match {pattern!r}; errors: {made.errors}")
    elif not wrong:
        base = result(path, "as-it-is", folder)
        for kind in ("exchanges", "messages"):
            for before, after in zip(getattr(base, kind), getattr(made, kind), strict=True):
                assert without(after, changes) == without(before, changes)
    assert not wrong, f"{case.title} ({path})\n" + "\n".join(wrong)
