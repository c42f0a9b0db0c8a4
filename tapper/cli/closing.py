"""The closing lines of a list: what there was, what is missing and, when nothing is shown, why and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.model.text import clean, count, counted, duration
from tapper.model.words import unknown_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tapper.feed.interface import Summary, TargetState

_OUTCOMES = (
    ("server_error", "server error"),
    ("timeout", "timeout"),
    ("reset", "reset"),
    ("refused", "refused"),
    ("client_error", "client error"),
    ("incomplete", "incomplete"),
    ("open", "open"),
)


def closing_lines(
    summary: Summary, where: str = "", matched: int | None = None, shown: int | None = None, interrupted: bool = False
) -> Iterator[str]:
    """Lines to say under a list.

    Args:
        summary: of all that is there.
        where: the filter's text.
        matched: requests that the filter let through; None: there was no filter.
        shown: rows that were printed, if there was a limit.
        interrupted: reading was stopped by the user.
    """
    if interrupted:
        yield "stopped; this is what was read until then"
    if summary.exchanges == 0:
        yield from () if interrupted else nothing(summary)
    elif matched == 0:
        yield no_match(summary, where)
    else:
        parts = [_requests(summary, matched)]
        if shown is not None and shown < (summary.exchanges if matched is None else matched):
            parts.append(f"{count(shown)} shown, --limit 0 shows all")
        parts.append(_connections(summary))
        yield " · ".join(parts)
    yield from missing(summary, told=interrupted)


def _requests(summary: Summary, matched: int | None) -> str:
    total = count(summary.exchanges) + (" request" if summary.exchanges == 1 else " requests")
    if matched is not None:
        total = f"{count(matched)} of {total} match"
    outcomes = [_number(summary.outcomes[key], words) for key, words in _OUTCOMES if summary.outcomes.get(key)]
    if outcomes and matched is None:
        total += f" ({', '.join(outcomes)})"
    if summary.first_ns is not None and summary.last_ns is not None and summary.last_ns > summary.first_ns:
        total += f" in {duration(summary.last_ns - summary.first_ns)}"
    return total


def _number(number: int, words: str) -> str:
    is_noun = words in ("server error", "client error", "timeout", "reset")
    return counted(number, words) if is_noun else f"{count(number)} {words}"


def _connections(summary: Summary) -> str:
    states = [
        f"{count(summary.states[state])} {state}"
        for state in ("refused", "unanswered", "reset")
        if state in summary.states
    ]
    text = counted(summary.connections, "connection")
    return f"{text} ({', '.join(states)})" if states else text


def untapped(targets: Iterable[TargetState], *, over: bool = False) -> Iterator[str]:
    """Lines about what can't be tapped; `over`: nor will it be."""
    for target in targets:
        if target.state != "tapped" and target.problem:
            line = f"{target.name} is not tapped{' any more' if target.state == 'gone' else ''}: {target.problem}"
            yield clean(line if over else f"{line} ({'tried again' if target.state == 'failed' else 'waited for'})")


def missing(summary: Summary, *, told: bool = False) -> Iterator[str]:
    """Lines about what was lost, by stage, and about sources that could not be read to their end."""
    for source in summary.sources:
        if source.problem:
            yield f"damaged: {_with_name(source.name, source.problem)}"
    drops = next((loss.value for loss in summary.losses if (loss.stage, loss.name) == ("ring", "drops")), 0)
    if drops and summary.packets:
        share = drops / (drops + summary.packets)
        yield (
            f"the kernel dropped {share:.2%} of the packets ({count(drops)} of {count(drops + summary.packets)}): as"
            " large a share of the requests is missing or incomplete"
        )
    unknown = next((loss.value for loss in summary.losses if loss.name == "unknown_fields"), 0)
    if unknown:
        yield unknown_fields(unknown)
    if summary.losses:
        stages: dict[str, list[str]] = {}
        for loss in summary.losses:
            stages.setdefault(loss.stage, []).append(f"{loss.name.replace('_', ' ')} {count(loss.value)}")
        yield "missing: " + "; ".join(f"{stage}: {', '.join(names)}" for stage, names in stages.items())
    if summary.forgotten:
        yield f"forgotten: {count(summary.forgotten)} older requests, to stay within the limits of the session"
    if not summary.complete and not told:
        yield "this session was not finished: its writer was stopped, or still writes; what is here is whole"


def _with_name(name: str, problem: str) -> str:
    return problem if name in problem else f"{name}: {problem}"


def no_match(summary: Summary, where: str) -> str:
    """A filter that lets nothing through."""
    protocols = ", ".join(f"{count(number)} {clean(name)}" for name, number in list(summary.protocols.items())[:5])
    total = "the one request" if summary.exchanges == 1 else f"{count(summary.exchanges)} requests"
    return f"0 of {total} match `{clean(where)}`. There are {protocols}. `tapper fields` lists what can be asked for."


def nothing(summary: Summary) -> Iterator[str]:
    """Why there is no request, as well as it can be told."""
    names = ", ".join(clean(source.name) for source in summary.sources[:3]) or "the source"
    if summary.packets == 0 and summary.connections == 0:
        yield f"No packets in {names}. Was the capture stopped before any traffic, or filtered too far?"
        return
    if summary.connections == 0:
        yield (
            f"{count(summary.packets)} packets in {names}, but no TCP or UDP among them that could be read."
            " Tunnels and link types that are not known are counted below."
        )
        return
    tls = summary.unparsed.get("tls", 0)
    if tls and tls == sum(summary.unparsed.values()):
        yield (
            f"Traffic flows but is encrypted: {counted(tls, 'TLS connection')}."
            " Peers, bytes and timing are shown; contents are not. See them with --map."
        )
        return
    found = ", ".join(f"{count(number)} {clean(name)}" for name, number in list(summary.unparsed.items())[:5])
    yield (
        f"{count(summary.packets)} packets on {count(summary.connections)} connections in {names}, and no complete"
        f" request{f' ({found})' if found else ''}. See who talks to whom with --map."
    )
    for reason, number in list(summary.reasons.items())[:5]:
        yield f"  {count(number)} x {clean(reason)}"
