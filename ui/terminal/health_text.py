"""How the way from packets to records is: what is missing and where, agents, targets, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.model.text import clean, count, duration, rate, share, size
from ui.formatting import fit, time_of_day
from ui.lines import DIM, NAME, TITLE, WARNING, Line, line
from ui.terminal.emptiness import nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.interface import AgentState, Feed, Health, Summary

    Row = dict[str, Any]

STAGES = (
    "source",
    "decode",
    "fragment",
    "flow",
    "stream",
    "protocol",
    "pairing",
    "output",
    "ship",
    "collector",
    "store",
)
"""In the order of the way; others come after."""
BAD = {"ready": "ok", "starting": "open", "lost": "server_error", "failed": "server_error", "ended": "incomplete"}
"""State of an agent -> the outcome whose colour it has."""


def lines(health: Health, summary: Summary, counters: list[Row]) -> Iterator[Line]:
    """All of it, most pressing first."""
    for hint in health.hints:
        yield line((f"! {clean(hint)}", WARNING))
    if health.disconnected_ns is not None:
        since = time_of_day(health.disconnected_ns)[:8]
        yield line(
            (f"✗ The collector can't be reached since {since}; it is tried again. What was seen stays.", "reset")
        )
    if not summary.exchanges:
        yield from (line((text, WARNING)) for text in nothing(summary, health).split("\n"))
    if health.hints or health.disconnected_ns or not summary.exchanges:
        yield line()
    yield from _facts(health, summary)
    yield from _agents(health)
    yield from _targets(health)
    yield from _stages(summary, counters)


def _facts(health: Health, summary: Summary) -> Iterator[Line]:
    yield line(("What there is", TITLE))
    outcomes = ", ".join(f"{count(n)} {clean(name).replace('_', ' ')}" for name, n in summary.outcomes.items())
    protocols = ", ".join(f"{count(n)} {clean(name)}" for name, n in summary.protocols.items())
    states = ", ".join(f"{count(n)} {clean(name)}" for name, n in summary.states.items())
    unparsed = ", ".join(f"{count(n)} {clean(name)}" for name, n in summary.unparsed.items())
    yield from _pairs(
        ("requests", f"{count(summary.exchanges)}  {protocols}"),
        ("outcomes", outcomes),
        ("connections", f"{count(summary.connections)}  {states}"),
        ("without requests", unparsed),
        ("stream messages", count(summary.messages) if summary.messages else ""),
        ("packets", count(summary.packets) if summary.packets else ""),
        ("rate", rate(health.rate) if health.live else ""),
        ("time", _span(summary)),
        ("secrets", "replaced by marks" if summary.redacted else "SHOWN as they were sent (--no-redact)"),
        ("bodies", "kept" if summary.bodies else "not kept (--no-bodies)"),
    )
    for source in summary.sources:
        yield from _pairs(("source", f"{clean(source.name)}  {size(source.bytes) if source.bytes else ''}"))
        if source.problem:
            yield line(f"    {'':<17}", (clean(source.problem), WARNING))
    for reason, number in summary.reasons.items():
        yield from _pairs(("not parsed", f"{count(number)} x {clean(reason)}"))
    if not summary.complete and not health.live:
        yield line(("  This session was not finished: its writer was stopped. What is here is whole.", WARNING))
    if summary.forgotten:
        yield from _pairs(("forgotten", f"{count(summary.forgotten)} older requests, to stay within the limits"))


def _span(summary: Summary) -> str:
    if summary.first_ns is None or summary.last_ns is None:
        return ""
    took = duration(summary.last_ns - summary.first_ns)
    return f"{time_of_day(summary.first_ns)} to {time_of_day(summary.last_ns)} ({took})"


def _pairs(*pairs: tuple[str, str]) -> Iterator[Line]:
    for name, words in pairs:
        if words:
            yield line((f"  {name:<17} ", NAME), words)


def _agents(health: Health) -> Iterator[Line]:
    if not health.agents:
        return
    yield line()
    yield line(("Agents", TITLE), ("   state, packets, dropped by the kernel, records sent, given up", DIM))
    for agent in health.agents:
        style = BAD.get(agent.state, "")
        lost = share(agent.dropped, agent.packets + agent.dropped) if agent.dropped else "0 %"
        yield line(
            (f"  {fit(clean(agent.node or agent.name), 20)} ", NAME),
            (fit(clean(agent.state), 9), style),
            f"{count(agent.packets):>12}",
            (f"{count(agent.dropped):>10} ({lost})", "server_error" if agent.dropped else ""),
            f"{count(agent.shipped):>11}",
            (f"{count(agent.lost):>9}", "server_error" if agent.lost else ""),
            f"  {_more(agent)}",
        )
        if agent.problem:
            yield line("      ", (clean(agent.problem), WARNING))


def _more(agent: AgentState) -> str:
    facts = []
    if agent.spooled_bytes:
        facts.append(f"{size(agent.spooled_bytes)}B wait")
    if agent.shedding:
        facts.append(f"leaves out {clean(agent.shedding)}")
    if agent.cpu is not None:
        facts.append(f"{agent.cpu:.2f} cores")
    if agent.memory_bytes is not None:
        facts.append(f"{size(agent.memory_bytes)}B")
    if agent.skew_ns is not None and abs(agent.skew_ns) >= 1_000_000:
        facts.append(f"clock {duration(agent.skew_ns)} ahead")
    return ", ".join(facts)


def _targets(health: Health) -> Iterator[Line]:
    if not health.targets:
        return
    yield line()
    yield line(("Tapped", TITLE))
    for target in health.targets:
        name = f"{target.namespace}/{target.name}" if target.namespace else target.name
        style = {"tapped": "ok", "waiting": "open"}.get(target.state, "server_error")
        node = f"  on {clean(target.node)}" if target.node else ""
        yield line((f"  {clean(target.kind):<10} ", DIM), f"{clean(name)}  ", (clean(target.state), style), node)
        if target.problem:
            yield line("      ", (clean(target.problem), WARNING))


def _stages(summary: Summary, counters: list[Row]) -> Iterator[Line]:
    bad = {(loss.stage, loss.name) for loss in summary.losses}
    stages: dict[str, list[Row]] = {}
    for counter in counters:
        stages.setdefault(counter["stage"], []).append(counter)
    order = {stage: number for number, stage in enumerate(STAGES)}
    yield line()
    yield line(("Stages", TITLE), ("   from packets to records; what is marked is missing", DIM))
    if not stages:
        yield line(("  no counter came yet", DIM))
    for stage in sorted(stages, key=lambda name: (order.get(name, len(order)), name)):
        if not any(counter["value"] for counter in stages[stage]):
            continue
        listed = sorted(stages[stage], key=lambda c: (c["stage"], c["name"]) not in bad)
        lost = any((c["stage"], c["name"]) in bad for c in listed)
        yield line((f"  {clean(stage)}", NAME), ("  ✗" if lost else "", "server_error"))
        for counter in listed:
            is_loss = (counter["stage"], counter["name"]) in bad
            if counter["value"] or is_loss:
                words = f"    {clean(counter['name']).replace('_', ' '):<28} {count(counter['value']):>14}"
                yield line((words, "server_error" if is_loss else ""))


def look(feed: Feed) -> list[Line]:
    """Asks for all of it."""
    counters = feed.counters().drop_columns(["time"]).to_pylist()
    return list(lines(feed.health(), feed.summary(), counters))
