"""How long the feed takes to answer what screens ask, over many rows: `python -m bench.queries SESSION`."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tapper.feed.interface import Query
from tapper.feed.session import SessionFeed
from tapper.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9


def median_ms(question: Callable[[], object]) -> float:
    """Median of some rounds, after one that warms up."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        question()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])


def main(path: Path) -> None:
    """Prints medians in ms as JSON."""
    with SessionFeed(Session.open(path)) as feed:
        errors = "status >= 500 && latency > 5ms"
        questions: dict[str, Callable[[], object]] = {
            "map with p95 by edge": lambda: feed.edges("address"),
            "first page": lambda: feed.page(Query()),
            "first page, filtered": lambda: feed.page(Query(where=errors)),
            "slowest first": lambda: feed.page(Query(order="latency_ns", descending=True)),
            "count, filtered": lambda: feed.count(errors),
        }
        figures = {name: median_ms(question) for name, question in questions.items()}
        json.dump({"rows": feed.count(), "ms": figures}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
