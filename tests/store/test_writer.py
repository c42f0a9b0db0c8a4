"""What is appended is what is there; revisions, pieces, partitions, and what an interrupted writer leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.store import tables, writer
from tapper.store.errors import DiskFullError
from tapper.store.partitions import Retention
from tapper.store.session import Session
from tapper.store.writer import Rows, Writer
from tests.store.records import SCHEMA_MESSAGES, SECOND, T0, batch, exchange_id, many, payloads
from tests.store.writing import META, ends, exchange_rows, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def session(tmp_path: Path) -> Any:
    with Session.create(tmp_path / "x.tap", META) as made:
        yield made


def test_every_column_comes_back_as_it_was(session: Session) -> None:
    given_rows = many(100)
    appended = opened(session)
    appended.append(Rows(exchanges=given_rows, exchange_ends=ends(given_rows)))
    appended.close()
    table = session.query("SELECT * FROM exchange ORDER BY time")
    assert table.schema.names == tables.EXCHANGE.names
    assert table.schema.types == tables.EXCHANGE.types
    for name in set(given_rows.schema.names) - {"src_ip", "dst_ip"}:
        assert table[name].to_pylist() == given_rows[name].to_pylist(), name
    assert table["dst"].to_pylist() == [1] * 100


def test_all_tables_and_their_columns(session: Session) -> None:
    connection = batch("connection", [{"id": 7, "state": "refused", "reason": "nothing listens"}])
    message = batch("message", [{"exchange": exchange_id(1), "index": 3, "kind": "close"}])
    counter = batch("counter", [{"stage": "stream", "name": "gaps", "value": 2}])
    appended = opened(session)
    appended.append(Rows(connections=connection, connection_ends=ends(connection), messages=message, counters=counter))
    appended.flush()
    for name in ("connection", "message", "counter"):
        table = session.query(f"SELECT * FROM {name}")
        assert table.schema.types == tables.TABLES[name].types
        assert table.num_rows == 1
    assert session.query("SELECT reason FROM connection")["reason"].to_pylist() == ["nothing listens"]


def test_rows_are_there_once_flushed_and_not_before(session: Session) -> None:
    appended = opened(session)
    appended.append(exchange_rows([{}]))
    assert count(session) == 0
    appended.flush()
    assert count(session) == 1


def count(session: Session) -> int:
    number: int = session.query("SELECT count(*) AS n FROM exchange")["n"][0].as_py()
    return number


def test_many_rows_go_in_whole_row_groups(session: Session) -> None:
    appended = opened(session)
    for start in range(0, 150_000, 25_000):
        rows = many(25_000, start)
        appended.append(Rows(exchanges=rows, exchange_ends=ends(rows)))
    assert count(session) == writer.PIECE_ROWS
    appended.close()
    assert count(session) == 150_000


def test_long_values_do_not_wait_for_a_whole_piece(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PIECE_BYTES", 100_000)
    opened(session).append(exchange_rows([{"target": "x" * 60_000}, {"target": "y" * 60_000}]))
    assert count(session) == 2


revisions = st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=6), max_size=5)


@settings(max_examples=20, deadline=None)
@given(appends=revisions, flushes=st.lists(st.booleans(), min_size=5, max_size=5))
def test_the_highest_revision_is_the_one_that_is_kept(
    tmp_path_factory: pytest.TempPathFactory, appends: list[list[tuple[int, int]]], flushes: list[bool]
) -> None:
    best: dict[int, int] = {}
    with Session.create(tmp_path_factory.mktemp("s") / "x.tap", META) as session:
        appended = opened(session)
        for pairs, flush in zip(appends, flushes, strict=False):
            # the engine counts revisions up and gives none twice
            news = sorted({(number, revision) for number, revision in pairs if revision > best.get(number, -1)})
            for number, revision in news:
                best[number] = max(revision, best.get(number, -1))
            if news:
                appended.append(exchange_rows([{"id": i, "revision": r, "status": r} for i, r in news]))
            if flush:
                appended.flush()
        appended.close()
        table = session.query("SELECT id, revision, status FROM exchange").to_pylist()
    assert {row["id"].int & 0xFF: row["revision"] for row in table} == best
    assert len(table) == len(best)
    assert all(row["status"] == row["revision"] for row in table)


def test_an_old_revision_that_comes_late_is_left_out(session: Session) -> None:
    appended = opened(session)
    for revision in (2, 1):
        connection = batch("connection", [{"id": 7, "revision": revision}])
        appended.append(Rows(connections=connection, connection_ends=ends(connection)))
        appended.flush()
    assert session.query("SELECT revision FROM connection")["revision"].to_pylist() == [2]


def test_a_changed_endpoint_replaces_its_row(session: Session) -> None:
    names = iter(["10.0.0.1", "orders"])

    def changed() -> pa.Table:
        row = {"id": 0, "ip": "10.0.0.1", "name": next(names), "name_source": "dns"}
        return pa.Table.from_pylist([row], tables.ENDPOINT)

    appended = Writer(session, SCHEMA_MESSAGES, changed)
    for _ in range(2):
        appended.append(exchange_rows([{}]))
        appended.flush()
    assert session.query("SELECT name FROM endpoint")["name"].to_pylist() == ["orders"]


# Partitions


def test_the_oldest_partitions_are_forgotten_whole(session: Session) -> None:
    appended = opened(session, Retention(rows=160))
    for number in range(40):
        appended.append(exchange_rows([{"time": T0 + number * SECOND + i, "id": number * 10 + i} for i in range(10)]))
        appended.flush()
    appended.close()
    kept = session.query("SELECT min(time) AS first, count(*) AS n FROM exchange")
    assert 150 <= kept["n"][0].as_py() <= 170
    assert kept["first"][0].value > T0 + 20 * SECOND
    files = sorted((session.path / "payload").iterdir())
    assert {int(f.stem) for f in files} == set(
        session.query("SELECT DISTINCT segment FROM exchange")["segment"].to_pylist()
    )
    forgotten = session.query("SELECT max(value) AS n FROM counter WHERE stage = 'store' AND name = 'forgotten'")
    assert forgotten["n"][0].as_py() == 400 - kept["n"][0].as_py()


@pytest.mark.parametrize("retention", [Retention(bytes=60_000), Retention(age_ns=20 * SECOND)])
def test_bytes_and_age_are_bounds_too(session: Session, retention: Retention) -> None:
    appended = opened(session, retention)
    for number in range(60):
        appended.append(exchange_rows([{"time": T0 + number * SECOND, "id": number}]))
        appended.flush()
    appended.close()
    assert 10 <= count(session) < 40
    assert session.query("SELECT max(time) AS t FROM exchange")["t"][0].value == T0 + 59 * SECOND


def test_the_row_that_replaces_one_of_a_forgotten_partition_stays(session: Session) -> None:
    appended = opened(session, Retention(rows=16))
    appended.append(exchange_rows([{"id": 1}]))
    appended.append(exchange_rows([{"id": n} for n in range(2, 10)]))
    appended.append(exchange_rows([{"id": 1, "revision": 1}]))
    for start in range(10, 26, 4):
        appended.append(exchange_rows([{"id": n} for n in range(start, start + 2)]))
        appended.flush()
    assert session.query("SELECT revision FROM exchange WHERE revision > 0").num_rows == 1


# What is left when it goes wrong


def test_all_files_are_private(session: Session) -> None:
    appended = opened(session)
    appended.append(exchange_rows([{}]))
    appended.flush()
    for path in [session.path, *session.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from tests.store.writing import META, exchange_rows, opened
from tapper.store.session import Session
appended = opened(Session.create(Path(sys.argv[1]), META))
appended.append(exchange_rows([{"id": n} for n in range(3)]))
appended.flush()
appended.append(exchange_rows([{"id": n} for n in range(3, 6)]))
os.kill(os.getpid(), 9)
"""


