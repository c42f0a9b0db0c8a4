"""The raw packets of a tap as one pcapng that tells what is in it: names of addresses, requests as comments on packets.

A comment stands at the packet with which a request begins. What packets carry is as it was sent, secrets and all;
comments are of the records, where secrets are redacted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tapper.feed.interface import Query
from tapper.model.text import clean, duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.feed.interface import Feed

MAX_COMMENTS = 200_000
"""A person looks at few; each takes some 200 bytes of memory. Beyond, the oldest packets have theirs."""
MAX_NAMES = 65_536
NAMED = ("src_ip", "src_name", "src_name_source", "dst_ip", "dst_name", "dst_name_source")
ASKED = ("time", "operation", "target", "status", "outcome", "latency_ns", "protocol", *NAMED)
OF_PORTS = ("process", "address")
"""Sources of names that name a port of an address, or nothing."""


def finish(feed: Feed, files: list[Path], to: Path, about: str) -> Iterator[str]:
    """Makes one file of the recordings of a tap that has ended; what there is to say about it.

    Args:
        feed: of the tap.
        files: its recordings, which are removed. One of them may be `to`.
        to: the file.
        about: a comment on it.

    Raises:
        OSError: it can't be written; the recordings stay as they are.
    """
    from agent import _engine

    found: dict[str, set[str]] = {}
    comments: list[tuple[int, str]] = []
    for table in feed.batches(Query(limit=MAX_COMMENTS, columns=ASKED)):
        for side in ("src", "dst"):
            columns = [f"{side}_ip", f"{side}_name", f"{side}_name_source"]
            for row in table.select(columns).group_by(columns).aggregate([]).to_pylist():
                ip, name, source = (row[column] for column in columns)
                if name and name != ip and source not in OF_PORTS and len(found) < MAX_NAMES:
                    found.setdefault(ip, set()).add(clean(name))
        times = table["time"].cast("int64").to_pylist()
        comments += zip(times, map(_comment, table.drop_columns("time").to_pylist()), strict=True)
    # an address that has several names (virtual hosts) has none that says which is meant
    names = [(ip, next(iter(of_ip))) for ip, of_ip in found.items() if len(of_ip) == 1]
    part = to.with_name(f"{to.name}.part")
    try:
        packets, commented = _engine.annotate(
            [str(file) for file in files], str(part), comment=about, names=names, comments=comments
        )
        part.replace(to)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    for file in files:
        if file != to:
            file.unlink()
    yield f"{packets:,} packets in {to}, {commented:,} of them with what they begin"


def _comment(row: dict[str, object]) -> str:
    status, latency = row["status"], row["latency_ns"]
    asked = " ".join(clean(str(part)) for part in (row["operation"], row["target"]) if part)
    answer = str(status) if status is not None else str(row["outcome"])
    took = f" in {duration(latency)}" if isinstance(latency, int) else ""
    return f"{row['protocol']} {asked} -> {answer}{took}"
