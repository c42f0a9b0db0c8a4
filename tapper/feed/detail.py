"""One exchange in full, as the dataclasses of `tapper.model.records`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from tapper.feed import columns as sql
from tapper.feed import rows
from tapper.feed.interface import AmbiguousError, FeedError, NotFoundError
from tapper.feed.selection import with_payload
from tapper.model.records import Exchange, Message
from tapper.model.rows import exchange as exchange_of
from tapper.model.rows import plain
from tapper.model.words import note_names

if TYPE_CHECKING:
    import pyarrow as pa

    from tapper.store.session import Session

MIN_DIGITS = 4
MAX_MESSAGES = 100_000  # of one call
SHOWN_MESSAGES = 1000
_AMBIGUOUS_SHOWN = 10


def exchange(session: Session, text: str) -> Exchange:
    """See Feed.exchange."""
    key = find(session, text)
    listed = sql.select_list(rows.EXCHANGE_ROW.names, place=True)
    table = session.query(f"SELECT {listed} FROM exchange e {sql.JOINS} WHERE e.id = CAST(? AS UUID)", [key])
    row = next(plain(with_payload(session, table, rows.PAYLOAD_ROW.names)))
    streams = row["messages_sent"] is not None or row["messages_received"] is not None
    return exchange_of(row, messages(session, key, 0, SHOWN_MESSAGES) if streams else ())


def find(session: Session, text: str) -> str:
    """The id of the one exchange that a shortened id stands for; see Feed.exchange."""
    digits = text.strip().lower().replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        raise NotFoundError(f"{text!r} is not the id of an exchange: hexadecimal digits, all or enough of them")
    if len(digits) < MIN_DIGITS:
        raise FeedError(f"{text!r} is too short: at least {MIN_DIGITS} digits of the beginning or the end of an id")
    low, high = (str(uuid.UUID(digits.ljust(32, fill))) for fill in "0f")
    found = session.query(
        f"SELECT id FROM exchange WHERE id BETWEEN CAST(? AS UUID) AND CAST(? AS UUID) LIMIT {_AMBIGUOUS_SHOWN}",
        [low, high],
    )
    if not found.num_rows:
        found = session.query(
            "SELECT id FROM exchange WHERE ends_with(replace(CAST(id AS VARCHAR), '-', ''), ?)"
            f" ORDER BY id LIMIT {_AMBIGUOUS_SHOWN}",
            [digits],
        )
    ids = tuple(str(i) for i in found["id"].to_pylist())
    if not ids:
        raise NotFoundError(f"no exchange has the id {text}")
    if len(ids) > 1:
        raise AmbiguousError(f"{text} fits several exchanges: {', '.join(ids[:3])} ...; give more digits", ids)
    return ids[0]


def messages(session: Session, text: str, offset: int, limit: int) -> tuple[Message, ...]:
    """See Feed.messages."""
    if not 0 <= limit <= MAX_MESSAGES or not 0 <= offset < 1 << 62:
        raise FeedError(f"at most {MAX_MESSAGES} messages can be had at once")
    table = session.query(
        f"SELECT * FROM message WHERE exchange = CAST(? AS UUID) ORDER BY index LIMIT {limit} OFFSET {offset}",
        [find(session, text)],
    )
    bodies = _bodies(session, table)
    made = []
    for row, body in zip(plain(table), bodies, strict=True):
        made.append(
            Message(
                index=row["index"],
                time_ns=row["time"],
                direction=row["direction"],
                kind=row["kind"],
                name=row["name"],
                bytes=row["bytes"],
                content_bytes=row["content_bytes"],
                body=body,
                notes=tuple(note_names(row["notes"])),
            )
        )
    return tuple(made)


def _bodies(session: Session, table: pa.Table) -> list[bytes | None]:
    bodies: list[bytes | None] = [None] * table.num_rows
    for at, batch in session.message_payloads.rows(table, ["body"]):
        for number, body in zip(at.tolist(), batch["body"].to_pylist(), strict=True):
            bodies[number] = body
    return bodies
