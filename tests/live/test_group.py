"""Many sources that one thread reads: what each has, those that end or are closed, and the end of all."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pyarrow as pa

from agent._engine import LiveGroup, LiveReader
from tests.live.network import host, needs_root, nginx, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from agent._engine import Batch

pytestmark = needs_root

URL = "http://127.0.0.1:8080/plain"


class Gathered:
    """A group on a thread of its own; a reader that has left is read to its end."""

    def __init__(self) -> None:
        self.group = LiveGroup()
        self.readers: dict[int, LiveReader] = {}
        self.batches: dict[int, list[Batch]] = {}
        self.left: list[int] = []
        self.thread = Thread(target=self._read, daemon=True)
        self.thread.start()

    def add(self, key: int, path: str, *, flush_ms: int = 50) -> None:
        self.readers[key] = LiveReader(netns=path, ring_bytes=512 << 10, flush_ms=flush_ms)
        self.batches[key] = []
        self.group.add(key, self.readers[key])

    def _read(self) -> None:
        for key, batch in self.group:
            if batch is None:
                self.batches[key].extend(self.readers.pop(key))
                self.left.append(key)
            else:
                self.batches[key].append(batch)

    def end(self) -> None:
        self.group.close()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def targets(self, key: int) -> list[str]:
        """Of its requests, each once."""
        found: dict[bytes, str] = {}
        for batch in list(self.batches[key]):
            if batch.exchanges is not None:
                rows = pa.record_batch(batch.exchanges).select(["id", "target"]).to_pylist()
                found |= {row["id"]: row["target"] for row in rows}
        return list(found.values())


def test_each_has_its_own(tmp_path: Path) -> None:
    with host() as one, host() as other, nginx(one, tmp_path):
        gathered = Gathered()
        gathered.add(1, one.path)
        gathered.add(2, other.path)
        one.run("curl", "-sS", URL)
        wait_until(lambda: gathered.targets(1) == ["/plain"])
        gathered.add(3, one.path)  # while it reads
        one.run("curl", "-sS", f"{URL}?later")
        wait_until(lambda: gathered.targets(3) == ["/plain?later"])
        for reader in list(gathered.readers.values()):
            reader.close()
        wait_until(lambda: sorted(gathered.left) == [1, 2, 3])
        assert gathered.targets(1) == ["/plain", "/plain?later"]
        assert gathered.targets(2) == []
        gathered.end()


def test_what_passed_before_one_was_closed_is_read(tmp_path: Path) -> None:
    with host() as one, nginx(one, tmp_path):
        gathered = Gathered()
        gathered.add(1, one.path, flush_ms=10_000)  # no batch is due
        one.run("curl", "-sS", URL)
        gathered.readers[1].close()
        wait_until(lambda: gathered.left == [1])
        assert gathered.targets(1) == ["/plain"]
        gathered.end()


def test_a_namespace_that_goes_leaves(tmp_path: Path) -> None:
    gathered = Gathered()
    with host() as stays, nginx(stays, tmp_path):
        gathered.add(1, stays.path)
        with host() as goes:
            gathered.add(2, goes.path)
            wait_until(lambda: bool(gathered.batches[2]))
        wait_until(lambda: gathered.left == [2])
        stays.run("curl", "-sS", URL)
        wait_until(lambda: gathered.targets(1) == ["/plain"])
    wait_until(lambda: sorted(gathered.left) == [1, 2])
    gathered.end()


def test_many_are_read_with_small_rings(tmp_path: Path) -> None:
    with host() as one, nginx(one, tmp_path):
        gathered = Gathered()
        for key in range(40):
            gathered.add(key, one.path)
        for number in range(5):
            one.run("curl", "-sS", f"{URL}?{number}")
        asked = [f"/plain?{number}" for number in range(5)]
        wait_until(lambda: all(gathered.targets(key) == asked for key in range(40)))
        for reader in list(gathered.readers.values()):
            reader.close()
        wait_until(lambda: len(gathered.left) == 40, 60)
        gathered.end()


def test_closing_wakes_it() -> None:
    gathered = Gathered()
    with host() as one:
        gathered.add(1, one.path, flush_ms=10_000)
        gathered.end()
        gathered.readers[1].close()
