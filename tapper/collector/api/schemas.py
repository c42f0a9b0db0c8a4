"""JSON Schemas (2020-12, as OpenAPI 3.1 has them) of what `feed.documents` makes of dataclasses and Arrow rows."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pyarrow as pa

from tapper.feed import documents
from tapper.model.records import Header

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Nanoseconds since the Unix epoch, UTC."}
ID: Schema = {"type": "string", "pattern": "^[0-9]+$", "description": "A number of 64 bits."}
UUID: Schema = {"type": "string", "format": "uuid"}
ENCODING: Schema = {
    "enum": ["base64", None],
    "description": "base64: the body is not UTF-8 and is written so; null: it is text as it was.",
}
HEADER = {"$ref": "#/components/schemas/Header"}


def reference(name: str) -> Schema:
    """The schema of that name in the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    """A list of it."""
    return {"type": "array", "items": schema}


def object_of(properties: dict[str, Schema], optional: Iterable[str] = (), description: str = "") -> Schema:
    """An object with these properties, all there but the optional ones."""
    made: Schema = {"type": "object", "properties": properties}
    if required := [name for name in properties if name not in optional]:
        made["required"] = required
    if description:
        made["description"] = description
    return made


def row(schema: pa.Schema, description: str) -> Schema:
    """A row of a table; nothing is required, for only the columns asked for are there."""
    properties: dict[str, Schema] = {}
    for field in schema:
        kind = _of_column(field)
        properties[field.name] = nullable(kind) if field.nullable else kind
        if pa.types.is_binary(field.type):
            properties[f"{field.name}_encoding"] = ENCODING
    return object_of(properties, properties, description)


def whole_row(schema: pa.Schema, description: str) -> Schema:
    """A row of a table that always has all its columns."""
    made = row(schema, description)
    return {**made, "required": list(made["properties"])}


def _of_column(field: pa.Field) -> Schema:
    kind = field.type
    if field.name == "notes":
        return listed(TEXT)
    if pa.types.is_timestamp(kind):
        return TIME
    if isinstance(kind, pa.UuidType):
        return UUID
    if documents.is_id(field):
        return ID
    if pa.types.is_integer(kind):
        return NUMBER
    if pa.types.is_floating(kind):
        return {"type": "number"}
    if pa.types.is_boolean(kind):
        return TRUTH
    if documents.is_headers(kind):
        return listed(HEADER)
    if pa.types.is_list(kind):
        return listed(_of_column(kind.value_field))
    return TEXT


def dataclasses_of(*roots: type[Any]) -> dict[str, Schema]:
    """Schemas of dataclasses and of those that they hold, by name."""
    made: dict[str, Schema] = {}

    def add(kind: Any) -> None:
        if kind.__name__ in made:
            return
        made[kind.__name__] = {}  # its place, for those that hold it again
        properties: dict[str, Schema] = {}
        said = _meanings(kind)
        for field in fields(kind):
            wanted = documents.hints(kind)[field.name]
            schema = _of_hint(field.name, documents.without_none(wanted), add)
            if documents.without_none(wanted) is not wanted:
                schema = nullable(schema)
            if field.name in said:
                schema = {**schema, "description": said[field.name]}
            properties[field.name] = schema
            if documents.without_none(wanted) is bytes:
                properties[f"{field.name}_encoding"] = ENCODING
        made[kind.__name__] = object_of(properties, description=inspect.getdoc(kind) or "")

    for root in roots:
        add(root)
    return made


def _of_hint(name: str, wanted: Any, add: Any) -> Schema:
    if name in documents.TIMES:
        return TIME
    if name in documents.IDS:
        return ID
    if is_dataclass(wanted):
        add(wanted)
        return reference(wanted.__name__)  # type: ignore[union-attr]
    if get_origin(wanted) is tuple:
        [item, *_] = get_args(wanted)
        return listed(HEADER if item == Header else _of_hint("", item, add))
    if get_origin(wanted) is dict:
        value = get_args(wanted)[1]
        return {"type": "object", "additionalProperties": True if value is Any else _of_hint("", value, add)}
    return {bool: TRUTH, int: NUMBER, float: {"type": "number"}}.get(wanted, TEXT)


@cache
def _meanings(kind: Any) -> dict[str, str]:
    """What is written under the fields of a dataclass."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101
    found: dict[str, str] = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        text = below.value if isinstance(below, ast.Expr) else None
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Constant):
            found[field.target.id] = inspect.cleandoc(str(text.value)).replace("\n", " ")
    return found
