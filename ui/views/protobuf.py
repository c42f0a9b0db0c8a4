"""Protocol Buffers, in the text format: by name where the type is known, else by number in the likeliest reading."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from tapper.model.protobuf.wire import GROUP, I32, I64, LEN, VARINT, Field, WireError, fields, varint
from ui.views.body import MAX_LINES, Body, Shown, View, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = ("application/grpc", "application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf")
_DEPTH = 40
"""Messages within messages that are taken apart; protobuf itself reads 100."""
_PACKED = 100
"""Numbers of a packed field on one line."""
_UNKNOWN = "no schema: fields by number, types as they are most likely; --proto gives names"

# Types of FieldDescriptorProto.
_DOUBLE, _FLOAT, _INT64, _UINT64, _INT32, _FIXED64, _FIXED32, _BOOL, _STRING, _GROUP, _MESSAGE, _BYTES = range(1, 13)
_UINT32, _ENUM, _SFIXED32, _SFIXED64, _SINT32, _SINT64 = range(13, 19)
_FORMATS = {_DOUBLE: "<d", _FLOAT: "<f", _FIXED64: "<Q", _FIXED32: "<I", _SFIXED32: "<i", _SFIXED64: "<q"}
_KINDS = {
    **dict.fromkeys((_DOUBLE, _FIXED64, _SFIXED64), I64),
    **dict.fromkeys((_FLOAT, _FIXED32, _SFIXED32), I32),
    **dict.fromkeys((_STRING, _MESSAGE, _BYTES), LEN),
    _GROUP: GROUP,
}


def fits(body: Body) -> bool:
    """By its type."""
    if body.message is not None:
        return True
    kind = body.media_type
    return kind.startswith(_TYPES) and not kind.endswith("+json")


def render(body: Body) -> Shown | None:
    """A field a line; None if the bytes are no message."""
    try:
        lines = list(_lines(body.data, body.message, 0, body.cut))[: MAX_LINES + 1]
    except WireError:
        return None
    return shown("protobuf", lines, notes=() if body.message is not None else (_UNKNOWN,))


def one_line(data: bytes, message: Any = None, cut: bool = False) -> str | None:
    """The whole message on a line; None if the bytes are none."""
    try:
        return " ".join(text.strip() for text in _lines(data[:4_000], message, 0, cut or len(data) > 4_000))
    except WireError:
        return None


def _lines(data: bytes, message: Any, depth: int, cut: bool = False) -> Iterator[str]:
    indent = "  " * depth
    known = message.fields_by_number if message is not None else {}
    for field in fields(data, cut=cut):
        description = known.get(field.number)
        name = description.name if description is not None else str(field.number)
        if description is not None and description.is_extension:
            name = f"[{description.full_name}]"
        kind = _kind(description)
        if kind in (None, field.kind):
            yield from _value(name, field, description, depth)
        elif field.kind == LEN and kind in (VARINT, I32, I64) and isinstance(field.value, bytes):
            yield f"{indent}{name}: {_packed(field.value, description)}"
        else:
            # Of another type than the schema says: a newer or an older one.
            yield from _value(str(field.number), field, None, depth)


def _kind(description: Any) -> int | None:
    return None if description is None else _KINDS.get(description.type, VARINT)


def _value(name: str, field: Field, description: Any, depth: int) -> Iterator[str]:
    indent, value = "  " * depth, field.value
    more = "" if field.whole else " …"
    if isinstance(value, int):
        yield f"{indent}{name}: {_number(value, description)}"
    elif field.kind in (I32, I64):
        yield f"{indent}{name}: {_fixed(value, description)}"
    elif field.kind == GROUP or (description is not None and description.type == _MESSAGE):
        inner = None if description is None else description.message_type
        yield from _nested(name, value, inner, depth, not field.whole)
    elif description is not None:
        text = value.decode("utf-8", "replace") if description.type == _STRING else None
        yield f"{indent}{name}: {_quoted(value) if text is None else _string(text)}{more}"
    elif (text := _text(value, not field.whole)) is not None:
        yield f"{indent}{name}: {_string(text)}{more}"
    elif depth < _DEPTH and _is_message(value, not field.whole):
        yield from _nested(name, value, None, depth, not field.whole)
    else:
        yield f"{indent}{name}: {_quoted(value)}{more}"


def _nested(name: str, value: bytes, message: Any, depth: int, cut: bool) -> Iterator[str]:
    indent = "  " * depth
    if depth >= _DEPTH:
        yield f"{indent}{name}: {_quoted(value)}"
        return
    try:
        inner = list(_lines(value, message, depth + 1, cut))
    except WireError:
        yield f"{indent}{name}: {_quoted(value)}"
        return
    if not inner:
        yield f"{indent}{name} {{}}"
        return
    yield f"{indent}{name} {{"
    yield from inner
    yield f"{indent}}}"


def _number(value: int, description: Any) -> str:
    kind = None if description is None else description.type
    if kind == _BOOL:
        return "true" if value else "false"
    if kind in (_SINT32, _SINT64):
        return str((value >> 1) ^ -(value & 1))
    if kind == _ENUM:
        signed = value - (1 << 64) if value >> 63 else value
        known = description.enum_type.values_by_number.get(signed)
        return known.name if known is not None else str(signed)
    if kind == _UINT64:
        return str(value)
    if kind == _UINT32:
        return str(value & 0xFFFF_FFFF)
    # Negative numbers are written as 64 bits; unsigned ones of that size are rarer.
    return str(value - (1 << 64) if value >> 63 else value)


def _fixed(value: bytes, description: Any) -> str:
    if description is not None and description.type in _FORMATS:
        return str(struct.unpack(_FORMATS[description.type], value)[0])
    whole = int.from_bytes(value, "little")
    real = struct.unpack("<d" if len(value) == 8 else "<f", value)[0]
    if real == 0 or 1e-6 < abs(real) < 1e15:
        return f"{real:.9g}"
    return f"0x{whole:0{2 * len(value)}x}"


def _packed(data: bytes, description: Any) -> str:
    values: list[str] = []
    at = 0
    size = {I64: 8, I32: 4}.get(_kind(description) or VARINT)
    while at < len(data) and len(values) < _PACKED:
        if size is None:
            value, at = varint(data, at)
            values.append(_number(value, description))
        else:
            if at + size > len(data):
                raise WireError("a packed number is cut")
            values.append(_fixed(data[at : at + size], description))
            at += size
    return f"[{', '.join(values)}{', …' if at < len(data) else ''}]"


def _text(value: bytes, cut: bool) -> str | None:
    """The bytes as text, if they can hardly be anything else."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        if not cut or len(value) - error.start > 3:
            return None
        text = value[: error.start].decode()
    return text if all(sign.isprintable() or sign in "\n\r\t" for sign in text) else None


def _is_message(value: bytes, cut: bool) -> bool:
    try:
        return sum(1 for _ in fields(value, cut=cut)) > 0
    except WireError:
        return False


def _string(text: str) -> str:
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'


def _quoted(value: bytes) -> str:
    """Bytes as the text format has them."""
    made = "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\x{b:02x}" for b in value[:1_000])
    return f'"{made}"' + (f" … ({len(value):,} bytes)" if len(value) > 1_000 else "")


VIEW = View("protobuf", fits, render)
