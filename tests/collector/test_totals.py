"""Counters of many sources as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.collector.totals import Totals

if TYPE_CHECKING:
    import pyarrow as pa


def told(rows: pa.RecordBatch | None) -> dict[str, int]:
    return {} if rows is None else {row["name"]: row["value"] for row in rows.select(["name", "value"]).to_pylist()}


def test_changes_come_again_until_they_are_kept() -> None:
    totals = Totals()
    totals.count("store", "not_kept", 20)
    assert told(totals.changes(1)) == {"not_kept": 20}
    totals.count("store", "not_kept", 10)  # the disk is still full
    totals.tell("a", "boot", "eth0", {("ring", "drops"): 3}, known=False)
    assert told(totals.changes(2)) == {"not_kept": 30, "drops": 3}
    totals.kept()
    assert totals.changes(3) is None
    totals.tell("a", "boot", "eth0", {("ring", "drops"): 5}, known=False)
    assert told(totals.changes(4)) == {"drops": 5}
