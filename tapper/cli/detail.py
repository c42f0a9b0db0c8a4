"""One request in full, painted for the terminal; `ui.detail` has what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui import detail
from ui.formatting import colour, count
from ui.lines import DIM, TITLE, Line, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tapper.cli.terminal import Terminal
    from tapper.model.protobuf import Schemas
    from tapper.model.records import Exchange

HALF_LINES = 400
"""Of a request or a response shown unless all is asked for."""
MESSAGES = 200
INDENT = "  "


def lines(
    exchange: Exchange,
    connection: dict[str, Any] | None,
    output: Terminal,
    *,
    full: bool = False,
    schemas: Schemas | None = None,
) -> Iterator[str]:
    """All of it.

    Args:
        exchange: as the feed gives it.
        connection: the row of its connection, if that is known.
        output: where it is shown.
        full: bodies and messages without a limit.
        schemas: what gRPC messages are called.
    """
    for part in _lines(exchange, connection, output, full, schemas):
        yield _painted(part, output).rstrip()


def _lines(
    exchange: Exchange,
    connection: dict[str, Any] | None,
    output: Terminal,
    full: bool,
    schemas: Schemas | None,
) -> Iterator[Line]:
    most = None if full else HALF_LINES
    yield from detail.head(exchange)
    cells = max(min(detail.BAR, (output.width or 120) - 40), 4)
    yield from _section("Timing", detail.timing(exchange, cells))
    yield from _section(detail.half_title("Request", exchange.request), detail.request(exchange, None, schemas), most)
    if exchange.response is not None:
        yield from _section(
            detail.half_title("Response", exchange.response), detail.response(exchange, None, schemas), most
        )
    if exchange.messages:
        room = None if output.width is None or full else max(output.width - 48, 20)
        listed = detail.messages(exchange.messages, room, exchange, schemas)
        yield from _section(detail.messages_title(exchange), listed, None if full else MESSAGES)
    if connection is not None:
        yield from _section("Connection", detail.connection(connection))
    yield from _section("Notes", detail.notes(exchange))


def _section(title: str, body: Iterable[Line], most: int | None = None) -> Iterator[Line]:
    texts = list(body)
    if not texts:
        return
    yield line()
    yield line((title, TITLE))
    for text in texts[:most]:
        yield Line(INDENT + text.text, tuple((a + len(INDENT), b + len(INDENT), style) for a, b, style in text.spans))
    if most is not None and len(texts) > most:
        yield line(f"{INDENT}… {count(len(texts) - most)} more lines; --full shows all")


def _painted(part: Line, output: Terminal) -> str:
    done, at = "", 0
    for start, end, style in part.spans:
        painted = output.paint(part.text[start:end], colour(style), bold=style == TITLE, dim=style == DIM)
        done += part.text[at:start] + painted
        at = end
    return done + part.text[at:]
