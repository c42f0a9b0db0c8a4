"""The OpenAPI document (3.1), made of the table of routes, the Arrow schemas and the dataclasses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tapper.collector.api import exports, schemas
from tapper.collector.api.errors import CODES
from tapper.collector.api.routes import BASE, ROUTES
from tapper.feed import interface
from tapper.feed.rows import CONNECTION_ROW, EXCHANGE_ROW, PAYLOAD_ROW, TIMELINE, TIMELINE_SUMS
from tapper.model import records
from tapper.model.edges import EDGE, LEVELS, NODE
from tapper.model.schema import TIME
from tapper.servicemap.difference import KINDS

if TYPE_CHECKING:
    from tapper.collector.api.parameters import Parameter
    from tapper.collector.api.routes import Route

_ref, _text, _number = schemas.reference, schemas.TEXT, schemas.NUMBER

_VALUE = pa.schema([pa.field("value", pa.utf8(), nullable=False), pa.field("count", pa.int64(), nullable=False)])
_COUNTER = pa.schema(
    [
        pa.field("time", TIME, nullable=False),
        pa.field("stage", pa.utf8(), nullable=False),
        pa.field("name", pa.utf8(), nullable=False),
        pa.field("value", pa.uint64(), nullable=False),
    ]
)

DESCRIPTION = (
    "What tapper has of one session, live or saved. Times are text: nanoseconds since the Unix epoch. So are ids that"
    " are numbers. Durations (`..._ns`) and sizes (`..._bytes`) are numbers. A body that is UTF-8 is text, another is"
    " base64, and `..._encoding` says so. Lists may be had as an Arrow stream too, by the Accept header. HEAD is"
    " answered as GET, without the body."
)


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tapper",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "security": [{"token": []}, {"session": []}],
        "paths": {"/session": _session(), **{route.path: {"get": _operation(route)} for route in ROUTES}},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "tapper",
                    "description": "The cookie of POST /session; its name differs from server to server.",
                },
            },
            "responses": {
                "Error": {"description": _codes(), "content": {"application/json": {"schema": _ref("Error")}}}
            },
        },
    }


def text() -> str:
    """As docs/openapi.json has it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _codes() -> str:
    return "\n".join(f"- {code} ({status}): {meaning}" for code, (status, meaning) in CODES.items())


def _operation(route: Route) -> dict[str, Any]:
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": {
            "200": {"description": "what was asked for", "content": _content(route)},
            "default": {"$ref": "#/components/responses/Error"},
        },
    }


def _content(route: Route) -> dict[str, Any]:
    json_content = {"application/json": {"schema": route.schema}}
    match route.answer:
        case "rows":
            return json_content | {exports.ARROW: {}}
        case "packets":
            return json_content | {"application/x-pcapng": {}}
        case "export":
            return {form.media_type: {} for form in exports.LISTS.values()}
        case "map_export":
            return {form.media_type: {} for form in exports.MAPS.values()}
        case "follow":
            return {"text/event-stream": {"schema": route.schema}, exports.ARROW: {}}
    return json_content


def _parameter(parameter: Parameter) -> dict[str, Any]:
    made: dict[str, Any] = {"name": parameter.name, "in": parameter.place, "description": parameter.meaning}
    if parameter.required:
        made["required"] = True
    choices: dict[str, Any] = {"enum": list(parameter.choices)} if parameter.choices else {}
    match parameter.kind:
        case "integer":
            schema = {"type": "integer", "minimum": parameter.least, "maximum": parameter.most}
        case "time":
            schema = dict(schemas.TIME)
        case "boolean":
            schema = {"type": "boolean"}
        case "names":
            schema = {"type": "array", "items": {"type": "string", **choices}}
            made |= {"style": "form", "explode": False}
        case _:
            schema = {"type": "string", **choices}
    if parameter.default not in (None, "", ()):
        schema["default"] = parameter.default
    return made | {"schema": schema}


