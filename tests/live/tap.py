"""A tap for the tests: what a LiveReader gives, gathered until it is closed."""

from __future__ import annotations

from collections import defaultdict
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from agent._engine import LiveReader

if TYPE_CHECKING:
    from types import TracebackType

    from agent._engine import Batch


class Tap:
    """Reads on a thread of its own while the block runs; then everything that passed in it is there."""

    def __init__(self, **options: Any) -> None:
        self.reader = LiveReader(**{"flush_ms": 50, **options})
        self.batches: list[Batch] = []
        self.thread = Thread(target=self._read)

    def _read(self) -> None:
        self.batches.extend(self.reader)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reader.close()
        self.thread.join(30)
        assert not self.thread.is_alive()

    def exchanges(self) -> list[dict[str, Any]]:
        """The last revision of each."""
        return self._last("exchanges")

    def connections(self) -> list[dict[str, Any]]:
        """The last revision of each."""
        return self._last("connections")

    def _last(self, kind: str) -> list[dict[str, Any]]:
        rows: dict[Any, dict[str, Any]] = {}
        for batch in self.batches:
            if (part := getattr(batch, kind)) is not None:
                table = pa.table(pa.record_batch(part))
                keep = [i for i, column in enumerate(table.schema) if not pa.types.is_timestamp(column.type)]
                times = table.column("time").cast(pa.int64())
                table = table.select(keep).append_column("time", times)
                rows.update((row["id"], row) for row in table.to_pylist())
        return sorted(rows.values(), key=lambda row: row["time"])

    def counters(self) -> dict[str, int]:
        """The newest values, by `stage.name`."""
        if not self.batches:
            return defaultdict(int)
        last = self.batches[-1].counters
        assert last is not None
        rows = pa.record_batch(last).select(["stage", "name", "value"]).to_pylist()
        return {f"{row['stage']}.{row['name']}": row["value"] for row in rows}
