"""Figures of reading a capture file: HTTP/1 exchanges from packets to a session that can be asked.

All parts read the same file, so that their ratios are of one run; tshark's rate on it is the yardstick.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import engine
from bench.http1_capture import make
from bench.process import Cost, run

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report import Report

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
class Reading:
    """The parts, over files with so many exchanges (the large one: `growth` times as many)."""

    report: Report
    scratch: Path
    data: Path
    exchanges: int
    growth: int

    def file(self, exchanges: int, loss: float = 0.0) -> Path:
        """A capture with so many exchanges; read once, so that it is in the page cache."""
        name = f"http1-{exchanges}{'-loss' if loss else ''}.pcap"
        path = make(self.data / name, exchanges, loss=loss)
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
        return path

    def tapper(self, path: Path, save: Path, *options: str) -> Cost:
        """`tapper read --save`, whole."""
        command = [sys.executable, "-m", "tapper.cli", "read", str(path), "--save", str(save), "--force", "--quiet"]
        return run([*command, *options])

    def tshark(self) -> None:
        """The yardstick."""
        fields = [part for name in TSHARK_FIELDS for part in ("-e", name)]
        cost = run(["tshark", "-n", "-r", str(self.file(self.exchanges)), "-Y", "http", "-T", "fields", *fields])
        found = cost.output.count("\n") // 2
        self.report.tshark_rate = found / cost.cpu_s
        self.report.line("tshark -T fields", f"{self.report.tshark_rate:,.0f}/cpu-s, {cost.peak_mb:,.0f} MB")

    def engine(self) -> None:
        """From the file to Arrow batches, which are thrown away; then packed for the wire as well."""
        path = self.file(self.exchanges)
        for what, options, goal, ratio in (
            ("engine alone, heads and bodies", [], 600_000, 80),
            ("engine alone without bodies", ["--no-bodies"], None, None),
            ("engine, heads and bodies packed as IPC with zstd", ["--ipc"], None, None),
        ):
            rate, found = engine.rate(path, *options)
            self.report.rate(what, rate, goal, ratio)
            if found != self.exchanges:
                self.report.line("    exchanges found", f"{found:,}", f"{self.exchanges:,}", ok=False)

    def read(self) -> None:
        """Packets to a session that can be asked."""
        path = self.file(self.exchanges)
        for options, goal, ratio in (([], 120_000, 20), (["--no-bodies"], 300_000, None)):
            cost = self.tapper(path, self.scratch / "read.tap", *options)
            what = "tapper read --save" + (" --no-bodies" if options else "")
            self.report.rate(what, self.exchanges / cost.cpu_s, goal, ratio)
            self.report.line("    peak memory", f"{cost.peak_mb:,.0f} MB", "<= 400 MB", cost.peak_mb <= 400)

    def memory(self) -> None:
        """The same on a file that is larger, and what then is asked of the session."""
        session = self.scratch / "large.tap"
        small = self.tapper(self.file(self.exchanges), session)
        large = self.tapper(self.file(self.exchanges * self.growth), session)
        grown = f"{small.peak_mb:,.0f} -> {large.peak_mb:,.0f} MB"
        flat = large.peak_mb <= min(small.peak_mb * 1.25, 400)
        self.report.line(f"peak memory, file {self.growth} times as large", grown, "<= 1.25 times, <= 400 MB", flat)
        self.report.rate("    tapper read --save on it", self.exchanges * self.growth / large.cpu_s)

    def queries(self) -> None:
        """What screens ask, over a million rows (or five times the exchanges)."""
        session = self.scratch / "queries.tap"
        self.tapper(self.file(self.exchanges * 5), session, "--no-bodies")
        answer = json.loads(run([sys.executable, "-m", "bench.queries", str(session)]).output)
        goals = {"map with p95 by edge": 60, "first page, filtered": 30}
        for what, took in answer["ms"].items():
            goal = goals.get(what)
            text = f"<= {goal} ms" if goal else ""
            ok = took <= goal if goal else None
            self.report.line(f"{what}, {answer['rows']:,} rows", f"{took:.1f} ms", text, ok)

    def loss(self) -> None:
        """What is recovered where packets are missing, and whether it is right."""
        cost = run([sys.executable, "-m", "bench.loss", str(self.file(self.exchanges, LOSS))])
        made = json.loads(cost.output)
        share = made["recovered"] / made["whole"]
        wrong = sum(count for word, count in made["verdicts"].items() if word.startswith("wrong") or word == "twice")
        what = f"{LOSS:.0%} of packets lost: recovered of the whole ones"
        self.report.line(what, f"{share:.2%}", ">= 97 %", share >= 0.97)
        self.report.line("    wrong records", str(wrong), "0", wrong == 0)
        verdicts = ", ".join(f"{word} {count:,}" for word, count in sorted(made["verdicts"].items()))
        self.report.line("    verdicts", verdicts)
