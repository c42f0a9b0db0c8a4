"""Reads capture files into a session: engine, names, store, step by step."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapper.feed.recorder import Recorder
from tapper.identity.index import Identity
from tapper.model.schema import SCHEMA_VERSION
from tapper.store.errors import StoreError
from tapper.store.meta import Meta
from tapper.store.session import WRITING_MEMORY, Session
from tapper.store.temporary import temporary_session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import pyarrow as pa

    from tapper.identity.names import Claim


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read; the fields are those of `agent._engine.FileReader`, and who is known by name."""

    heads: bool = True
    bodies: bool = True
    body_limit: int = 65_536
    redact: bool = True
    redact_names: tuple[str, ...] = ()
    descriptors: tuple[bytes, ...] = ()
    """Sets of descriptors of Protocol Buffers, so that secrets in gRPC messages are known by name."""
    batch_rows: int = 16_384
    compression: str = "zstd"
    claims: tuple[Claim, ...] = ()

    def facts(self) -> dict[str, Any]:
        """What a session's Meta says of how it was recorded."""
        return {"heads": self.heads, "bodies": self.bodies, "body_limit": self.body_limit, "redact": self.redact}


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of the capture was read."""

    exchanges: pa.Table | None
    """Narrow rows just recorded, for `feed.fresh.Matcher`."""
    position: int
    """Bytes of the files read so far, of `total`."""
    total: int | None
    """None: not known (a pipe)."""
    packets: int
    now: int
    """Time of the newest packet, ns; 0 before the first."""
    problem: str | None = None
    """A file could not be read, or no further; reading goes on with the next."""


@contextmanager
def recording(
    paths: Sequence[str], options: ReadOptions | None = None, *, save: Path | None = None, replace: bool = False
) -> Iterator[Session]:
    """A new session for these captures: at `save`, or a temporary one that is removed in the end.

    Raises:
        SessionExistsError: something is at `save`, and it is no session or `replace` is not set.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    meta = Meta(_version(), now, tuple(_source(p, None) for p in paths), (options or ReadOptions()).facts())
    with temporary_session(meta) if save is None else Session.create(save, meta, replace=replace) as session:
        yield session


def _version() -> str:
    try:
        return version("tapper")
    except PackageNotFoundError:  # run from its sources
        return "unknown"


def total_bytes(paths: Sequence[str]) -> int | None:
    """Size of all files together, or None where one is no plain file."""
    if any(path == "-" or not Path(path).is_file() for path in paths):
        return None
    return sum(Path(path).stat().st_size for path in paths)


def read_files(
    paths: Sequence[str],
    session: Session,
    options: ReadOptions | None = None,
    *,
    names_at_once: bool = False,
    commit_when: Callable[[], bool] | None = None,
) -> Generator[Step, None, None]:
    """Records capture files into a new session; leaving early keeps what was read, marked as not complete.

    Args:
        paths: capture files, "-" for standard input; they are read by the times of their first packets.
        session: made by Session.create or temporary_session.
        options: how to read.
        names_at_once: commit names with each step, so that a Matcher can show its rows.
        commit_when: asked after each step whether all that was read should be part of the session now, for whoever
            looks at it meanwhile; without, that happens in pieces that are large.

    Raises:
        StoreError: the session can't be written (disk full); what was committed stays.
        ValueError: an option is out of range.
    """
    from agent import _engine

    options = options or ReadOptions()
    if _engine.SCHEMA_VERSION != SCHEMA_VERSION:
        raise RuntimeError(
            f"engine has schema version {_engine.SCHEMA_VERSION}, tapper {SCHEMA_VERSION}: build it anew"
        )
    paths = _by_time(paths)
    reader = _engine.FileReader(
        paths,
        heads=options.heads,
        bodies=options.bodies,
        body_limit=options.body_limit,
        redact=options.redact,
        redact_names=options.redact_names,
        descriptors=options.descriptors,
        batch_rows=options.batch_rows,
        compression=options.compression,
    )
    schema_messages = {
        "payload": _engine.payload_schema_message("payload"),
        "message": _engine.payload_schema_message("message_payload"),
    }
    recorder = Recorder(session, schema_messages, Identity(options.claims))
    problems: dict[str, str] = {}
    total = total_bytes(paths)
    step = Step(None, 0, total, 0, 0)
    # one writer's rows come in order; a second core would cost more than it gains
    session.limit(threads=1, memory=WRITING_MEMORY)
    try:
        while True:
            try:
                batch = next(reader)
            except StopIteration:
                break
            except _engine.CaptureError as error:
                message, path, _ = error.args
                problems[str(path)] = str(message)
                yield Step(None, step.position, total, step.packets, step.now, str(message))
                continue
            rows = recorder.add(batch)
            if names_at_once:
                recorder.commit_names()
            if commit_when is not None and commit_when():
                recorder.commit()
            step = Step(rows, batch.position, total, batch.packets, batch.now)
            yield step
        sources = tuple(_source(path, problems.get(path)) for path in paths)
        recorder.finish(sources=sources, packets=step.packets)
    except StoreError:
        raise
    except BaseException:  # interrupted: what was read so far is kept
        with suppress(StoreError):
            recorder.commit()
        raise
    finally:
        reader.close()
        recorder.abandon()
        session.limit(threads=None)


def _by_time(paths: Sequence[str]) -> list[str]:
    """In the order in which they were captured, so that time goes on, or as they are if one can be read only once."""
    if len(paths) < 2 or total_bytes(paths) is None:
        return list(paths)
    return sorted(paths, key=_first_time)


def _first_time(path: str) -> float:
    """Of its packets; what can't be read comes last."""
    from agent import _engine

    reader = _engine.FileReader([path], heads=False, batch_ns=1)
    try:
        return next(reader).now or math.inf
    except (StopIteration, _engine.CaptureError):
        return math.inf
    finally:
        reader.close()


def _source(path: str, problem: str | None) -> dict[str, Any]:
    file = Path(path)
    size = file.stat().st_size if path != "-" and file.is_file() else None
    whole = str(file.resolve()) if size is not None else None
    return {"name": path, "path": whole, "bytes": size, "problem": problem}
