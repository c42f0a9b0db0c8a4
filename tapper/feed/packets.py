"""The packets of one exchange: out of the captures that a session was read from, or that were kept beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapper.feed import detail
from tapper.feed.interface import FeedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.model.records import Exchange
    from tapper.store.session import Session

MARGIN_NS = 1_000_000_000
"""Around the exchange, as far as no other is there: its handshake, the last acknowledgements."""
MAX_BYTES = 4 << 20
"""Of pcapng: more than a person looks through. A body of 4 MiB has some 3,000 packets."""


def packets(session: Session, exchange_id: str) -> bytes:
    """See Feed.packets."""
    from agent import _engine

    found = detail.exchange(session, exchange_id)
    files = capture_files(session)
    start, end = _span(session, found)
    try:
        pcapng, number, _ = _engine.packets(
            files,
            ends=((found.src.ip, found.src.port), (found.dst.ip, found.dst.port)),
            start=start,
            end=end,
            max_bytes=MAX_BYTES,
        )
    except _engine.CaptureError as error:
        raise FeedError(str(error.args[0])) from error
    if not number:
        raise FeedError(f"{', '.join(files)}: the packets of this exchange are not there (any more)")
    return pcapng


def _span(session: Session, found: Exchange) -> tuple[int, int]:
    """First and last moment whose packets are shown: with a margin, in which others of the connection have no part."""
    parts = (found.send_ns or 0) + (found.wait_ns or 0) + (found.receive_ns or 0)
    end = found.time_ns + max(found.latency_ns or 0, parts)
    others = session.query(
        "SELECT max(began + took) FILTER (began < $1) AS before, min(began) FILTER (began > $2) AS after"
        " FROM (SELECT epoch_ns(time) AS began, greatest(coalesce(latency_ns, 0),"
        " coalesce(send_ns, 0) + coalesce(wait_ns, 0) + coalesce(receive_ns, 0)) AS took"
        " FROM exchange WHERE connection = $3)",
        [found.time_ns, end, found.connection],
    ).to_pylist()[0]
    first, last = found.time_ns - MARGIN_NS, end + MARGIN_NS
    if others["before"] is not None:
        first = min(max(first, others["before"] + 1), found.time_ns)
    if others["after"] is not None:
        last = min(last, others["after"] - 1)
    return first, last


def capture_files(session: Session) -> list[str]:
    """The files that have the packets of a session, in their order.

    Raises:
        FeedError: there are none, or not as they were.
    """
    kept = session.meta.options.get("packets")
    if isinstance(kept, str):
        files = [str(path) for path in recording_files(Path(kept))]
        if not files:
            raise FeedError(f"{kept}: the packets of this session were kept there, but are no more")
        return files
    files = list(_captures(session.meta.sources))
    if not files:
        raise FeedError("the packets of this session were not kept; tap again with --pcap FILE")
    return files


def _captures(sources: tuple[dict[str, Any], ...]) -> Iterator[str]:
    for source in sources:
        path, size = source.get("path"), source.get("bytes")
        if not isinstance(path, str):
            continue
        if not Path(path).is_file():
            raise FeedError(f"{path}: the capture that this session was read from is not there any more")
        if isinstance(size, int) and Path(path).stat().st_size != size:
            raise FeedError(f"{path}: the capture has changed since this session was read from it")
        yield path


def recording_files(path: Path) -> list[Path]:
    """The files of a recording (`record` of `LiveReader`): the one, or those that are numbered, the oldest first."""
    if path.is_file():
        return [path]

    def number(file: Path) -> int:
        text = file.stem.removeprefix(f"{path.stem}-")
        return int(text) if text.isdecimal() else -1

    files = [file for file in path.parent.glob(f"{_literal(path.stem)}-*{_literal(path.suffix)}") if number(file) >= 0]
    return sorted(files, key=number)


def _literal(text: str) -> str:
    from glob import escape

    return escape(text)
