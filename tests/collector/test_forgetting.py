"""Endpoints go with the last row that has them; those that a row to come may have stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.identity import index
from tapper.store.partitions import Retention
from tests.collector.ways import Steps, shipment, steps, view

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ROWS, EACH = 160, 10
CLIENT, SERVER = "client's node", "server's node"


def _calls(turn: int, side: str) -> list[dict[str, Any]]:
    """Each of a client with an address of its own."""
    numbers = range(turn * EACH, (turn + 1) * EACH)
    return [view(n, side, src_ip=f"10.1.{n // 250}.{n % 250}") for n in numbers]


def _count(made: Steps, table: str) -> int:
    count: int = made.session.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()
    return count


def _run(made: Steps, turns: range) -> None:
    for turn in turns:
        seq = 2 * turn
        late = turn % 3 == 0
        connections = [
            {"id": row["connection"], "time": row["time"], "src_ip": row["src_ip"], "dst_ip": row["dst_ip"]}
            for row in _calls(turn, "client")
        ]
        made.step((CLIENT, shipment(seq, rows=_calls(turn, "client"), connections=connections)))
        if late:
            made.step()
        made.step((SERVER, shipment(seq, rows=_calls(turn, "server"))))
        if late:
            made.step()
        assert len(made.rows("id")) == _count(made, "exchange")


def test_endpoints_are_bounded_by_the_rows_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_KNOWN", 32)
    with steps(tmp_path / "x.tap", Retention(rows=ROWS)) as made:
        _run(made, range(120))
        made.finish()
        ends = {ip for row in made.rows() for ip in (row["src_ip"], row["dst_ip"], row["dialled_ip"]) if ip}
        listed = made.session.query(
            "SELECT count(*) AS n FROM connection c JOIN endpoint s ON s.id = c.src JOIN endpoint d ON d.id = c.dst"
        )
        assert {row["ip"] for row in made.session.query("SELECT ip FROM endpoint").to_pylist()} >= ends
        assert listed["n"][0].as_py() == _count(made, "connection")
        assert _count(made, "exchange") <= ROWS * 1.1
        # a client for each row, a few servers, and what the index still knows, twice
        assert _count(made, "endpoint") < ROWS * 1.5 + 4 * 32


def test_a_session_that_is_resumed_forgets_those_of_before(tmp_path: Path) -> None:
    for turns in (range(30), range(30, 60)):
        with steps(tmp_path / "x.tap", Retention(rows=ROWS)) as made:
            _run(made, turns)
            made.finish()
    with steps(tmp_path / "x.tap") as made:
        # of the first run's 302 none is left; the second one's are all still known to its index
        assert _count(made, "endpoint") <= 302
        assert len(made.rows("id")) == _count(made, "exchange") <= ROWS * 1.1
