"""Opening and making sessions: what is refused, and in which words."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tapper.store.errors import DamagedError, NotASessionError, SessionBusyError, SessionExistsError, StoreError
from tapper.store.session import Session
from tests.store.writing import META, exchange_rows, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A finished session of one exchange."""
    path = tmp_path / "x.tap"
    with Session.create(path, META) as session:
        writer = opened(session)
        writer.append(exchange_rows([{}]))
        writer.close(packets=7)
    return path


def test_what_was_saved_opens(saved: Path) -> None:
    with Session.open(saved) as session:
        assert (session.meta.complete, session.meta.packets, session.meta.made_by) == (True, 7, "test")
        assert session.query("SELECT count(*) AS n FROM exchange")["n"].to_pylist() == [1]


def test_any_number_may_read(saved: Path) -> None:
    other = (
        "import sys; from pathlib import Path; from tapper.store.session import Session;"
        "print(Session.open(Path(sys.argv[1])).query('SELECT count(*) AS n FROM exchange')['n'][0])"
    )
    with Session.open(saved), Session.open(saved) as session:
        done = subprocess.run([sys.executable, "-c", other, str(saved)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "1"
        assert session.query("SELECT count(*) AS n FROM exchange")["n"].to_pylist() == [1]


def test_a_reader_changes_nothing(saved: Path) -> None:
    before = {p: p.read_bytes() for p in saved.rglob("*") if p.is_file()}
    with Session.open(saved) as session, pytest.raises(duckdb.Error):
        session.cursor().execute("DELETE FROM exchange")
    assert {p: p.read_bytes() for p in saved.rglob("*") if p.is_file()} == before


def test_a_session_that_is_being_written_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "x.tap"
    other = (
        "import sys; from pathlib import Path; from tapper.store.session import Session;"
        "from tapper.store.errors import StoreError\n"
        "try: Session.open(Path(sys.argv[1]))\n"
        "except StoreError as error: print(type(error).__name__, error)"
    )
    with Session.create(path, META):
        done = subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{SessionBusyError.__name__} {path} is being written by another process")


def meta_changed(path: Path, **changes: Any) -> None:
    meta = path / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), **changes}))


def spoil_rows(path: Path) -> None:
    (path / "rows.duckdb").write_bytes(b"hello" * 5000)


def other_tables(path: Path) -> None:
    (path / "rows.duckdb").unlink()
    duckdb.connect(str(path / "rows.duckdb")).execute("CREATE TABLE exchange (id INTEGER)").close()


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda p: (p / "meta.json").unlink(), NotASessionError, "not a tapper session"),
        (lambda p: (p / "meta.json").write_text("{"), NotASessionError, "not a tapper session"),
        (lambda p: (p / "meta.json").write_text("[" * 100_000), NotASessionError, "not a tapper session"),
        (lambda p: meta_changed(p, format="x"), NotASessionError, "of something else"),
        (lambda p: meta_changed(p, schema_version=99), NotASessionError, "made by tapper test with schema version 99"),
        (lambda p: (p / "rows.duckdb").unlink(), NotASessionError, "rows.duckdb is missing"),
        (spoil_rows, DamagedError, "not a valid DuckDB"),
        (other_tables, DamagedError, "not the tables of a tapper session"),
    ],
)
def test_what_is_no_session_is_told(saved: Path, spoil: Any, error: type[StoreError], words: str) -> None:
    spoil(saved)
    with pytest.raises(error) as caught:
        Session.open(saved)
    assert words in str(caught.value)
    assert str(saved) in str(caught.value)


def test_a_path_that_is_none_or_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotASessionError, match="no such file"):
        Session.open(tmp_path / "none.tap")
    file = tmp_path / "shop.pcap"
    file.write_bytes(b"\xd4\xc3\xb2\xa1")
    with pytest.raises(NotASessionError, match="use `tapper read`"):
        Session.open(file)


def test_what_is_there_is_not_overwritten_unless_asked(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(SessionExistsError, match="exists already"):
        Session.create(saved, META)
    with Session.create(saved, META, replace=True) as session:
        assert session.query("SELECT count(*) AS n FROM exchange")["n"].to_pylist() == [0]
    other = tmp_path / "documents"
    other.mkdir()
    (other / "thesis.txt").write_text("years")
    with pytest.raises(SessionExistsError, match="not a tapper session"):
        Session.create(other, META, replace=True)
    assert (other / "thesis.txt").read_text() == "years"


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't write: No such file or directory"):
        Session.create(tmp_path / "none" / "x.tap", META)


def test_a_foreign_session_can_not_reach_other_files(saved: Path) -> None:
    with Session.open(saved) as session, pytest.raises(duckdb.PermissionException):
        session.query("SELECT * FROM read_text('/etc/passwd')")


def test_odd_meta_is_read_as_well_as_it_can(saved: Path) -> None:
    meta_changed(saved, sources="x", options=3, packets="many", made_by=None, complete="yes")
    with Session.open(saved) as session:
        meta = session.meta
    assert (meta.sources, meta.options, meta.packets, meta.complete) == ((), {}, 0, False)
