"""A session: the directory `x.tap/` that keeps records, opened for reading or writing.

    x.tap/ meta.json            which version made it, from what
           rows.duckdb          narrow rows (tables.py)
           payload/000001.seg   heads and bodies (segments.py)
           message/000001.seg   bodies of stream messages

One process may write, or any number may read. All is private to the user.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import duckdb

from tapper.store import meta as meta_file
from tapper.store import tables
from tapper.store.deadline import observed
from tapper.store.errors import (
    DamagedError,
    DiskFullError,
    NotASessionError,
    SessionBusyError,
    SessionExistsError,
    StoreError,
)
from tapper.store.segments import KINDS, SegmentReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from tapper.store.meta import Meta

ROWS = "rows.duckdb"
MEMORY = "128MB"  # of DuckDB
WRITING_MEMORY = "96MB"  # while a file is read: the process with engine and Arrow stays under 400 MB


@contextmanager
def private_files() -> Iterator[None]:
    """Files that DuckDB makes in here are the user's alone; it knows no mode of its own."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What is written in here to a session is private; what goes wrong is told as a StoreError."""
    try:
        with private_files():
            yield
    except (OSError, duckdb.Error) as error:
        numbers = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        full = error.errno in numbers if isinstance(error, OSError) else False
        if full or any(words in str(error) for words in _FULL):
            message = f"{path}: no room left on the disk; what was kept until then can be opened"
            raise DiskFullError(message) from error
        text = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(f"{path}: can't write: {text}") from error


_FULL = ("No space left on device", "disk is full", "File too large")


class Session:
    """An open session. `query` may be called from any thread."""

    def __init__(self, path: Path, meta: Meta, *, read_only: bool) -> None:
        self.path = path
        self.meta = meta
        self.read_only = read_only
        self.commits = 0
        """How often its writer changed what can be seen here; a reader's session never changes."""
        self._local = threading.local()
        with private_files():
            self._connection = _connect(path / ROWS, read_only=read_only)
        self.payloads = SegmentReader(path, KINDS[0])
        self.message_payloads = SegmentReader(path, KINDS[1])

    @classmethod
    def create(cls, path: Path, meta: Meta, *, replace: bool = False) -> Self:
        """Makes a new, empty session and opens it for writing.

        Raises:
            SessionExistsError: something is there, and it is no session or `replace` is not set.
            StoreError: it can't be made there.
        """
        if path.exists() or path.is_symlink():
            if not replace:
                raise SessionExistsError(f"{path} exists already")
            remove(path)
        with writing(path):
            path.mkdir(mode=0o700)
            try:
                meta.write(path)
                session = cls(path, meta, read_only=False)
                for statement in tables.create_statements():
                    session._connection.execute(statement)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
        return session

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens a session for reading.

        Raises:
            NotASessionError: it is none, or of another version.
            SessionBusyError: it is being written.
            DamagedError: its tables can't be read.
        """
        session = cls(path, meta_file.read(path), read_only=True)
        try:
            session._check_tables()
        except BaseException:
            session.close()
            raise
        return session

    @classmethod
    def resume(cls, path: Path) -> Self:
        """Opens a session for writing more into it: one that a collector left, in order or not.

        Raises:
            NotASessionError, SessionBusyError, DamagedError: as `open`.
        """
        meta = meta_file.read(path).with_changes(complete=False)
        session = cls(path, meta, read_only=False)
        try:
            session._check_tables()
            with writing(path):
                meta.write(path)
        except BaseException:
            session.close()
            raise
        return session

    def _check_tables(self) -> None:
        found: dict[str, list[str]] = {}
        columns = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"
        for table, column in self.cursor().execute(columns).fetchall():
            found.setdefault(table, []).append(column)
        if found != {name: fields.names for name, fields in tables.TABLES.items()}:
            raise DamagedError(f"{self.path / ROWS}: not the tables of a tapper session")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's connection."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self.connection()
        return cursor

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A further connection: whose transactions are nobody else's, whichever thread asks."""
        return self._connection.cursor()

    def query(self, sql: str, parameters: Sequence[Any] | None = None) -> pa.Table:
        """Runs one SELECT.

        Raises:
            StoreError: it was broken off: too slow, or no memory left for it.
        """
        cursor = self.cursor()
        try:
            with observed(cursor):
                return cursor.sql(sql, params=parameters).to_arrow_table()
        except duckdb.OutOfMemoryException as error:
            raise StoreError(f"no memory left for this answer ({MEMORY} are for all); ask for less at once") from error

    @contextmanager
    def registered(self, **arrow: pa.Table) -> Iterator[None]:
        """Arrow tables as tables of this thread's queries."""
        cursor = self.cursor()
        for name, table in arrow.items():
            cursor.register(name, table)
        try:
            yield
        finally:
            for name in arrow:
                cursor.unregister(name)

    def limit(self, threads: int | None, memory: str = MEMORY) -> None:
        """Cores that one statement may use (None: all), and memory for all of them."""
        self._connection.execute("RESET threads" if threads is None else f"SET threads = {threads}")
        self._connection.execute(f"SET memory_limit = '{memory}'")

    def close(self) -> None:
        """Closes it."""
        with private_files():
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def remove(path: Path) -> None:
    """Deletes a session; what is no session is left alone."""
    if path.is_symlink() or not (path / meta_file.NAME).is_file():
        raise SessionExistsError(f"{path} is there and is not a tapper session; it was left as it is")
    shutil.rmtree(path)


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    # A session may come from someone else: nothing in it may reach other files or fetch code.
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "preserve_insertion_order": False,  # rows are asked for in an order of their own; saves memory
        "late_materialization_max_rows": 100_000,  # a page's rows are found by what orders them, and only then read
        "arrow_lossless_conversion": True,  # UUIDs stay UUIDs
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.IOException as error:
        text = str(error)
        if "Conflicting lock" in text:
            raise SessionBusyError(
                f"{path.parent} is being written by another process; try again when it is done"
            ) from error
        if read_only and not path.exists():
            raise NotASessionError(f"{path.parent}: its {ROWS} is missing") from error
        raise DamagedError(f"{path}: {text}") from error
    except duckdb.Error as error:
        raise DamagedError(f"{path}: {error}") from error
