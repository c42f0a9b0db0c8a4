"""Measures tapper against its figures and against tshark, in one run on the same files, and prints the ratios.

    python -m bench                 everything; the first time it makes some gigabytes of captures in bench/data
    python -m bench engine read     only these parts
    python -m bench --exchanges 20000 --growth 2   a quick look

All rates are per second of processor time (user and system, of all threads). Figures of one run can be compared with
each other; machines differ.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.http1_capture import make
from bench.process import Cost, FailedError, run

TSHARK_FIELDS = (  # as much as a list of requests shows
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "http.request.method",
    "http.request.uri",
    "http.response.code",
)
LOSS = 0.01


@dataclass
class Bench:
    """One run: its files, and the lines of its table."""

    exchanges: int
    growth: int
    data: Path
    scratch: Path
    seconds: int
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)
    tshark_rate: float | None = None

    def file(self, exchanges: int, loss: float = 0.0) -> Path:
        """A capture with so many exchanges; read once, so that it is in the page cache."""
        name = f"http1-{exchanges}{'-loss' if loss else ''}.pcap"
        path = make(self.data / name, exchanges, loss=loss)
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
        return path

    def line(self, what: str, figure: str, goal: str = "", ok: bool | None = None) -> None:
        """Adds a line to the table."""
        self.lines.append((what, figure, goal, "" if ok is None else "yes" if ok else "NO"))

    def rate(self, what: str, rate: float, goal: float | None = None, ratio: float | None = None) -> None:
        """A rate, and how many times tshark's it is."""
        times = rate / self.tshark_rate if self.tshark_rate else None
        figure = f"{rate:,.0f}/cpu-s" + (f", {times:.0f}x tshark" if times else "")
        goals = ([f">= {goal:,.0f}"] if goal else []) + ([f">= {ratio:.0f}x"] if ratio and times else [])
        reached = [rate >= goal] if goal else []
        reached += [times >= ratio] if ratio and times else []
        self.line(what, figure, ", ".join(goals), all(reached) if reached else None)

    def tapper(self, path: Path, save: Path, *options: str) -> Cost:
        """`tapper read --save`, whole."""
        command = [sys.executable, "-m", "tapper.cli", "read", str(path), "--save", str(save), "--force", "--quiet"]
        return run([*command, *options])

    def tshark(self) -> None:
        """The yardstick."""
        fields = [part for name in TSHARK_FIELDS for part in ("-e", name)]
        cost = run(["tshark", "-n", "-r", str(self.file(self.exchanges)), "-Y", "http", "-T", "fields", *fields])
        found = cost.output.count("\n") // 2
        self.tshark_rate = found / cost.cpu_s
        self.line("tshark -T fields", f"{self.tshark_rate:,.0f}/cpu-s, {cost.peak_mb:,.0f} MB")

    def engine(self) -> None:
        """From the file to Arrow batches, which are thrown away."""
        path = str(self.file(self.exchanges))
        for options, goal, ratio in (([], 600_000, 80), (["--no-bodies"], None, None)):
            cost = run([sys.executable, "-m", "bench.engine", path, *options])
            made = json.loads(cost.output)
            what = "engine alone" + (" without bodies" if options else ", heads and bodies")
            self.rate(what, made["exchanges"] / made["cpu_s"], goal, ratio)
            if made["exchanges"] != self.exchanges:
                self.line("    exchanges found", f"{made['exchanges']:,}", f"{self.exchanges:,}", ok=False)

    def read(self) -> None:
        """Packets to a session that can be asked."""
        path = self.file(self.exchanges)
        for options, goal, ratio in (([], 120_000, 20), (["--no-bodies"], 300_000, None)):
            cost = self.tapper(path, self.scratch / "read.tap", *options)
            what = "tapper read --save" + (" --no-bodies" if options else "")
            self.rate(what, self.exchanges / cost.cpu_s, goal, ratio)
            self.line("    peak memory", f"{cost.peak_mb:,.0f} MB", "<= 400 MB", cost.peak_mb <= 400)

    def memory(self) -> None:
        """The same on a file that is larger, and what then is asked of the session."""
        session = self.scratch / "large.tap"
        small = self.tapper(self.file(self.exchanges), session)
        large = self.tapper(self.file(self.exchanges * self.growth), session)
        grown = f"{small.peak_mb:,.0f} -> {large.peak_mb:,.0f} MB"
        flat = large.peak_mb <= max(small.peak_mb * 1.25, 400)
        self.line(f"peak memory, file {self.growth} times as large", grown, "flat, <= 400 MB", flat)
        self.rate("    tapper read --save on it", self.exchanges * self.growth / large.cpu_s)

    def queries(self) -> None:
        """What screens ask, over a million rows (or five times the exchanges)."""
        session = self.scratch / "queries.tap"
        self.tapper(self.file(self.exchanges * 5), session, "--no-bodies")
        answer = json.loads(run([sys.executable, "-m", "bench.queries", str(session)]).output)
        goals = {"map with p95 by edge": 60, "first page, filtered": 30}
        for what, took in answer["ms"].items():
            goal = goals.get(what)
            text = f"<= {goal} ms" if goal else ""
            self.line(f"{what}, {answer['rows']:,} rows", f"{took:.1f} ms", text, took <= goal if goal else None)

    def loss(self) -> None:
        """What is recovered where packets are missing, and whether it is right."""
        cost = run([sys.executable, "-m", "bench.loss", str(self.file(self.exchanges, LOSS))])
        made = json.loads(cost.output)
        share = made["recovered"] / made["whole"]
        wrong = sum(count for word, count in made["verdicts"].items() if word.startswith("wrong") or word == "twice")
        self.line(f"{LOSS:.0%} of packets lost: recovered of the whole ones", f"{share:.2%}", ">= 97 %", share >= 0.97)
        self.line("    wrong records", str(wrong), "0", wrong == 0)
        self.line("    verdicts", ", ".join(f"{word} {count:,}" for word, count in sorted(made["verdicts"].items())))

    def live(self) -> None:
        """A live tap beside nginx and wrk."""
        from bench.live import MissingError, figures

        try:
            figures(self.scratch, self.line, self.seconds)
        except MissingError as error:
            self.line("live", str(error))


PARTS = ("tshark", "engine", "read", "memory", "queries", "loss", "live")


def main() -> None:
    """Runs the parts and prints the table; exit code 1 if a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all, if none is given")
    parser.add_argument("--exchanges", type=int, default=200_000)
    parser.add_argument("--growth", type=int, default=10, help="how much larger the large file is")
    parser.add_argument("--seconds", type=int, default=5, help="of each load of live figures")
    parser.add_argument("--data", type=Path, default=Path("bench/data"), help="where captures are kept")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    console = Console()
    scratch = Path(tempfile.mkdtemp(prefix="tapper-bench-"))
    bench = Bench(args.exchanges, args.growth, args.data, scratch, args.seconds)
    try:
        for part in PARTS:
            if part in (args.parts or PARTS):
                console.print(f"[dim]{part} ...[/]")
                try:
                    getattr(bench, part)()
                except FailedError as error:
                    bench.line(part, str(error), ok=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    table = Table("what", "figure", "goal", "reached")
    for line in bench.lines:
        table.add_row(*line)
    console.print(table)
    sys.exit(any(line[3] == "NO" for line in bench.lines))
