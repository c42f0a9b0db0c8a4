"""Records whose every text is written by someone who means the terminal harm, or is wide, or has no end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.feed.shop import call
from tests.store.records import SECOND, T0, engine_batch, exchange_id

if TYPE_CHECKING:
    from tests.store.records import EngineBatch

EVIL = "\x1b]0;PWNED\x07\x1b[31mred\x1b[2J\x1b[?1049l\x9b5m\x90q\x1b\\\x00\x08\x7f\r\n\t\u202egnp.exe\u2066\u200b"
WIDE = "漢字かな交じり文👩‍👩‍👧‍👦é́́🇩🇪"
LONG = "x" * 20_000
TEXTS = (EVIL, WIDE, LONG, "[bold red]markup[/] $text-error [@click=app.quit]x[/]", "\u0301\u0301", "")


def batch() -> EngineBatch:
    """A call for each text, with it in every field that takes any."""
    rows = []
    for n, text in enumerate(TEXTS):
        body = f"{text}\n{text}".encode()
        half = {"headers": [(text, text), ("Content-Type", "text/plain")], "trailers": [(text, text)], "body": body}
        rows.append(
            call("10.0.0.1", "10.0.0.2", n, 10, id=n, operation=text, target=text, authority=text, connection=n + 1)
            | {"status_text": text, "error": text, "outcome": "server_error", "trace_id": text, "span_id": text}
            | {"request_content_type": text, "response_content_type": text, "response_reason": text, "version": text}
            | {f"request_{name}": value for name, value in half.items()}
            | {f"response_{name}": value for name, value in half.items()}
            | {"messages_received": 1, "messages_sent": 0}
        )
    messages = [
        {"exchange": exchange_id(n, T0 + n * SECOND), "index": 0, "name": text, "body": text.encode()}
        for n, text in enumerate(TEXTS)
    ]
    connections = [
        {"id": n + 1, "reason": text, "server_name": text, "alpn": text, "state": "refused" if n % 2 else "closed"}
        for n, text in enumerate(TEXTS)
    ]
    return engine_batch(rows, connections, messages, [{"stage": "flow", "name": "evicted", "value": 1}])
