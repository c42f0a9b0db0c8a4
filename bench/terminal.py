"""How quick the terminal UI is: `python -m bench.terminal [EXCHANGES]`.

First paint: from the start of `tapper open X.tap` in a terminal to the first row on it. Key to screen: from a key to
the rows as they are after it, while a recorder adds 2,000 exchanges a second to the session that is looked at; the
app is driven headless. Medians and 95th percentiles, in wall time and, as machines are shared, in CPU time.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.repeated import endless, recorder, save
from tapper.feed.interface import Health
from tapper.feed.session import SessionFeed
from tapper.store.meta import Meta
from tapper.store.session import Session

if TYPE_CHECKING:
    from bench.report import Line
    from ui.terminal.app import TapperApp

EXCHANGES = 1_000_000
ROUNDS = 7
RATE = 2_000
"""Exchanges per second that arrive."""
STEP_S = 0.1
HELD = 200_000
"""Exchanges that a live session has before keys are pressed."""
PAINT_S = 0.7
KEY_MS = 50
KEYS = ("down",) * 10 + ("up",) * 3 + ("pagedown",) * 4 + ("pageup",) * 2 + ("home", "end", "up")
REPEATS = 10


class Growing(SessionFeed):
    """A session that is still recorded into."""

    def health(self) -> Health:
        """As a live feed says."""
        return Health(live=True, title="bench", rate=float(RATE))


def first_paint(session: Path) -> tuple[float, float]:
    """Seconds, and CPU seconds, from the start of the process to the first row."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(session.parent / "state")}
    begun = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "tapper.cli", "open", str(session)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    seen = b""
    while b"NOERROR" not in seen:
        seen += os.read(master, 65536)
    took = time.perf_counter() - begun
    cpu = sum(float(x) for x in Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[11:13])
    child.terminate()
    threading.Thread(target=_drain, args=(master,), daemon=True).start()
    child.wait()
    return took, cpu / os.sysconf("SC_CLK_TCK")


def _drain(master: int) -> None:
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        return


def keys(directory: Path, held: int) -> list[tuple[float, float]]:
    """Milliseconds from each key to its screen while more arrives, and those that the UI's thread worked meanwhile."""
    meta = Meta("bench", "2026-01-01T00:00:00Z", ())
    with Session.create(directory / "keys.tap", meta) as session:
        stop = threading.Event()
        ready = threading.Event()
        writer = threading.Thread(target=_record, args=(session, held, ready, stop))
        writer.start()
        ready.wait()
        try:
            return asyncio.run(_press(Growing(session)))
        finally:
            stop.set()
            writer.join()


def _record(session: Session, held: int, ready: threading.Event, stop: threading.Event) -> None:
    into, count = recorder(session), 0
    rows = int(RATE * STEP_S)
    began = None
    for piece in endless(rows):
        into.add(piece)
        count += piece.exchanges.num_rows if piece.exchanges is not None else 0
        if count < held:
            continue
        into.commit()
        if began is None:
            began = time.monotonic()
        ready.set()
        due = began + (count - held) / RATE
        if stop.wait(max(due - time.monotonic(), 0)):
            break
    into.finish()


async def _press(feed: SessionFeed) -> list[tuple[float, float]]:
    from ui.terminal import stay
    from ui.terminal.app import TapperApp

    app, begun = TapperApp(feed), asyncio.Event()

    def begin() -> None:
        stay()
        begun.set()

    app.begun = begin
    took = []
    async with app.run_test(size=(120, 40)) as pilot:
        await begun.wait()
        while not app.requests.rows.current:
            await pilot.pause(0.05)
        for key in KEYS * REPEATS:
            took.append(await _one(app, key))
            await asyncio.sleep(0.03)
    app.desk.close()
    return took


async def _one(app: TapperApp, key: str) -> tuple[float, float]:
    """Milliseconds from a key to its rows on the screen, and those that the UI's thread worked meanwhile."""
    rows, done = app.requests.rows, asyncio.Event()
    begun, worked = time.perf_counter(), time.thread_time()
    app.simulate_key(key)
    app.call_later(done.set)
    await done.wait()
    while rows.current is None and rows.total:
        await asyncio.sleep(0.001)  # its rows are still asked for; asking all the time would hold that up
    for _ in range(2):  # the list tells the screen, which paints
        painted = asyncio.Event()
        app.call_after_refresh(painted.set)
        await asyncio.wait_for(painted.wait(), 10)
    return (time.perf_counter() - begun) * 1000, (time.thread_time() - worked) * 1000


def figures(scratch: Path, line: Line, exchanges: int = EXCHANGES) -> None:
    """Measures both and gives them to `line`, with their goals.

    Args:
        scratch: a directory for sessions.
        line: takes what was measured, the figure, its goal and whether it was reached (see `bench.run.Bench.line`).
        exchanges: of the saved session.
    """
    session = scratch / "terminal.tap"
    save(session, exchanges)
    paints = sorted(first_paint(session) for _ in range(ROUNDS))
    paint = statistics.median(took for took, _ in paints)
    cpu = statistics.median(cpu for _, cpu in paints)
    figure = f"{paint:.2f} s, best {paints[0][0]:.2f} s, cpu {cpu:.2f} s"
    line(f"first paint of a session of {exchanges:,}", figure, f"< {PAINT_S} s", paint < PAINT_S)
    pressed = keys(scratch, min(exchanges, HELD))
    walls, cpus = sorted(took for took, _ in pressed), sorted(cpu for _, cpu in pressed)
    at = int(len(walls) * 0.95)
    figure = f"p95 {walls[at]:.0f} ms, median {statistics.median(walls):.1f} ms, UI thread's cpu p95 {cpus[at]:.0f} ms"
    line(f"key to screen, {RATE:,}/s arriving", figure, f"p95 < {KEY_MS} ms", walls[at] < KEY_MS)


def _print(what: str, figure: str, goal: str, ok: bool) -> None:
    print(f"{what}: {figure}; goal {goal}: {'reached' if ok else 'NOT reached'}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tapper-bench-") as directory:
        figures(Path(directory), _print, int(sys.argv[1]) if len(sys.argv) > 1 else EXCHANGES)
