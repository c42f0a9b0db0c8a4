"""The shape of a record in JSON and YAML.

Rows of a feed become nested documents, column by column in DuckDB: four times as fast as row by row in Python.
Names are those of the filter language (`dst.service`, `request.content_type`); durations end in `_ns`, sizes in
`_bytes`; times are ISO 8601 in UTC with nanoseconds. A body that is UTF-8 is text; another is base64, and
`body_encoding` says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from tapper.model.words import note_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS = ("src", "dst", "dialled", "request", "response", "server")
_OF_RESPONSE = ("interim",)
"""Columns that belong to the response though their name does not say so."""

_ROWS = 16_384
_BYTES = 16 << 20
"""Of a table are made into text at once: documents are larger than rows, and bodies may be large. Fewer rows cost
more each: planning the query takes as long as writing some 500 of them."""

_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\U000e0000-\U000e0fff]"
)
"""What JSON allows in a string, but a terminal obeys or hides."""


class Documents:
    """Makes JSON objects of rows; one instance serves all tables of an export."""

    def __init__(self) -> None:
        # One thread: a part is too small to share out, and a tap must leave the machine alone.
        self._db = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
        self._known: tuple[pa.Schema | None, str] = (None, "")

    def lines(self, table: pa.Table) -> Iterator[bytes]:
        """JSON objects, a line for each row, in chunks of many lines; each line ends with a newline."""
        for part in _parts(table):
            rows = _with_note_names(part)
            self._db.register("part", rows)
            documents = self._db.sql(self._select(rows.schema)).to_arrow_table()["document"]
            self._db.unregister("part")
            for chunk in documents.chunks:
                text = _joined(chunk)
                if text.isascii() and b"\x7f" not in text:
                    yield text
                else:
                    yield _HIDDEN.sub(_escaped, text.decode()).encode()

    def _select(self, schema: pa.Schema) -> str:
        if self._known[0] != schema:
            self._known = (schema, f"SELECT to_json({_struct(schema)})::VARCHAR || chr(10) AS document FROM part")
        return self._known[1]


def _joined(chunk: pa.StringArray) -> bytes:
    """The texts one after another, as Arrow has them in memory."""
    _, offsets, data = chunk.buffers()
    if data is None:
        return b""
    first, last = (memoryview(offsets).cast("i")[chunk.offset + at] for at in (0, len(chunk)))
    return bytes(memoryview(data)[first:last])


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    rows = max(1, min(_ROWS, _BYTES * table.num_rows // max(table.nbytes, 1)))
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def _with_note_names(table: pa.Table) -> pa.Table:
    """Bits as words; there are few different ones."""
    if "notes" not in table.column_names:
        return table
    bits = table["notes"].combine_chunks().dictionary_encode()
    names = pa.array([note_names(value) for value in bits.dictionary.to_pylist()], pa.list_(pa.utf8()))
    return table.set_column(table.column_names.index("notes"), "notes", pc.take(names, bits.indices))


def _struct(schema: pa.Schema) -> str:
    """The expression that packs a row, groups at the place of their first column."""
    fields: dict[str, str | dict[str, str]] = {}
    for field in schema:
        group, _, rest = field.name.partition("_")
        if field.name in _OF_RESPONSE:
            group, rest = "response", field.name
        place = fields
        if rest and group in _GROUPS:
            inner = fields.setdefault(group, {})
            assert isinstance(inner, dict)  # noqa: S101
            place, name = inner, rest  # type: ignore[assignment]
        else:
            name = field.name
        place[name] = _value(field)
        if pa.types.is_binary(field.type):
            place[f"{name}_encoding"] = _encoding(field)
    return _pack(fields)


def _pack(fields: dict[str, str | dict[str, str]]) -> str:
    packed = ((name, _pack(value) if isinstance(value, dict) else value) for name, value in fields.items())  # type: ignore[arg-type]
    return "struct_pack(" + ", ".join(f"{_quoted(name)} := {value}" for name, value in packed) + ")"


def _value(field: pa.Field) -> str:
    column = _quoted(field.name)
    if pa.types.is_timestamp(field.type):
        # The Z is outside: DuckDB 2.0 garbles what follows %n.
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%n') || 'Z'"
    if pa.types.is_binary(field.type):
        return f"coalesce(TRY(decode({column})), base64({column}))"
    return column


def _encoding(field: pa.Field) -> str:
    column = _quoted(field.name)
    return f"CASE WHEN {column} IS NOT NULL AND TRY(decode({column})) IS NULL THEN 'base64' END"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
