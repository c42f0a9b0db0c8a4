"""Records and rows as JSON documents and back: what the HTTP API says and the remote feed reads.

Times since the epoch and ids are text, for a JavaScript number holds 53 bits; durations, sizes and counts are numbers.
A body that is UTF-8 is text; another is base64, and `..._encoding` beside it says so. Notes are words.
"""

from __future__ import annotations

import base64
import binascii
import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa

from tapper.model.records import Content, Header
from tapper.model.schema import HEADERS
from tapper.model.words import note_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TIMES = frozenset({"time_ns", "first_ns", "last_ns", "since_ns", "started_ns", "disconnected_ns", "start", "end"})
"""Fields of records that are a time; others that end in `_ns` are durations."""
IDS = frozenset({"connection"})
"""Fields and columns that are numbers of 64 bits without a meaning of their own."""

_Record = TypeVar("_Record")


def document(record: Any) -> dict[str, Any]:
    """The document of a dataclass of `model.records` or `feed.interface`."""
    made: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if hint(type(record), field.name) is bytes:
            made |= body(field.name, value)
        else:
            made[field.name] = _plain(field.name, value, hint(type(record), field.name))
    return made


def record(kind: type[_Record], made: dict[str, Any]) -> _Record:
    """The dataclass that a document is of; fields that are not known here are left out.

    Raises:
        ValueError: it is not one.
    """
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name in made:
            wanted = hint(kind, field.name)
            given = made[field.name]
            if wanted is bytes:
                values[field.name] = body_bytes(given, made.get(f"{field.name}_encoding"))
            else:
                values[field.name] = _value(field.name, given, wanted)
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"not a {kind.__name__}: {error}") from error


def hint(kind: Any, name: str) -> Any:
    """The type of a field, without None."""
    return without_none(hints(kind)[name])


@cache
def hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    return get_type_hints(kind)


def without_none(wanted: Any) -> Any:
    """`X` of `X | None`."""
    if get_origin(wanted) in (types.UnionType, Union):
        [wanted] = [part for part in get_args(wanted) if part is not type(None)]
    return wanted


def _plain(name: str, value: Any, wanted: Any) -> Any:
    if value is None:
        return None
    if name in TIMES or name in IDS:
        return str(value)
    if is_dataclass(wanted):
        return document(value)
    if isinstance(value, tuple):
        [item, *_] = get_args(wanted)
        if item == Header:
            return [{"name": n, "value": v} for n, v in value]
        return [document(one) if is_dataclass(item) else one for one in value]
    return value


def _value(name: str, given: Any, wanted: Any) -> Any:
    if given is None:
        return None
    if name in TIMES or name in IDS:
        return int(given)
    if is_dataclass(wanted):
        return record(wanted, given)  # type: ignore[arg-type]
    if get_origin(wanted) is tuple:
        [item, *_] = get_args(wanted)
        if item == Header:
            return tuple((one["name"], one["value"]) for one in given)
        return tuple(record(item, one) if is_dataclass(item) else one for one in given)  # type: ignore[arg-type]
    return given


def body(name: str, data: Content | None) -> dict[str, str | None]:
    """A body as text, or as base64 and a word that says so."""
    encoding = f"{name}_encoding"
    if data is None:
        return {name: None, encoding: None}
    try:
        return {name: data.decode(), encoding: None}
    except UnicodeDecodeError:
        return {name: base64.b64encode(data).decode(), encoding: "base64"}


def body_bytes(text: str | None, encoding: str | None) -> Content | None:
    """The bytes of `body`.

    Raises:
        ValueError: it is not base64 though it says so.
    """
    if text is None:
        return None
    if encoding != "base64":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """A document for each row, with the names of the columns."""
    columns: dict[str, Sequence[Any]] = {}
    for field in table.schema:
        values = _column(field, table[field.name])
        if pa.types.is_binary(field.type):
            both = [body("body", value) for value in values]
            columns[field.name] = [one["body"] for one in both]
            columns[f"{field.name}_encoding"] = [one["body_encoding"] for one in both]
        else:
            columns[field.name] = values
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _column(field: pa.Field, column: pa.ChunkedArray) -> Sequence[Any]:
    if field.name == "notes":
        return [note_names(bits) for bits in column.to_pylist()]
    if pa.types.is_timestamp(field.type):
        return _texts(column.cast(pa.int64()).to_pylist())
    if isinstance(field.type, pa.UuidType) or is_id(field):
        return _texts(column.to_pylist())
    values: list[Any] = column.to_pylist()
    return values


def is_id(field: pa.Field) -> bool:
    """Whether a column of numbers is shown as text."""
    return field.name in IDS or (field.name == "id" and pa.types.is_integer(field.type))


def _texts(values: Iterable[Any]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


def table(made: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """The table that the documents of `rows` are of; for columns without notes and bodies.

    Raises:
        ValueError: they are not of that schema.
    """
    columns = []
    for field in schema:
        given = [row.get(field.name) for row in made]
        if pa.types.is_timestamp(field.type):
            given = [None if value is None else int(value) for value in given]
        columns.append(pa.array(given, field.type))
    return pa.table(columns, schema=schema)


def is_headers(kind: pa.DataType) -> bool:
    """Whether a column is of header lists, whatever its parts are called inside."""
    return bool(kind == HEADERS) or (pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))
