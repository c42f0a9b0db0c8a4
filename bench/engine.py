"""The engine alone, from a file to Arrow batches that nobody keeps: `python -m bench.engine FILE [--no-bodies]`."""

from __future__ import annotations

import json
import resource
import sys

from agent._engine import FileReader


def cpu_s() -> float:
    """Processor time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(path: str, *, bodies: bool) -> None:
    """Reads the file and prints what it took."""
    start = cpu_s()
    exchanges = payload_bytes = 0
    for batch in FileReader([path], bodies=bodies):
        exchanges += len(batch.exchanges or ())
        payload_bytes += len(batch.payloads or b"")
    json.dump({"exchanges": exchanges, "payload_bytes": payload_bytes, "cpu_s": cpu_s() - start}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], bodies="--no-bodies" not in sys.argv)
