"""One request in full, by sections: where the time went, heads, bodies as they read best, messages, connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tapper.model.words import NOTES, OUTCOMES, STATES
from ui.formatting import clean, count, counted, duration, latency_bar, sign, size, time_of_day, truncate
from ui.lines import DIM, NAME, TITLE, Line, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor

    from tapper.model.protobuf import Schemas
    from tapper.model.records import Endpoint, Exchange, Half, Message

BAR = 40
NOT_KNOWN = "(not known)"


def head(exchange: Exchange) -> Iterator[Line]:
    """What it is, who called whom, when, how it went."""
    mark = sign(exchange.outcome)
    outcome = f"{status(exchange)}{f' {mark}' if mark else ''}"
    yield line((asked(exchange), TITLE), "  ", (outcome, exchange.outcome), f"  {duration(exchange.latency_ns)}")
    yield line(f"{_end(exchange.src)} -> {_end(exchange.dst)}{_dialled(exchange)}")
    version = f"/{exchange.version}" if exchange.version else ""
    moment = f"{_date(exchange.time_ns)} {time_of_day(exchange.time_ns)}"
    yield line((f"{exchange.id}  {clean(exchange.protocol + version)}  {moment}", DIM))
    if exchange.outcome != "ok" or exchange.error:
        words = clean(exchange.error) if exchange.error else OUTCOMES.get(exchange.outcome, "")
        yield line((f"{exchange.outcome.replace('_', ' ')}: {words}", exchange.outcome))
    if exchange.trace_id:
        yield line(f"trace {clean(exchange.trace_id)}{f'  span {clean(exchange.span_id)}' if exchange.span_id else ''}")


def asked(exchange: Exchange) -> str:
    """Operation and target."""
    return clean(f"{exchange.operation or '?'} {exchange.target or ''}".rstrip())


def status(exchange: Exchange) -> str:
    """The status with its name."""
    if exchange.status is None:
        answered = exchange.response is not None or exchange.messages_received
        return clean(exchange.status_text or ("status not known" if answered else "no answer"))
    words = exchange.status_text or exchange.reason
    return clean(f"{exchange.status} {words}" if words else str(exchange.status))


def _date(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone():%Y-%m-%d}"


def _end(end: Endpoint) -> str:
    address = f"[{end.ip}]:{end.port}" if ":" in end.ip else f"{end.ip}:{end.port}"
    if end.name == end.ip:
        return clean(address)
    name = f"{end.namespace}/{end.name}" if end.namespace else end.name
    return clean(f"{name} ({address}, name from {end.name_source})")


def _dialled(exchange: Exchange) -> str:
    asked = f", asked for {clean(exchange.authority)}" if exchange.authority else ""
    if exchange.dialled_ip is None:
        return asked
    dialled = f"{exchange.dialled_ip}:{exchange.dialled_port}"
    if exchange.dialled_name and exchange.dialled_name != exchange.dialled_ip:
        dialled = f"{exchange.dialled_name} ({dialled})"
    return f"{asked}, dialled {clean(dialled)}"


def timing(exchange: Exchange, cells: int = BAR) -> Iterator[Line]:
    """The phases one after the other, each a bar that begins where the one before ended."""
    parts = [
        ("request sent", exchange.send_ns),
        ("waited", exchange.wait_ns),
        ("response received", exchange.receive_ns),
    ]
    whole = sum(ns for _, ns in parts if ns is not None)
    begin = 0
    for name, ns in parts:
        if ns is None:
            continue
        before = round(cells * begin / whole) if whole else 0
        bar = "█" * (round(cells * (begin + ns) / whole) - before) if whole else ""
        begin += ns
        yield line(f"{name:<18} {duration(ns):>8}  ", (" " * min(before, cells - 1) + (bar or "▏"), "bar"))
    if exchange.latency_ns is not None:
        until = (
            "to the first byte of the answer: it is a stream" if "stream" in exchange.notes else "first to last byte"
        )
        bar = latency_bar(exchange.latency_ns, 4)
        yield line(f"{'latency':<18} {duration(exchange.latency_ns):>8}  ", (bar, "bar"), f" {until}")
    yield from _at_server(exchange)


def _at_server(exchange: Exchange) -> Iterator[Line]:
    """What the views of both ends tell together."""
    if exchange.server_latency_ns is None:
        return
    yield line(f"{'at the server':<18} {duration(exchange.server_latency_ns):>8}  as captured there")
    if exchange.latency_ns is not None:
        between = duration(exchange.latency_ns - exchange.server_latency_ns)
        yield line(f"{'on the way':<18} {between:>8}  the network, both ways")


def half_title(name: str, half: Half) -> str:
    """Its name and sizes."""
    sizes = []
    if half.head_bytes:
        sizes.append(f"head {_bytes(half.head_bytes)}")
    if half.body_bytes:
        decoded = half.content_bytes is not None and half.content_bytes != half.body_bytes
        sizes.append(f"body {_bytes(half.body_bytes)}{f', {_bytes(half.content_bytes)} decoded' if decoded else ''}")
    return f"{name}  ({', '.join(sizes)})" if sizes else name


def _bytes(number: int | None) -> str:
    return "-" if number is None else f"{size(number)}B"


def request(exchange: Exchange, view: str | None = None, schemas: Schemas | None = None) -> Iterator[Line]:
    """The request as sent."""
    yield line((asked(exchange), TITLE))
    yield from _half(exchange.request, view, message_type(exchange, schemas, request=True))


def response(exchange: Exchange, view: str | None = None, schemas: Schemas | None = None) -> Iterator[Line]:
    """The response as received; nothing if there was none."""
    if exchange.response is None:
        return
    interim = f"   (after {', '.join(map(str, exchange.interim))})" if exchange.interim else ""
    version = f"{exchange.protocol.upper()}/{exchange.version} " if exchange.version else ""
    yield line(
        (clean(f"{version}{status(exchange)}"), exchange.outcome if exchange.outcome != "ok" else TITLE), interim
    )
    yield from _half(exchange.response, view, message_type(exchange, schemas, request=False))


def message_type(exchange: Exchange, schemas: Schemas | None, *, request: bool) -> Descriptor | None:
    """The type of the messages of one side of a gRPC call, if that is known."""
    if schemas is None or exchange.protocol != "grpc" or not exchange.target:
        return None
    return schemas.message(exchange.target, request=request)


def _half(half: Half, view: str | None, message: Descriptor | None) -> Iterator[Line]:
    for name, value in half.headers:
        yield _header(name, value)
    yield from _body(half, view, message)
    if half.trailers:
        yield line()
        yield line(("trailers", DIM))
        for name, value in half.trailers:
            yield _header(name, value)


def _header(name: str | None, value: str | None) -> Line:
    return line((f"{_known(name)}:", NAME), f" {_known(value)}")


def _known(text: str | None) -> str:
    return NOT_KNOWN if text is None else clean(text)


def content_type(half: Half) -> str | None:
    """Of its body, with parameters if they are known."""
    return half.header("content-type") or half.content_type


def _body(half: Half, view: str | None, message: Descriptor | None) -> Iterator[Line]:
    if not half.body:
        if half.body_bytes:
            yield line()
            yield line((f"({_bytes(half.body_bytes)} of body, not kept)", DIM))
        return
    from ui.views import show

    shown = show(half.body, content_type(half), cut=half.cut, view=view, message=message)
    yield line()
    for text in shown.lines:
        yield Line(text, lexer=shown.lexer)
    for note in shown.notes:
        yield line((f"({note})", DIM))


def messages_title(exchange: Exchange) -> str:
    """How many went each way."""
    return f"Messages  ({count(exchange.messages_sent)} sent, {count(exchange.messages_received)} received)"


def messages(
    listed: tuple[Message, ...],
    room: int | None = None,
    exchange: Exchange | None = None,
    schemas: Schemas | None = None,
) -> Iterator[Line]:
    """A line for each, with the beginning of its body in `room` cells.

    Args:
        listed: the messages.
        room: None: all of the body.
        exchange: theirs; those of gRPC are shown by their fields.
        schemas: what is known of those.
    """
    for message in listed:
        arrow = "→" if message.direction == "sent" else "←"
        name = f" {clean(message.name)}" if message.name else ""
        text = _one_line(message, exchange, schemas)
        yield line(
            (f"{message.index:>4} {time_of_day(message.time_ns)} ", DIM),
            f"{arrow} {clean(message.kind)}{name} {_bytes(message.bytes)}  ",
            text if room is None else truncate(text, room),
        )


def _one_line(message: Message, exchange: Exchange | None, schemas: Schemas | None) -> str:
    body = message.body
    if not body:
        return ""
    if exchange is not None and exchange.protocol == "grpc":
        from ui.views import protobuf

        kind = message_type(exchange, schemas, request=message.direction == "sent")
        cut = message.content_bytes is not None and len(body) < message.content_bytes
        if (fields := protobuf.one_line(body, kind, cut)) is not None:
            return fields
    try:
        text = body[:4000].decode()
    except UnicodeDecodeError:
        return body[:64].hex(" ")
    return clean(text)


def connection(row: dict[str, Any]) -> Iterator[Line]:
    """What the feed knows of its connection."""
    state = row["state"]
    yield line(
        f"{row['id']}  {row['transport']}, {clean(row['protocol'])}, ",
        (f"{state}: {STATES.get(state, '')}", state if state in ("refused", "unanswered", "reset") else ""),
        f"; {clean(row['reason'])}" if row["reason"] else "",
    )
    facts = [
        counted(row["exchanges"], "exchange"),
        f"handshake {duration(row['handshake_ns'])}",
        f"open for {duration(row['last_time'] - row['time'])}",
        f"{_bytes(row['bytes_sent'])} sent, {_bytes(row['bytes_received'])} received",
        f"{count(row['retransmits'])} segments sent again",
    ]
    if row["gaps"]:
        facts.append(f"{count(row['gaps'])} gaps, {_bytes(row['gap_bytes'])} not captured")
    yield line(", ".join(facts))
    if row["server_name"] or row["alpn"]:
        yield line(f"TLS server name {clean(row['server_name'] or '-')}, ALPN {clean(row['alpn'] or '-')}")


def notes(exchange: Exchange) -> Iterator[Line]:
    """What was redacted, cut, lost, and what that means."""
    for note in exchange.notes:
        yield line((f"{note:<14} ", NAME), NOTES[note][1] if note in NOTES else "")
