"""From a row of a feed's table, payload columns included, to the record that it stands for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.model import schema
from tapper.model.records import Endpoint, Exchange, Half, Message
from tapper.model.words import NOTES, note_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = tuple(f.name for f in fields(Endpoint) if f.name not in ("ip", "port"))
_KEPT = ({*schema.JOINED.names} | {"dialled_name"}) - {"id", "notes"}
_SAME = tuple(f.name for f in fields(Exchange) if f.name in _KEPT)
_ANSWERED = ("status", "status_text", *(f"response_{part}" for part in ("head_bytes", "body_bytes", "headers", "body")))


def plain(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as values, times as ns since the epoch (Python's own times have no nanoseconds)."""
    kept = [pa.field(f.name, pa.int64()) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    for batch in table.cast(pa.schema(kept)).to_batches(max_chunksize=1024):
        yield from batch.to_pylist()


def exchange(row: dict[str, Any], messages: tuple[Message, ...] = ()) -> Exchange:
    """The exchange of a plain row that has all columns of rows and payloads."""
    return Exchange(
        id=str(row["id"]),
        time_ns=row["time"],
        src=_endpoint(row, "src"),
        dst=_endpoint(row, "dst"),
        request=_half(row, "request"),
        response=_half(row, "response") if any(row[name] is not None for name in _ANSWERED) else None,
        reason=row["response_reason"],
        interim=tuple(row["interim"] or ()),
        notes=tuple(note_names(row["notes"])),
        messages=messages,
        **{name: row[name] for name in _SAME},
    )


def _endpoint(row: dict[str, Any], end: str) -> Endpoint:
    return Endpoint(row[f"{end}_ip"], row[f"{end}_port"], **{name: row[f"{end}_{name}"] for name in _NAMES})


def _half(row: dict[str, Any], half: str) -> Half:
    return Half(
        headers=_headers(row[f"{half}_headers"]),
        trailers=_headers(row[f"{half}_trailers"]),
        body=row[f"{half}_body"],
        head_bytes=row[f"{half}_head_bytes"],
        body_bytes=row[f"{half}_body_bytes"],
        content_bytes=row[f"{half}_content_bytes"],
        content_type=row[f"{half}_content_type"],
        cut=bool(row["notes"] & NOTES[f"{half}_cut"][0]),
    )


def _headers(listed: list[dict[str, str | None]] | None) -> tuple[tuple[str | None, str | None], ...]:
    return tuple((h["name"], h["value"]) for h in listed or ())
