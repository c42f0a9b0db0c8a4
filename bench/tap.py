"""A tap as a process of its own: what an agent does with a source, but for shipping."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Tapped:
    """What a tap told."""

    cpu_s: float
    rss_mb: float
    counters: dict[str, int]

    @property
    def records(self) -> int:
        """Exchanges, each once."""
        return self.counters.get("output.exchanges", 0)


class Tap:
    """The tap's process."""

    def __init__(self, netns: str, **options: Any) -> None:
        command = [sys.executable, "-m", "bench.tap", netns, json.dumps(options)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def ask(self, what: str = "tell") -> Tapped:
        """How it is now; of `shed N`, after it did."""
        assert self._process.stdin is not None
        print(what, file=self._process.stdin, flush=True)
        return Tapped(**json.loads(self._read()))

    def end(self) -> Tapped:
        """All that it saw."""
        told = self.ask("end")
        self._process.wait(30)
        return told


def run(netns: str, *, ring_bytes: int = 8 << 20, stall: float = 0.0) -> None:
    """The process: obeys lines on standard input, answers each with a line of JSON."""
    from agent._engine import LiveReader
    from agent.budget import resident_bytes
    from agent.sources import Source
    from agent.spool import Spool

    class Reader:
        """A live reader whose counters can be asked for."""

        def __init__(self) -> None:
            self.live = LiveReader(netns=f"/run/netns/{netns}", ring_bytes=ring_bytes)
            self.shed, self.close = self.live.shed, self.live.close
            self.counters: dict[str, int] = {}

        def __iter__(self) -> Iterator[Any]:
            import pyarrow as pa

            for batch in self.live:
                if batch.counters is not None:
                    rows = pa.record_batch(batch.counters).select(["stage", "name", "value"]).to_pylist()
                    self.counters = {f"{row['stage']}.{row['name']}": row["value"] for row in rows}
                yield batch
                time.sleep(stall)

    reader, numbers_of_shipments = Reader(), count()
    spool = Spool(64 << 20, 0, None)
    spool.on_put(lambda: spool.ack(next(numbers_of_shipments)))  # a collector that is never behind
    source = Source("bench", lambda: reader, spool)
    source.start()
    print("ready", flush=True)
    for order in sys.stdin:
        word, *numbers = order.split()
        if word == "shed":
            reader.shed(bodies=True, keep_one_in=int(numbers[0]))
        if word == "end":
            source.close()
            source.join(30)
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {
            "cpu_s": used.ru_utime + used.ru_stime,
            "rss_mb": resident_bytes() / (1 << 20),
            "counters": reader.counters,
        }
        print(json.dumps(told), flush=True)
        if word == "end":
            return


if __name__ == "__main__":
    run(sys.argv[1], **json.loads(sys.argv[2]))
