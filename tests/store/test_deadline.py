"""Queries that take too long are broken off, and only those."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tapper.store.deadline import deadline
from tapper.store.errors import TooSlowError
from tapper.store.session import Session
from tests.store.writing import META

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(1000000) b"


def test_a_query_ends_at_the_deadline_and_the_next_is_not_hurt(tmp_path: Path) -> None:
    with Session.create(tmp_path / "x.tap", META) as session:
        begun = time.monotonic()
        with pytest.raises(TooSlowError), deadline(0.1):
            session.query(FOREVER)
        assert time.monotonic() - begun < 30
        with deadline(60):
            assert session.query("SELECT 1 AS n").to_pylist() == [{"n": 1}]
        with pytest.raises(TooSlowError), deadline(-1):
            session.query("SELECT 1 AS n")
        assert session.query("SELECT 2 AS n").to_pylist() == [{"n": 2}]
