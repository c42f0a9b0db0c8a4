"""What can be asked of the API, and what comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator

from tapper.collector.api.openapi import document
from tapper.collector.api.routes import ROUTES, Route
from tapper.feed.interface import Query
from tests.store.records import MS, SECOND, T0, exchange_id

if TYPE_CHECKING:
    from tapper.feed.session import SessionFeed
    from tests.api.client import Client

ARROW = {"Accept": "application/vnd.apache.arrow.stream"}
POSTED = str(exchange_id(6, T0 + 6 * SECOND))
STREAM = str(exchange_id(22, T0 + 22 * SECOND))
ROUTE = {route.name: route for route in ROUTES}


def check(name: str, answer: object) -> None:
    """An answer is what the OpenAPI document says of it."""
    whole = document()
    schema = {
        **ROUTE[name].schema,
        "components": whole["components"],
        "$schema": Draft202012Validator.META_SCHEMA["$id"],
    }
    Draft202012Validator(schema).validate(answer)


@pytest.mark.parametrize(
    "name", [r.name for r in ROUTES if r.answer in ("document", "rows") and "{" not in r.path and r.name != "values"]
)
def test_an_answer_is_as_it_is_described(client: Client, name: str) -> None:
    answer = client.get(ROUTE[name].path)
    assert answer.status == 200
    check(name, answer.document)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@pytest.mark.parametrize("accept", ["*/*", ARROW["Accept"]], ids=["json", "arrow"])
def test_head_is_answered_as_get_without_the_body(client: Client, route: Route, accept: str) -> None:
    path = route.path.format(id=STREAM, format="json")
    asked = {"column": "operation"} if route.name == "values" else {}
    got, head = (client.get(path, {"Accept": accept}, method, **asked) for method in ("GET", "HEAD"))
    assert head.body == b""
    assert head.status == got.status
    assert got.status == 200 or route.name == "packets", got.body  # of a session that has none
    told = ("Content-Type", "Content-Length", "Content-Disposition", "Cache-Control")
    assert [head.headers[name] for name in told] == [got.headers[name] for name in told]


def test_head_of_what_is_not_there(client: Client) -> None:
    assert client.get("/exchanges/ffffffff", {}, "HEAD").status == 404
    assert client.get("/export/har", {}, "HEAD", where="status >").status == 400


def test_a_page_of_requests(client: Client) -> None:
    answer = client.get(
        "/exchanges", where="status >= 400", columns="time,target,status,latency_ns,connection,notes,id"
    )
    assert answer.document["rows"][0] == {
        "time": str(T0 + 3 * SECOND),
        "target": "/orders/3",
        "status": 500,
        "latency_ns": 13 * MS,
        "connection": "1",
        "notes": [],
        "id": str(exchange_id(3, T0 + 3 * SECOND)),
    }


def test_going_on_after_a_row(client: Client) -> None:
    found: list[str] = []
    more: dict[str, str] = {}
    while rows := client.get("/exchanges", order="latency_ns", limit=5, columns="id,latency_ns", **more).document[
        "rows"
    ]:
        found += [row["id"] for row in rows]
        more = {"after_id": rows[-1]["id"]}
        if (value := rows[-1]["latency_ns"]) is not None:
            more["after_value"] = value
    whole = client.get("/exchanges", order="latency_ns", columns="id,id").document["rows"]
    assert found == [row["id"] for row in whole]
    assert len(found) == 24


def test_one_request_in_full(client: Client) -> None:
    found = client.get(f"/exchanges/{POSTED}").document
    check("exchange", found)
    assert (found["request"]["body"], found["request"]["body_encoding"]) == ('{"item": "kettle"}', None)
    assert found["request"]["headers"][3] == {"name": "unknown", "value": None}
    stream = client.get(f"/exchanges/{STREAM}/messages", limit=2).document
    check("messages", stream)
    assert [row["body"] for row in stream["rows"]] == ["news 0", "news 1"]


def test_the_same_as_an_arrow_stream(client: Client, feed: SessionFeed) -> None:
    answer = client.get("/exchanges", ARROW, limit=7, columns="id,time,request_body")
    assert pa.ipc.open_stream(answer.body).read_all() == feed.page(
        Query(limit=7, columns=("id", "time", "request_body"))
    )


def test_values_and_the_difference_of_two_maps(client: Client) -> None:
    values = client.get("/values", column="protocol").document
    check("values", values)
    assert values["rows"][0] == {"value": "http", "count": 23}
    difference = client.get("/map/diff", before_end=T0 + 10 * SECOND, start=T0 + 10 * SECOND).document
    check("mapDiff", difference)
    assert {change["kind"] for change in difference["changes"]} == {"new", "gone"}


@pytest.mark.parametrize("form", ["har", "jsonl", "json", "csv", "parquet", "yaml", "arrow"])
def test_exports_are_files(client: Client, form: str) -> None:
    answer = client.get(f"/export/{form}", where="status == 500")
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    if form == "har":
        assert len(json.loads(answer.body)["log"]["entries"]) == 1
    if form == "arrow":
        assert pa.ipc.open_stream(answer.body).read_all().num_rows == 1


def test_columns_come_as_they_are_asked_for(client: Client) -> None:
    answer = client.get("/export/arrow", columns="request_headers,id")
    assert pa.ipc.open_stream(answer.body).read_all().column_names == ["request_headers", "id"]


@pytest.mark.parametrize("form", ["json", "graphml", "dot", "mermaid", "csv", "svg", "png"])
def test_maps_are_files(client: Client, form: str) -> None:
    answer = client.get(f"/map/export/{form}")
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/exchanges", {"where": "statuss >= 500"}, 400, "filter"),
        ("/export/csv", {"where": "status >"}, 400, "filter"),
        ("/follow", {"where": "status >"}, 400, "filter"),
        ("/exchanges", {"limit": "many"}, 400, "parameter"),
        ("/exchanges", {"limit": -1}, 400, "parameter"),
        ("/exchanges", {"limit": 20_000}, 400, "parameter"),
        ("/exchanges", {"limit": 2_000, "columns": "id,request_body"}, 400, "parameter"),
        ("/exchanges", {"order": "nonsense"}, 400, "parameter"),
        ("/exchanges", {"columns": "nonsense"}, 400, "parameter"),
        ("/exchanges", {"after_value": 1}, 400, "parameter"),
        ("/exchanges", {"after_id": "x"}, 400, "refused"),
        ("/exchanges", {"descending": "perhaps"}, 400, "parameter"),
        ("/exchanges", {"Where": ""}, 400, "parameter"),
        ("/timeline", {"src": 1}, 400, "parameter"),
        ("/values", {}, 400, "parameter"),
        ("/exchanges/0197", {}, 409, "ambiguous"),
        ("/exchanges/00000000-0000-0000-0000-000000000000", {}, 404, "not_found"),
        ("/exchanges/%2e%2e", {}, 404, "not_found"),
        ("/export/exe", {}, 400, "parameter"),
        ("/nonsense", {}, 404, "not_found"),
        ("/exchanges", {"where": "x" * 9000}, 400, "parameter"),
    ],
)
def test_what_can_not_be_asked_is_told(
    client: Client, path: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = client.get(path, **query)
    assert (answer.status, answer.code) == (status, code)


def test_a_wrong_filter_is_told_with_its_place(client: Client) -> None:
    error = client.get("/exchanges", where="size > 1 && statuss >= 500").document["error"]
    assert (error["position"], error["length"], error["hint"]) == (12, 7, "status")
    checked = client.get("/filter", where="size > 1 && statuss >= 500").document
    assert (checked["ok"], checked["position"], checked["hint"]) == (False, 12, "status")
    assert client.get("/filter", where="status>=500").document == {"ok": True, "text": "status >= 500"}


@pytest.mark.parametrize(
    ("where", "shared"),
    [
        ("status >= 500", ""),
        ("status >= 500 && dst.port == 80", "dst.port == 80"),
        ("statuss >= 500 && dst.port == 80", None),
    ],
)
def test_a_filter_is_told_what_of_it_connections_have_too(client: Client, where: str, shared: str | None) -> None:
    checked = client.get("/filter", where=where, record="connection").document
    assert (checked["ok"], checked.get("shared")) == (False, shared)
    assert client.get("/connections/count", where=where).status == 400
    if shared is not None:
        assert client.get("/connections/count", where=shared).status == 200


def test_completion_knows_values_that_were_seen(client: Client) -> None:
    found = client.get("/complete", text="dst.service == ").document["candidates"]
    assert '"orders"' in [candidate["text"] for candidate in found]


def test_a_saved_session_has_nothing_to_follow(client: Client) -> None:
    events = client.get("/follow").body.decode()
    assert events == 'event: revision\ndata: {"revision": 1}\n\nevent: end\ndata: {}\n\n'


def test_the_description_is_served(client: Client) -> None:
    assert client.get("/openapi.json").document == document()
