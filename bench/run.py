"""Measures tapper against its figures and against tshark, in one run on the same files, and prints the ratios.

    python -m bench                 everything; the first time it makes some gigabytes of captures in bench/data
    python -m bench engine read     only these parts
    python -m bench --exchanges 20000 --growth 2   a quick look

All rates are per second of processor time (user and system, of all threads). Figures of one run can be compared with
each other; machines differ.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.process import FailedError, MissingError
from bench.reading import Reading
from bench.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable


def protocols(report: Report, _scratch: Path, args: argparse.Namespace) -> None:
    """gRPC, WebSocket, idle HTTP/2 connections."""
    from bench.protocols import figures

    figures(args.data, report.line)


def redis(report: Report, scratch: Path, _args: argparse.Namespace) -> None:
    """Pipelined commands."""
    from bench.redis import figures

    figures(scratch, report.line)


def live(report: Report, scratch: Path, args: argparse.Namespace) -> None:
    """A live tap beside nginx and h2load."""
    from bench.live import figures

    figures(scratch, report.line, args.seconds, args.long)


def agent(report: Report, scratch: Path, args: argparse.Namespace) -> None:
    """An agent and a collector as two processes."""
    from bench.agent import figures

    figures(scratch, report.line, args.seconds, args.long)


def crowd(report: Report, scratch: Path, args: argparse.Namespace) -> None:
    """An agent that taps a hundred network namespaces."""
    from bench.crowd import figures

    figures(scratch, report.line, args.seconds * 3)


def identity(report: Report, scratch: Path, _args: argparse.Namespace) -> None:
    """Names in a large cluster."""
    from bench.identity import figures

    figures(scratch, report.line)


def cluster(report: Report, _scratch: Path, _args: argparse.Namespace) -> None:
    """How a tap of a cluster begins and goes, and how fast its port forward is."""
    from bench import forwarding
    from bench.cluster import figures

    figures(report.line)
    forwarding.figures(report.line)


def pods(report: Report, _scratch: Path, _args: argparse.Namespace) -> None:
    """A hundred pods on a node."""
    from bench.pods import many

    many(report.line)


def terminal(report: Report, scratch: Path, _args: argparse.Namespace) -> None:
    """The terminal UI."""
    from bench.terminal import figures

    figures(scratch, report.line)


def web(report: Report, scratch: Path, _args: argparse.Namespace) -> None:
    """The web view in a browser."""
    from bench.web import figures

    figures(scratch, report.line)


PARTS: dict[str, Callable[[Report, Path, argparse.Namespace], None]] = {
    part.__name__: part for part in (protocols, redis, live, agent, crowd, identity, cluster, pods, terminal, web)
}
"""By the subject; those of reading files come before them."""
READING = ("tshark", "engine", "read", "memory", "queries", "loss")


def main() -> None:
    """Runs the parts and prints the table; exit code 1 if a figure is missed."""
    known = (*READING, *PARTS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}; all, if none is given")
    parser.add_argument("--exchanges", type=int, default=200_000)
    parser.add_argument("--growth", type=int, default=10, help="how much larger the large file is")
    parser.add_argument("--seconds", type=int, default=5, help="of each load of live figures")
    parser.add_argument("--long", type=int, default=50, metavar="SECONDS", help="of the loads for memory")
    parser.add_argument("--data", type=Path, default=Path("bench/data"), help="where captures are kept")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(known):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    console = Console()
    scratch = Path(tempfile.mkdtemp(prefix="tapper-bench-"))
    report = Report()
    reading = Reading(report, scratch, args.data, args.exchanges, args.growth)
    try:
        for part in known:
            if args.parts and part not in args.parts:
                continue
            console.print(f"[dim]{part} ...[/]")
            try:
                if part in PARTS:
                    PARTS[part](report, scratch, args)
                else:
                    getattr(reading, part)()
            except MissingError as error:
                report.line(part, str(error))
            except FailedError as error:
                report.line(part, str(error), ok=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    console.print(report.table())
    sys.exit(report.missed)