def _session() -> dict[str, Any]:
    body = schemas.object_of({"token": _text})
    return {
        "post": {
            "operationId": "openSession",
            "summary": "Changes the token of the URL's fragment for a cookie that scripts can't read",
            "security": [],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {
                "200": {
                    "description": "the cookie is set",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                },
                "default": {"$ref": "#/components/responses/Error"},
            },
        }
    }


def _schemas() -> dict[str, Any]:
    listed, nullable, of = schemas.listed, schemas.nullable, schemas.object_of
    end = of({"namespace": nullable(_text), "name": _text})
    figures = {
        name: schema
        for name, schema in schemas.whole_row(EDGE, "")["properties"].items()
        if name not in ("src", "dst", "protocol", "first", "last")
    }
    error = {
        "code": {"enum": list(CODES)},
        "message": _text,
        "position": _number,
        "length": _number,
        "hint": _text,
        "ids": listed(schemas.UUID),
    }
    layer = of({"name": _text, "fields": listed(of({"name": _text, "value": _text}))})
    return {
        "Error": of({"error": of(error, ("position", "length", "hint", "ids"))}),
        "Header": of(
            {"name": nullable(_text), "value": nullable(_text)}, description="In the order as sent; null: not known."
        ),
        "ExchangeRow": schemas.row(
            pa.schema([*EXCHANGE_ROW, *PAYLOAD_ROW]), "A request with its response; the columns asked for."
        ),
        "ConnectionRow": schemas.whole_row(CONNECTION_ROW, "A connection."),
        "TimelineRow": schemas.whole_row(TIMELINE, "Figures of an edge in a piece of the time."),
        "TimelineSumsRow": schemas.whole_row(TIMELINE_SUMS, "Calls and errors of all edges in a piece of the time."),
        "ValueRow": schemas.whole_row(_VALUE, "A value and how many requests have it."),
        "CounterRow": schemas.whole_row(_COUNTER, "The newest value of a counter."),
        "Node": schemas.whole_row(NODE, "A node of the map; its number stays the same as more is seen."),
        "Edge": schemas.whole_row(EDGE, "Who called whom over which protocol; src and dst are numbers of nodes."),
        "Map": of(
            {
                "nodes": listed(_ref("Node")),
                "edges": listed(_ref("Edge")),
                "level": {"enum": list(LEVELS)},
                "span": _ref("Span"),
                "approximate": {**schemas.TRUTH, "description": "Percentiles are up to 0.5 % too high."},
            }
        ),
        "EdgeFigures": of(figures),
        "Change": of(
            {
                "kind": {"enum": list(KINDS)},
                "src": end,
                "dst": end,
                "protocol": _text,
                "why": _text,
                "likely_chance": schemas.TRUTH,
                "before": nullable(_ref("EdgeFigures")),
                "after": nullable(_ref("EdgeFigures")),
            }
        ),
        "Difference": of({"compared": _number, "unjudged": _number, "changes": listed(_ref("Change"))}),
        "Packet": of(
            {
                "time": schemas.TIME,
                "bytes": {**_number, "description": "On the wire."},
                "captured_bytes": _number,
                "summary": _text,
                "layers": listed(layer),
                "hex": _text,
            }
        ),
        "Field": of(
            {
                "name": _text,
                "aliases": listed(_text),
                "type": _text,
                "meaning": _text,
                "example": _text,
                "values": listed(_text),
                "closed": schemas.TRUTH,
            }
        ),
        "FilterCheck": of(
            {
                "ok": schemas.TRUTH,
                "text": _text,
                "message": _text,
                "position": _number,
                "length": _number,
                "hint": nullable(_text),
                "shared": {**_text, "description": "Of a filter on requests: the part that connections have too."},
            },
            ("text", "message", "position", "length", "hint", "shared"),
        ),
        "Candidate": of({"text": _text, "start": _number, "end": _number, "kind": _text, "doc": _text}),
        "FollowedRows": of(
            {"rows": listed(_ref("ExchangeRow")), "skipped": {**_number, "description": "Rows left out before these."}},
            description="Data of the event `rows`; `revision` has {revision}, `failed` an Error, `ping` and `end` {}.",
        ),
        **schemas.dataclasses_of(interface.Summary, interface.Health, interface.Span, records.Exchange),
    }
