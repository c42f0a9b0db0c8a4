"""One request in full, as text: where the time went, heads, bodies as they read best, messages, connection, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.model.words import NOTES, OUTCOMES, STATES
from ui.formatting import clean, colour, count, duration, latency_bar, sign, size, time_of_day, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.terminal import Terminal
    from tapper.model.records import Endpoint, Exchange, Half, Message

BAR = 40
BODY_LINES = 200
"""Of a body shown unless all is asked for."""
MESSAGES = 200
INDENT = "  "


def lines(
    exchange: Exchange, connection: dict[str, Any] | None, output: Terminal, *, full: bool = False
) -> Iterator[str]:
    """All of it.

    Args:
        exchange: as the feed gives it.
        connection: the row of its connection, if that is known.
        output: where it is shown.
        full: bodies and messages without a limit.
    """
    yield from _head(exchange, output)
    yield from _section("Timing", _timing(exchange, output), output)
    yield from _section(
        _title("Request", exchange.request), _half(exchange.request, _request_line(exchange), full), output
    )
    if exchange.response is not None:
        yield from _section(
            _title("Response", exchange.response), _half(exchange.response, _status_line(exchange), full), output
        )
    if exchange.messages:
        yield from _section(_messages_title(exchange), _messages(exchange.messages, output, full), output)
    if connection is not None:
        yield from _section("Connection", _connection(connection), output)
    if exchange.notes:
        yield from _section("Notes", (f"{note:<14} {NOTES[note][1]}" for note in exchange.notes), output)


def _section(title: str, body: Iterator[str], output: Terminal) -> Iterator[str]:
    texts = list(body)
    if texts:
        yield ""
        yield output.paint(title, bold=True)
        for text in texts:
            yield f"{INDENT}{text}".rstrip()


def _head(exchange: Exchange, output: Terminal) -> Iterator[str]:
    what = clean(f"{exchange.operation or '?'} {exchange.target or ''}".rstrip())
    mark = sign(exchange.outcome)
    outcome = output.paint(f"{_status(exchange)}{f' {mark}' if mark else ''}", colour(exchange.outcome), bold=True)
    yield f"{output.paint(what, bold=True)}  {outcome}  {duration(exchange.latency_ns)}"
    yield f"{_end(exchange.src)} -> {_end(exchange.dst)}{_dialled(exchange)}"
    version = f"/{exchange.version}" if exchange.version else ""
    moment = f"{_date(exchange.time_ns)} {time_of_day(exchange.time_ns)}"
    yield output.paint(f"{exchange.id}  {clean(exchange.protocol + version)}  {moment}", dim=True)
    if exchange.outcome != "ok" or exchange.error:
        words = clean(exchange.error) if exchange.error else OUTCOMES.get(exchange.outcome, "")
        yield output.paint(f"{exchange.outcome.replace('_', ' ')}: {words}", colour(exchange.outcome))
    if exchange.trace_id:
        yield f"trace {clean(exchange.trace_id)}{f'  span {clean(exchange.span_id)}' if exchange.span_id else ''}"


def _date(ns: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone():%Y-%m-%d}"


def _status(exchange: Exchange) -> str:
    if exchange.status is None:
        return clean(exchange.status_text or "no answer")
    words = exchange.status_text or exchange.reason
    return clean(f"{exchange.status} {words}" if words else str(exchange.status))


def _end(end: Endpoint) -> str:
    address = f"[{end.ip}]:{end.port}" if ":" in end.ip else f"{end.ip}:{end.port}"
    if end.name == end.ip:
        return clean(address)
    name = f"{end.namespace}/{end.name}" if end.namespace else end.name
    return clean(f"{name} ({address}, name from {end.name_source})")


def _dialled(exchange: Exchange) -> str:
    return f", asked for {clean(exchange.authority)}" if exchange.authority else ""


def _timing(exchange: Exchange, output: Terminal) -> Iterator[str]:
    parts = [
        ("request sent", exchange.send_ns),
        ("waited", exchange.wait_ns),
        ("response received", exchange.receive_ns),
    ]
    whole = max([ns for _, ns in parts if ns is not None], default=0)
    for name, ns in parts:
        if ns is not None:
            cells = min(BAR, (output.width or 120) - 40)
            bar = ("█" * round(cells * ns / whole) if whole else "") or "▏"
            yield f"{name:<18} {duration(ns):>8}  {bar}"
    if exchange.latency_ns is not None:
        until = (
            "to the first byte of the answer: it is a stream" if "stream" in exchange.notes else "first to last byte"
        )
        yield f"{'latency':<18} {duration(exchange.latency_ns):>8}  {latency_bar(exchange.latency_ns, 4)} {until}"


def _bytes(number: int | None) -> str:
    return "-" if number is None else f"{size(number)}B"


def _title(name: str, half: Half) -> str:
    sizes = []
    if half.head_bytes is not None:
        sizes.append(f"head {_bytes(half.head_bytes)}")
    if half.body_bytes:
        decoded = half.content_bytes is not None and half.content_bytes != half.body_bytes
        sizes.append(f"body {_bytes(half.body_bytes)}{f', {_bytes(half.content_bytes)} decoded' if decoded else ''}")
    return f"{name}  ({', '.join(sizes)})" if sizes else name


def _request_line(exchange: Exchange) -> str:
    return clean(f"{exchange.operation or '?'} {exchange.target or ''}".rstrip())


def _status_line(exchange: Exchange) -> str:
    interim = f"   (after {', '.join(map(str, exchange.interim))})" if exchange.interim else ""
    version = f"{exchange.protocol.upper()}/{exchange.version} " if exchange.version else ""
    return clean(f"{version}{_status(exchange)}") + interim


def _half(half: Half, first: str, full: bool) -> Iterator[str]:
    yield first
    for name, value in half.headers:
        yield f"{_known(name)}: {_known(value)}"
    yield from _body(half, full)
    if half.trailers:
        yield ""
        yield "trailers"
        for name, value in half.trailers:
            yield f"{_known(name)}: {_known(value)}"


def _known(text: str | None) -> str:
    return "(not known)" if text is None else clean(text)


def _body(half: Half, full: bool) -> Iterator[str]:
    if not half.body:
        if half.body_bytes:
            yield ""
            yield f"({_bytes(half.body_bytes)} of body, not kept)"
        return
    from ui.views import show

    shown = show(half.body, half.header("content-type") or half.content_type, cut=half.cut)
    yield ""
    kept = shown.lines if full else shown.lines[:BODY_LINES]
    yield from kept
    if len(kept) < len(shown.lines):
        yield f"… {count(len(shown.lines) - len(kept))} more lines; --full shows all"
    for note in shown.notes:
        yield f"({note})"


def _messages_title(exchange: Exchange) -> str:
    return f"Messages  ({count(exchange.messages_sent)} sent, {count(exchange.messages_received)} received)"


def _messages(messages: tuple[Message, ...], output: Terminal, full: bool) -> Iterator[str]:
    kept = messages if full else messages[:MESSAGES]
    room = None if output.width is None or full else max(output.width - 48, 20)
    for message in kept:
        arrow = "→" if message.direction == "sent" else "←"
        name = f" {clean(message.name)}" if message.name else ""
        text = _one_line(message.body)
        yield (
            f"{message.index:>4} {time_of_day(message.time_ns)} {arrow} {clean(message.kind)}{name}"
            f" {_bytes(message.bytes)}  {text if room is None else truncate(text, room)}"
        )
    if len(kept) < len(messages):
        yield f"… {count(len(messages) - len(kept))} more; --full shows all"


def _one_line(body: bytes | None) -> str:
    if not body:
        return ""
    try:
        text = body[:4000].decode()
    except UnicodeDecodeError:
        return body[:64].hex(" ")
    return clean(text)


def _connection(row: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{row['id']}  {row['transport']}, {clean(row['protocol'])}, {row['state']}: {STATES.get(row['state'], '')}"
        f"{'; ' + clean(row['reason']) if row['reason'] else ''}"
    )
    facts = [
        f"{count(row['exchanges'])} exchange{'' if row['exchanges'] == 1 else 's'}",
        f"handshake {duration(row['handshake_ns'])}",
        f"open for {duration(row['last_time'] - row['time'])}",
        f"{_bytes(row['bytes_sent'])} sent, {_bytes(row['bytes_received'])} received",
        f"{count(row['retransmits'])} segments sent again",
    ]
    if row["gaps"]:
        facts.append(f"{count(row['gaps'])} gaps, {_bytes(row['gap_bytes'])} not captured")
    yield ", ".join(facts)
    if row["server_name"] or row["alpn"]:
        yield f"TLS server name {clean(row['server_name'] or '-')}, ALPN {clean(row['alpn'] or '-')}"
