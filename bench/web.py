"""How quick the web view is: `python -m bench.web`, or the part `web` of `python -m bench`.

A real Chromium looks at pages that this file serves, each from a process of its own: a large session, a map of 500
services with 3,000 edges, and a session to which 2,000 exchanges a second are added. `ui/web/browser/measure.mjs`
drives it and measures inside the page: frames, long tasks, the first paint of what is useful.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import mesh
from bench.process import MissingError
from bench.repeated import endless, recorder, save
from tapper.store.meta import Meta
from tapper.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.report import Line
    from tapper.feed.live import Log

WEB = Path(__file__).parents[1] / "ui" / "web"
ROWS = 1_000_000
SERVICES, EDGES = 500, 3_000
HELD = 200_000
"""Exchanges that a live session has when it is looked at first."""
RATE = 2_000
"""Exchanges per second that arrive, in steps of `STEP_S`."""
STEP_S = 0.1
GZIP_KB = 350


def figures(scratch: Path, line: Line, rows: int = ROWS) -> None:
    """All of them, over a session of so many rows."""
    found = measured(scratch, rows)
    total = sum(found["bundle"].values())
    parts = ", ".join(f"{name} {kb:.0f}" for name, kb in found["bundle"].items())
    line("web: bundle, gzipped", f"{total:.0f} KB ({parts})", f"< {GZIP_KB} KB", total < GZIP_KB)
    for name, what in (("paint", f"{rows:,} rows"), ("mesh paint", f"{SERVICES} services, {EDGES:,} edges")):
        took = found[name]["ms"]
        figure = f"{took[len(took) // 2]:,.0f} ms (of {len(took)}: {took[0]:,.0f} to {took[-1]:,.0f})"
        line(f"web: map and requests painted, {what}", figure, "< 1,000 ms", took[len(took) // 2] < 1000)
    pan = found["pan"]
    drawn = f"{pan['nodes']} boxes, {pan['edges']:,} edges drawn"
    line(f"web: layout of {drawn}", f"{pan['layout_ms']:,.0f} ms, longest task {pan['layout_task_ms']:,.0f} ms")
    for name, what in (("pan", "pan"), ("zoom", "zoom")):
        figure = f"p95 {found[name]['p95']:.1f} ms, median {found[name]['median']:.1f}, {found[name]['frames']} frames"
        line(f"    frame on {what}", figure, "< 50 ms" if name == "pan" else "", found[name]["p95"] < 50 or None)
    live = found["live"]
    figure = f"p95 {live['p95']:.0f} ms, worst {live['max']:.0f} ms, {live['count']} in {live['seconds']:.0f} s"
    line(f"web: long tasks, {live['rate']:,.0f} records/s arriving", figure, "< 100 ms", live["p95"] < 100)
    line("    questions asked of the collector", f"{live['asked'] / live['seconds']:.1f}/s")
    sleep = found["sleep"]
    figure = f"{sleep['asked']} questions, caught up in {sleep['ms']:,.0f} ms, longest task {sleep['task_ms']:.0f} ms"
    line(f"web: a tab that slept {sleep['slept']:.0f} s", figure, "<= 12 questions", sleep["asked"] <= 12)
    line("    questions while it slept", f"{sleep['asleep']}", "0", sleep["asleep"] == 0)
    scroll = found["scroll"]
    figure = f"p95 {scroll['p95']:.1f} ms, {scroll['frames']} frames"
    line(f"web: frame on scrolling {scroll['rows']:,} rows", figure, "< 50 ms", scroll["p95"] < 50)
    jump = scroll["jump_ms"]
    line("    from a jump to its rows", f"{jump[len(jump) // 2]:.0f} ms, worst {jump[-1]:.0f} ms")


def measured(scratch: Path, rows: int) -> dict[str, Any]:
    """What the browser saw, by what it did."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if shutil.which("node") is None or not Path(chromium).exists():
        raise MissingError("figures of the web view need Node.js and Chromium")
    if not (WEB / "dist" / "index.html").exists():
        raise MissingError("the web view is not built (make)")
    found: dict[str, Any] = {"bundle": bundle()}
    for kind, number in (("rows", rows), ("mesh", 0), ("live", min(rows, HELD))):
        with serving(kind, scratch, number) as url:  # one after another: what arrives at one takes time from others
            command = ["node", str(WEB / "browser" / "measure.mjs"), chromium, json.dumps({kind: url})]
            run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if run.returncode:
            raise RuntimeError(run.stderr.strip()[-2000:])
        found |= json.loads(run.stdout)
    return found


def bundle() -> dict[str, float]:
    """KB of each part, compressed as a server would."""
    found: dict[str, float] = {}
    for file in sorted((WEB / "dist").rglob("*")):
        if file.suffix in {".js", ".css", ".html"}:
            name = file.name.split("-")[0].split(".")[0]
            found[name] = found.get(name, 0) + len(zlib.compress(file.read_bytes(), 6, wbits=31)) / 1000
    return found


@contextmanager
def serving(kind: str, scratch: Path, rows: int) -> Iterator[str]:
    """The URL of a page that a process of its own serves."""
    command = [sys.executable, "-m", "bench.web", "serve", kind, str(scratch), str(rows)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate("end\n", timeout=60)


def serve(kind: str, scratch: Path, rows: int) -> None:
    """Serves one of the sessions, says its URL, and ends with its standard input."""
    from tapper.collector.api.serving import served
    from tapper.feed.interface import Health
    from tapper.feed.live import LiveFeed, Log
    from tapper.feed.session import SessionFeed

    path = scratch / f"web-{kind}.tap"
    with ExitStack() as stack:
        if kind == "live":
            session = stack.enter_context(Session.create(path, Meta("bench", "2026-01-01T00:00:00Z", ())))
            log, stop, ready = Log(), threading.Event(), threading.Event()
            writer = threading.Thread(target=_record, args=(session, log, rows, ready, stop))
            writer.start()
            stack.callback(writer.join)
            stack.callback(stop.set)
            ready.wait()
            feed: SessionFeed = LiveFeed(session, log, lambda: Health(live=True, title="bench", rate=float(RATE)))
        else:
            if kind == "mesh":
                mesh.save(path, SERVICES, EDGES)
            else:
                save(path, rows)
            feed = SessionFeed(stack.enter_context(Session.open(path)))
        address = stack.enter_context(served(feed, page=WEB / "dist"))
        print(address.url, flush=True)
        sys.stdin.readline()


def _record(session: Session, log: Log, held: int, ready: threading.Event, stop: threading.Event) -> None:
    """Adds so many exchanges at once, says that it is ready, and goes on with `RATE` a second until it is to stop."""
    into, count = recorder(session), 0
    began: float | None = None
    for piece in endless(int(RATE * STEP_S)):
        rows = into.add(piece)
        count += rows.num_rows if rows is not None else 0
        if count < held:
            continue
        into.commit()
        log.add(rows)
        if began is None:
            began = time.monotonic()
        ready.set()
        if stop.wait(max(began + (count - held) / RATE - time.monotonic(), 0)):
            break
    into.finish()


def main(arguments: Sequence[str]) -> None:
    """Serves, or prints the figures as JSON."""
    if arguments[:1] == ["serve"]:
        serve(arguments[1], Path(arguments[2]), int(arguments[3]))
        return
    with tempfile.TemporaryDirectory(prefix="tapper-bench-") as scratch:
        rows = int(arguments[0]) if arguments else ROWS
        print(json.dumps(measured(Path(scratch), rows), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
