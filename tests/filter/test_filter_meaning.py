"""SQL over real tables gives what the language means, for any tree; text of a tree gives the tree again."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import event, given, settings

from tapper.filter import Filter, FilterError, for_connections, parse
from tapper.filter.tree import negate
from tests.filter.filter_trees import TREES
from tests.filter.filter_world import START, create_tables, evaluate, insert, make_records

RECORDS = make_records(120)
SETTINGS = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    create_tables(db)
    insert(db, RECORDS)
    return db


def answered(db: duckdb.DuckDBPyConnection, wanted: Filter) -> tuple[set[str], set[str]]:
    """Ids of the records that the narrow condition leaves, and of those that match."""
    compiled = wanted.compile()
    left = db.execute(f"SELECT e.id FROM exchange e WHERE {compiled.narrow.text}", compiled.narrow.params).fetchall()
    narrow = {str(row[0]) for row in left}
    if compiled.exact is None:
        return narrow, narrow
    found = db.execute(
        f"SELECT e.id FROM exchange e LEFT JOIN payload p ON p.id = e.id WHERE {compiled.exact.text}",
        compiled.exact.params,
    ).fetchall()
    return narrow, {str(row[0]) for row in found}


@SETTINGS
@given(tree=TREES)
def test_sql_means_what_the_tree_means(db: duckdb.DuckDBPyConnection, tree) -> None:
    narrow, exact = answered(db, Filter(tree))
    expected = {record["id"] for record in RECORDS if evaluate(tree, record)}
    event("all" if len(expected) == len(RECORDS) else "some" if expected else "none")
    assert exact == expected
    assert narrow >= expected


@SETTINGS
@given(tree=TREES)
def test_not_is_the_complement(db: duckdb.DuckDBPyConnection, tree) -> None:
    _, exact = answered(db, Filter(tree))
    _, complement = answered(db, Filter(negate(tree)))
    assert exact | complement == {record["id"] for record in RECORDS}
    assert not exact & complement


@SETTINGS
@given(tree=TREES)
def test_text_of_a_tree_gives_the_tree_again(tree) -> None:
    assert parse(Filter(tree).text).tree == tree


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("status >= 500", lambda r: r["status"] is not None and r["status"] >= 500),
        ("!(status >= 500)", lambda r: r["status"] is None or r["status"] < 500),
        ("status != 500", lambda r: r["status"] != 500),
        ("status == null", lambda r: r["status"] is None),
        ("has(status) && status < 500", lambda r: r["status"] is not None and r["status"] < 500),
        ('src.service == "orders"', lambda r: r["src"]["service"] == "orders"),
        ('src.service != "orders"', lambda r: r["src"]["service"] != "orders"),
        ('service == "orders"', lambda r: "orders" in (r["src"]["service"], r["dst"]["service"])),
        ('service != "orders"', lambda r: "orders" not in (r["src"]["service"], r["dst"]["service"])),
        (
            "src.service == dst.service",
            lambda r: r["src"]["service"] is not None and r["src"]["service"] == r["dst"]["service"],
        ),
        ("port in [443, 8080]", lambda r: r["src_port"] == 443 or r["dst_port"] == 8080),
        ("latency > 200ms", lambda r: (r["latency_ns"] or 0) > 200_000_000),
        ("latency <= 1.5ms", lambda r: r["latency_ns"] is not None and r["latency_ns"] <= 1_500_000),
        ('time > timestamp("2026-01-31T12:00:00Z")', lambda r: r["time"] > START),
        ('time == timestamp("2026-01-31T13:00:00.000000001+01:00")', lambda r: r["time"] == START + 1),
        (f'id == "{RECORDS[3]["id"].upper()}"', lambda r: r is RECORDS[3]),
        (
            f'id in ["{RECORDS[3]["id"]}", "{RECORDS[5]["id"].replace("-", "")}"]',
            lambda r: r in (RECORDS[3], RECORDS[5]),
        ),
        ('id.startsWith("0198")', lambda r: True),
        ('"gap" in notes && streaming', lambda r: r["notes"] & 2 and r["notes"] & 128),
        ("failed == false", lambda r: r["outcome"] not in ("server_error", "timeout", "reset", "refused")),
        (
            'request.headers["X-a"] == "web"',
            lambda r: any((n or "").lower() == "x-a" and v == "web" for n, v in r["request_headers"] or ()),
        ),
        (
            'request.headers["host"] == authority',
            lambda r: (
                r["authority"] is not None
                and any((n or "").lower() == "host" and v == r["authority"] for n, v in r["request_headers"] or ())
            ),
        ),
        ('"X-A" in request.headers', lambda r: any((n or "").lower() == "x-a" for n, _ in r["request_headers"] or ())),
        ('response.body.contains("GET")', lambda r: b"GET" in (r["response_body"] or b"")),
        ("size(response.body) == 3", lambda r: len(r["response_body"] or b"") == 3),
        (
            "size > 1T",
            lambda r: (
                False
                if r is None
                else sum(r[f"{s}_{p}_bytes"] or 0 for s in ("request", "response") for p in ("head", "body")) > 2**40
            ),
        ),
        ("", lambda r: True),
    ],
)
def test_examples(db: duckdb.DuckDBPyConnection, text: str, meant) -> None:
    _, exact = answered(db, parse(text))
    assert exact == {record["id"] for record in RECORDS if meant(record)}


@pytest.mark.parametrize(
    ("text", "of_connections"),
    [
        ("", ""),
        ("status >= 500", ""),
        ("state == 'refused'", "state == 'refused'"),
        ("dst.port==80  && protocol == 'http'", "dst.port==80  && protocol == 'http'"),
        ("status >= 500 && dst.port == 80", "dst.port == 80"),
        ("(status >= 500) && (src.port == 1 || dst.port == 80) && path == '/'", "src.port == 1 || dst.port == 80"),
        ("status >= 500 || dst.port == 80", ""),
        ("!(status >= 500 && dst.port == 80)", ""),
    ],
)
def test_of_a_filter_on_requests_connections_are_asked_what_they_have(text: str, of_connections: str) -> None:
    assert for_connections(text) == of_connections


def test_what_can_be_asked_of_neither_is_wrong() -> None:
    with pytest.raises(FilterError, match="statuss"):
        for_connections("statuss >= 500 && dst.port == 80")


@SETTINGS
@given(TREES)
def test_what_is_asked_of_connections_leaves_out_none_that_the_filter_wants(tree: object) -> None:
    wanted = Filter(tree)  # type: ignore[arg-type]
    part = parse(for_connections(wanted.text))
    assert all(evaluate(part.tree, record) for record in RECORDS if evaluate(wanted.tree, record))