def test_a_killed_writer_leaves_what_it_committed_with_all_payloads(tmp_path: Path) -> None:
    path = tmp_path / "x.tap"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Session.open(path) as session:
        assert not session.meta.complete
        table = session.query('SELECT segment, "offset", row FROM exchange')
        assert table.num_rows == 3
        [(rows, payload)] = session.payloads.rows(table, ["response_body"])
        assert (len(rows), payload.num_rows) == (3, 3)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_is_told_and_keeps_what_was_committed(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tapper-test", str(tmp_path)], check=True)
    try:
        path = tmp_path / "x.tap"
        with Session.create(path, META) as session:
            appended = opened(session)
            committed = [0]

            def fill() -> None:
                for number in range(1000):
                    rows = many(2000, number * 2000)
                    noise = payloads(rows["id"], [{"response_body": os.urandom(50)} for _ in range(2000)])
                    appended.append(Rows(exchanges=rows, exchange_ends=ends(rows), payloads=noise))
                    appended.flush()
                    committed[0] += 2000

            with pytest.raises(DiskFullError, match="no room left"):
                fill()
            appended.abandon()
        with Session.open(path) as session:
            assert committed[0] > 0
            assert count(session) == committed[0]
            table = session.query('SELECT segment, "offset", row FROM exchange')
            assert sum(len(rows) for rows, _ in session.payloads.rows(table, ["response_body"])) == committed[0]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
