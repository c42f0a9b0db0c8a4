"""Measures a live tap: nginx and h2load in two network namespaces of our own, the agent's source beside them.

The tap is a process that does what an agent does with a source: ring, engine, packing for the wire into its spool.
Sending that to a collector is not in it. All rates of one run were taken on the same cores, which nginx, h2load and
the tap share; so what is answered is printed beside what is offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.network import CONNECTIONS, place, tcpdump
from bench.tap import Tap

if TYPE_CHECKING:
    from pathlib import Path

    from bench.network import Place
    from bench.report import Line
    from bench.tap import Tapped

OFFERED = 50_000
MEASUREMENTS = 8
LONG_OFFERED = 12_000
"""Requests per second of the load for memory."""


def figures(scratch: Path, line: Line, seconds: int, long: int) -> None:
    """All of them; each load runs for so many seconds, the one for memory for so many as `long` says."""
    with place(scratch) as there:
        paced(there, line, seconds)
        as_fast_as_it_goes(there, line, seconds)
        overload(there, line, seconds)
        memory(there, line, long)


def paced(there: Place, line: Line, seconds: int) -> None:
    """At a rate that is asked for: is all seen, for how much, and does it cost the others anything?"""
    alone = there.load(seconds, rate=OFFERED) / seconds
    tap = Tap(there.client)
    before = tap.ask()
    answered = there.load(seconds, rate=OFFERED)
    after = tap.end()
    with tcpdump(there) as stop:
        beside_tcpdump = there.load(seconds, rate=OFFERED) / seconds
        floor, _ = stop()
    cores = (after.cpu_s - before.cpu_s) / seconds
    rate = answered / seconds
    line(
        f"live: offered {OFFERED:,} req/s, keep-alive",
        f"{rate:,.0f} answered/s",
        f"{OFFERED:,}",
        rate >= OFFERED * 0.95,
    )
    seen(line, after, answered)
    per_50k = cores / rate * OFFERED
    figure = f"{cores:.2f} at this rate; {per_50k:.2f} for {OFFERED:,}/s; tcpdump -w /dev/null {floor / seconds:.2f}"
    line("    cores of the tap", figure, "<= 0.35", per_50k <= 0.35)
    less = 1 - rate / alone
    figure = f"{less:.1%} less than without a tap; {1 - beside_tcpdump / alone:.1%} beside tcpdump"
    line("    answered", figure, "<= 8 % less", less <= 0.08)


def seen(line: Line, told: Tapped, answered: int) -> None:
    """Whether nothing is missing. What was under way when the load ended, nginx may have answered to nobody."""
    drops = told.counters["ring.drops"]
    line("    ring drops", f"{drops:,}", "0", drops == 0)
    alike = abs(told.records - answered) <= CONNECTIONS
    line("    records of requests answered", f"{told.records:,} of {answered:,}", f"equal, +-{CONNECTIONS}", alike)


def as_fast_as_it_goes(there: Place, line: Line, seconds: int) -> None:
    """Without a pause: how much less nginx and h2load do beside a tap; the best of three turns each.

    Where both keep all cores busy, what a tap uses is missing to them at least once, and twice where one waits for the
    other meanwhile.
    """
    rates: dict[str, list[float]] = {"alone": [], "tap": [], "tcpdump": []}
    spent: dict[str, float] = {"tap": 0.0, "tcpdump": 0.0}
    for _ in range(3):
        rates["alone"].append(there.load(seconds) / seconds)
        tap = Tap(there.client)
        rates["tap"].append(there.load(seconds) / seconds)
        spent["tap"] += tap.end().cpu_s
        with tcpdump(there) as stop:
            rates["tcpdump"].append(there.load(seconds) / seconds)
            used, _ = stop()
            spent["tcpdump"] += used
    best = {name: max(values) for name, values in rates.items()}  # the least disturbed by others
    spread = 1 - min(rates["alone"]) / best["alone"]
    line(
        "live: nginx and h2load alone, as fast as they go", f"{best['alone']:,.0f} req/s, turns differ by {spread:.0%}"
    )
    for name, goal in (("tap", 0.08), ("tcpdump", None)):
        fall, cores = 1 - best[name] / best["alone"], spent[name] / (3 * seconds)
        what = "with a tap" if name == "tap" else "with tcpdump -w /dev/null (the floor)"
        figure = f"{best[name]:,.0f} req/s, {fall:.1%} less, {cores:.2f} cores"
        told = None if goal is None or spread > goal else fall <= goal  # others' load would decide
        line(f"    {what}", figure, f"<= {goal:.0%} less" if goal else "", told)


def overload(there: Place, line: Line, seconds: int) -> None:
    """Too much: is what is left out told, and true?"""
    tap = Tap(there.client)
    tap.ask("shed 4")
    answered = there.load(seconds, connections=256)
    told = tap.end()
    shed = told.counters["shed.exchanges"]
    wrong = abs(told.records + shed - answered) / answered
    figure = f"{told.records:,} + {shed:,} of {answered:,}: {wrong:.2%} wrong"
    line("live: one connection of 4 kept, records + counted", figure, "<= 1 %", wrong <= 0.01)
    tap = Tap(there.client, ring_bytes=1 << 20, stall=0.05)
    before = there.packets()
    there.load(seconds)
    offered = there.packets() - before
    told = tap.end()
    drops, taken = told.counters["ring.drops"], told.counters["source.packets"]
    wrong = abs(taken + drops - offered) / offered
    figure = f"{taken:,} + {drops:,} of {offered:,} packets: {drops / offered:.1%} dropped, {wrong:.2%} wrong"
    line("live: a tap that is too slow, taken + dropped", figure, "<= 1 %", wrong <= 0.01 and drops > 0)


def memory(there: Place, line: Line, seconds: int) -> None:
    """Whether it grows under a steady load: the most of the first half and of the second."""
    tap = Tap(there.client)
    seen, answered = [], 0
    for _ in range(MEASUREMENTS):
        answered += there.load(max(1, seconds // MEASUREMENTS), rate=LONG_OFFERED)
        seen.append(tap.ask().rss_mb)
    told = tap.end()
    early, late = max(seen[: MEASUREMENTS // 2]), max(seen[MEASUREMENTS // 2 :])
    figure = f"{early:,.0f} -> {late:,.0f} MB"
    line(f"live: memory over {seconds} s of {LONG_OFFERED:,} req/s", figure, "flat, +-15 %", late <= early * 1.15)
    account(line, answered, told.records, told.counters)


def account(line: Line, answered: int, records: int, counters: dict[str, int]) -> None:
    """Records, and what is counted as missing, against what was answered.

    Of packets that the kernel dropped nobody knows which requests they were: they are taken to be as large a share.
    """
    share = counters["ring.drops"] / counters["ring.packets"]
    lost = counters.get("agent.lost_records", 0) + counters.get("store.not_kept", 0)
    shed = counters.get("shed.exchanges", 0)
    offered = (records + lost + shed) / (1 - share)
    wrong = abs(offered - answered) / answered
    parts = f"{records:,} + {lost:,} lost + {shed:,} left out, {share:.2%} of packets dropped"
    line(
        "    records + counted", f"{parts}: {offered:,.0f} of {answered:,}, {wrong:.2%} wrong", "<= 1 %", wrong <= 0.01
    )
