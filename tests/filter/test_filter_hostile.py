"""Any text gives a filter whose SQL runs, or an error with a place; in bounded time, depth and size."""

from __future__ import annotations

import time

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tapper.filter import FilterError, complete, fields, parse
from tapper.filter.scan import MAX_DEPTH, MAX_TEXT
from tests.filter.filter_world import create_tables, insert, make_records

PIECES = [field.name for field in fields()]
PIECES += [
    "&&",
    "||",
    "!",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "?",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "&",
    "//",
    "\n",
]
PIECES += ["==", "!=", "<", "<=", ">", ">=", "in", "true", "false", "null", "and", "not", "x", "src", "request"]
PIECES += [
    "1",
    "500",
    "-5",
    "1.5",
    ".5",
    "0x1f",
    "5u",
    "1e9",
    "1e999",
    "200ms",
    "1h30m",
    "10K",
    "5xx",
    "99999999999999999999",
]
PIECES += [
    '"orders"',
    "'web'",
    '""',
    'r"\\d+"',
    '"\\n\\u00e9\\000"',
    '"(a"',
    '"ok"',
    '"gap"',
    '"""t"""',
    '"',
    "'",
    '"\\',
    'b"x"',
]
PIECES += ["has(", "size(", "timestamp(", "duration(", '"1s"', '"2026-01-31T12:00:00Z"', '["x-a"]']
PIECES += [".contains(", ".startsWith(", ".endsWith(", ".matches(", ".size()"]

LIVELY = st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join) | st.lists(
    st.sampled_from(PIECES), max_size=8
).map("".join)


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    create_tables(db)
    insert(db, make_records(20))
    return db


def check(error: FilterError) -> None:
    assert error.message
    assert error.length >= 1
    assert 0 <= error.position <= len(error.text)
    assert all(line.isprintable() for line in error.render().splitlines())


def run(db: duckdb.DuckDBPyConnection, text: str) -> None:
    """Anything but an answer or a FilterError is raised."""
    try:
        compiled = parse(text).compile()
    except FilterError as error:
        check(error)
        return
    db.execute(f"SELECT count(*) FROM exchange e WHERE {compiled.narrow.text}", compiled.narrow.params)
    if compiled.exact:
        source = "exchange e LEFT JOIN payload p ON p.id = e.id"
        db.execute(f"SELECT count(*) FROM {source} WHERE {compiled.exact.text}", compiled.exact.params)


@settings(max_examples=400, deadline=2000)
@given(text=LIVELY | st.text(max_size=60))
@example(text='path.matches("\\000") && path == "\\000"')
@example(text="\ud800")
@example(text='"\\ud800" == path')
@example(text='"\\U00110000" == path')
@example(text="status == 1 //")
@example(text="\x1b[2J\x07")
@example(text="id > '0198' && id != null && size(id) == 36")
def test_any_text_gives_an_answer_or_an_error(db: duckdb.DuckDBPyConnection, text: str) -> None:
    run(db, text)


@settings(max_examples=300, deadline=500)
@given(text=LIVELY | st.text(max_size=60), cursor=st.integers(-2, 80))
def test_completion_takes_any_text(text: str, cursor: int) -> None:
    for candidate in complete(text, cursor):
        assert 0 <= candidate.start <= candidate.end <= len(text)


def filled(atom: str, separator: str) -> str:
    return separator.join([atom] * ((MAX_TEXT + len(separator)) // (len(atom) + len(separator))))


@pytest.mark.parametrize(
    "text",
    [
        filled("size==1", "||"),
        filled("(status==1&&port==2)", "||"),
        filled('!(service=="a")', "||"),
        filled('(src.pod=="a"&&dst.pod=="b")', "||"),
        filled("src.ip==dst.ip", "&&"),
        filled('request.headers["a"]=="b"', "||"),
        filled('path.matches("a")', "||"),
        filled('request.body.matches("(a*)*b")', "&&"),
        "status in [" + "1," * 4000 + "1]",
        "src.pod in [" + "'a'," * 2000 + "'a']",
        "!" * 8000 + "failed",
        "status == " + "- " * 4000 + "5",
        "a" + ".a" * 4000,
        "1" + "<1" * 4000,
        "1" + "+1" * 4000,
        "(" * MAX_TEXT,
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        "(" * MAX_DEPTH + "failed" + ")" * MAX_DEPTH,
        "!(" * MAX_DEPTH + "failed" + ")" * MAX_DEPTH,
        '"' * MAX_TEXT,
        "path == '" + r"\n" * 4000,
        "path == " + '"""' + '\\"' * 4000,
        "true?true:" * 800 + "true",
        "a" + "[1]" * 2500,
        "path" + ".size()" * 1100,
        "1" * MAX_TEXT,
        "//" * 4000,
        "not" * 2700,
        " " * MAX_TEXT,
        "failed || " * 1000,
        'path.matches("' + "(a{1000})" * 500 + '")',
    ],
    ids=lambda text: text[:20],
)
def test_worst_cases_are_bounded(db: duckdb.DuckDBPyConnection, text: str) -> None:
    start = time.process_time()
    run(db, text)
    assert time.process_time() - start < 5


def test_a_text_too_long_is_refused_at_once() -> None:
    with pytest.raises(FilterError, match="a filter has at most 8192 characters"):
        parse("failed || " * 100_000)


def test_depth_up_to_the_bound_is_parsed() -> None:
    assert parse("(" * MAX_DEPTH + "failed" + ")" * MAX_DEPTH).text == "failed"


def test_messages_stay_short_and_harmless() -> None:
    with pytest.raises(FilterError) as error:
        parse("x" * 5000)
    assert len(error.value.message) <= 300
    with pytest.raises(FilterError) as error:
        parse("path == \x1b")
    assert "\x1b" not in str(error.value)


def test_body_of_any_bytes_is_searched(db: duckdb.DuckDBPyConnection) -> None:
    """Cut within a character, binary, or with zeros: what is text in it is found."""
    bodies = {
        b"\xe6\x97\xa5\xe6\x97": "日",
        b"\x00\xff\xfesku-17\x80": "sku-17",
        bytes(range(256)): "abc",
        b"\xc3(": "(",
    }
    compiled = parse("request.body.contains('x')").compile()
    assert compiled.exact
    for body, part in bodies.items():
        payload = "(SELECT CAST(? AS BLOB) AS request_body) p"
        found = db.execute(f"SELECT count(*) FROM {payload} WHERE {compiled.exact.text}", [body, part])
        assert found.fetchall() == [(1,)]
