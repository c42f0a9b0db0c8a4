"""Why there is nothing to see, and what to do: what, why, what next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tapper.model.text import clean, count, counted, duration

if TYPE_CHECKING:
    from tapper.feed.interface import Health, Summary


def no_match(summary: Summary, where: str, last_ns: int | None = None) -> str:
    """A filter that lets nothing through."""
    total = "the one request" if summary.exchanges == 1 else f"{count(summary.exchanges)} requests"
    protocols = ", ".join(f"{count(number)} {clean(name)}" for name, number in list(summary.protocols.items())[:5])
    return f"0 of {total} match {clean(where)}\nThere are {protocols}. esc clears the filter, / changes it."


def nothing(summary: Summary, health: Health) -> str:
    """No request at all."""
    parts = [clean(hint) for hint in health.hints]
    source = ", ".join(clean(source.name) for source in summary.sources[:3]) or clean(health.title) or "the source"
    tls = summary.unparsed.get("tls", 0)
    if health.live and not summary.packets and not summary.connections:
        parts.append(f"{_listening(health)} No packet yet. Is there traffic? Health (4) shows what is captured.")
    elif not summary.packets and not summary.connections:
        parts.append(f"No packets in {source}. Was the capture stopped before any traffic, or filtered too far?")
    elif not summary.connections:
        parts.append(
            f"{count(summary.packets)} packets in {source}, but no TCP or UDP among them that could be read."
            " Health (4) shows what was met."
        )
    elif tls and tls == sum(summary.unparsed.values()):
        parts.append(
            f"Traffic flows but is encrypted: {counted(tls, 'TLS connection')}."
            " Peers, bytes and timing are shown; contents are not. See flows (3) and map (2)."
        )
    else:
        start = f"{_listening(health)} " if health.live else ""
        found = ", ".join(f"{count(number)} {clean(name)}" for name, number in list(summary.unparsed.items())[:5])
        parts.append(
            f"{start}{count(summary.packets)} packets on {count(summary.connections)} connections seen, no complete"
            f" request{f' ({found})' if found else ''}. Connections that were open before may show only in part."
            f"{' Send a request, or see' if health.live else ' See'} flows (3)."
        )
        parts += [f"{count(number)} x {clean(reason)}" for reason, number in list(summary.reasons.items())[:5]]
    return "\n".join(parts)


def _listening(health: Health) -> str:
    tapped = len(health.targets)
    what = counted(tapped, "target") if tapped else clean(health.title) or "the network"
    since = f" for {duration(time.time_ns() - health.started_ns)}" if health.started_ns else ""
    return f"Listening on {what}{since}."
