"""Where the time of a request went: a waterfall of its phases, and of the calls that its server made meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.model.text import clean, duration
from ui.columns import end, request, status
from ui.formatting import fit, latency_bar
from ui.lines import DIM, TITLE, Line, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.model.records import Exchange

    Row = dict[str, Any]

NAMES = 22
FIGURES = 9


def phases(exchange: Exchange) -> list[tuple[str, int]]:
    """Names and ns in their order; with both ends seen, the network's part apart from the server's."""
    send, wait, receive = exchange.send_ns, exchange.wait_ns, exchange.receive_ns
    server_wait = exchange.server_wait_ns
    listed = [("request sent", send)]
    if server_wait is not None and wait is not None:
        network = max(wait - server_wait, 0)
        listed += [
            ("network there", network // 2),
            (f"{clean(exchange.dst.name)} worked", server_wait),
            ("network back", network - network // 2),
        ]
    else:
        listed.append((f"{clean(exchange.dst.name)} worked" if exchange.view == "server" else "waited", wait))
    listed.append(("response received", receive))
    return [(name, ns) for name, ns in listed if ns is not None]


def waterfall(exchange: Exchange, meanwhile: list[Row], cells: int) -> Iterator[Line]:
    """Phases and calls on one scale, `cells` wide."""
    listed = phases(exchange)
    whole = max(sum(ns for _, ns in listed), exchange.latency_ns or 0, 1)
    names = min(NAMES, max(cells // 3, 10))
    room = max(cells - names - FIGURES - 3, 4)
    at = 0
    if not listed and exchange.latency_ns is None:
        yield line((f"No time is known: {exchange.outcome.replace('_', ' ')}.", DIM))
    for name, ns in listed:
        yield line(f"{fit(name, names)} {fit(duration(ns), FIGURES, 'right')}  ", (_bar(at, ns, whole, room), "bar"))
        at += ns
    if exchange.latency_ns is not None:
        until = "to the first byte of the answer" if "stream" in exchange.notes else "first to last byte"
        view = f"{exchange.view}'s view: " if exchange.view in ("client", "server") else ""
        if listed:
            yield line()
        yield line(
            f"{fit('latency', names)} {fit(duration(exchange.latency_ns), FIGURES, 'right')}  ",
            (latency_bar(exchange.latency_ns, 4), "bar"),
            (f"  {view}{until}", DIM),
        )
    if meanwhile:
        proven = bool(exchange.trace_id) and meanwhile[0]["trace_id"] == exchange.trace_id
        yield line()
        how = "by trace id" if proven else "likely: calls of the same server within this time"
        yield line(("Waiting for", TITLE), (f"  {how}; enter opens", DIM))
        for row in meanwhile:
            said = f"{fit(end(row, 'dst'), names)} {fit(duration(row['latency_ns']), FIGURES, 'right')}  "
            bar = _bar(row["time"] - exchange.time_ns, row["latency_ns"] or 0, whole, room)
            made = line(said, (bar, "bar"))
            yield made
            what = line("  ", request(row), "  ", (status(row), row["outcome"]))
            yield Line(what.text, what.spans, link=row["id"])


def _bar(at: int, ns: int, whole: int, cells: int) -> str:
    start = min(round(cells * at / whole), cells - 1)
    stop = min(max(round(cells * (at + ns) / whole), start), cells)
    return " " * start + ("█" * (stop - start) or "▏")
