"""A wrong filter says what is wrong, shows where, and names what may be right."""

from __future__ import annotations

import pytest

from tapper.filter import FilterError, parse


def rendered(text: str, record: str = "exchange") -> list[str]:
    with pytest.raises(FilterError) as error:
        parse(text, record)  # type: ignore[arg-type]
    return error.value.render().splitlines()


@pytest.mark.parametrize(
    ("text", "caret", "message", "suggestion"),
    [
        # names
        ("statsu == 500", "^^^^^^", "there is no field statsu", "status"),
        ("failed && src.servce == 1", "          ^^^^^^^^^^", "there is no field src.servce", "src.service"),
        ("url == 1", "^^^", "there is no field url", "target"),
        ("ip.src == 1", "^^^^^^", "there is no field ip.src", "src.ip"),
        ("http", "^^^^", "there is no field http", 'protocol == "http"'),
        ("messages > 1", "^^^^^^^^", "messages has the parts sent, received", "messages.sent"),
        ("request.headers.host", "^" * 20, "headers are named in brackets", 'request.headers["host"]'),
        ("quux == 1", "^^^^", "there is no field quux", None),
        # text without its quotes
        ("protocol == http", "            ^^^^", "there is no field http; text is written in quotes", '"http"'),
        ("dst.service == orders-db", " " * 15 + "^" * 9, "text is written in quotes", '"orders-db"'),
        ("src.service == dst.servce", " " * 15 + "^" * 10, "there is no field dst.servce", "dst.service"),
        # types
        ('status == "500"', "          ^^^^^", "status is a number, this is text", "500"),
        ("path == 5", "        ^", "path is text, this is a number", '"5"'),
        ("latency > 200", "          ^^^", "latency is a duration, this is a number", "200ms"),
        ('latency > "1.5s"', "          ^^^^^^", "latency is a duration, this is text", "1.5s"),
        (
            'time > "2026-01-01T00:00:00Z"',
            "       " + "^" * 22,
            "time is a time, this is text",
            'timestamp("2026-01-01T00:00:00Z")',
        ),
        ('status in [500, "x"]', " " * 16 + "^^^", "status is a number, this is text", None),
        ("status", "^^^^^^", "a condition is expected here; this is a number", "has(status)"),
        ("failed < true", "^^^^^^", "< does not go with true or false", None),
        ("status < null", "         ^^^^", "< does not go with null", None),
        ("1 == 1", "     ^", "one side of a comparison is a field; this compares two constants", None),
        ("name == name", "        ^^^^", "this is compared with itself", None),
        ('notes == "gap"', "^^^^^", "notes are asked for by in", '"gap" in notes'),
        ('request.headers == "x"', "^" * 15, "headers are asked for by name", 'request.headers["content-type"]'),
        ('"x" in path', "       ^^^^", "in takes a list [...], notes or headers; this is text", 'path.contains("x")'),
        ("id == 'abc'", "      ^^^^^", "an id has 32 hex digits; id.startsWith(...) takes a part of it", None),
        # words of ours
        (
            'outcome == "time"',
            " " * 11 + "^^^^^^",
            "outcome can be ok, client_error, server_error, timeout,",
            '"timeout"',
        ),
        ('"gapp" in notes', "^^^^^^", "notes can be partial, gap,", '"gap"'),
        # functions
        ('path.contians("x")', "     ^^^^^^^^", "there is no function contians", "contains"),
        ('startswith(path, "x")', "^^^^^^^^^^", "there is no function startswith", "startsWith"),
        ('contains(path, "x")', "^^^^^^^^", "contains is asked of a field: target.contains(...)", None),
        ('status.contains("5")', "^^^^^^", "contains() is asked of fields that are text; this is a number", None),
        ("path.contains(5)", "              ^", "contains() takes text; this is a number", None),
        ("path.contains()", "^" * 15, "contains() takes one argument, here are 0", None),
        ('path.matches("(")', "             ^^^", "this is no regular expression (RE2): missing ): (", None),
        ('path.matches("a{9999}")', " " * 13 + "^" * 9, "this is no regular expression (RE2)", None),
        ('time > timestamp("2026-01-01")', " " * 17 + "^" * 12, "a time is written with its zone", None),
        ('wait > duration("5 s")', " " * 16 + "^^^^^", "a duration is written 1.5s", None),
        # syntax
        ("status ==", "         ^", "it ends too early: something is missing here", None),
        ("(status == 5", "^", "this ( is never closed", None),
        ("status == 5)", "           ^", "this ) closes nothing", None),
        ("status in [5)", "            ^", "] is expected here, to close [", None),
        ('path == "abc', "        ^", "this text is never closed", None),
        (r'path == "a\d"', "          ^^", r'\d is no escape; r"..." takes backslashes as they are', r"\\d"),
        ("status = 5", "       ^", "= is no operator", "=="),
        ("status <> 5", "       ^^", "<> is no operator", "!="),
        ('path =~ "x"', "     ^^", "=~ is no operator", ".matches(...)"),
        ("failed and streaming", "       ^^^", "and is no operator", "&&"),
        ("failed & streaming", "       ^", "& is no operator", "&&"),
        ("not failed", "^^^", "not is no operator", "!"),
        ("status == 5 6", "            ^", "6 does not belong here; conditions are joined by && or ||", None),
        ("status == 5xx", "          ^^^", "5xx is no number; write status >= 500 && status < 600", None),
        ("wait > 200msec", "       ^^^^^^^", "this is no number; units of durations are", "200ms"),
        ("wait > 99999999h", "       ^^^^^^^^^", "this is no number", None),
        ("status == 99999999999999999999", " " * 10 + "^" * 20, "this number is too large", None),
        ("1 < status < 5", "^" * 14, "comparisons don't chain; write 1 < size && size < 10", None),
        ("status + 1 == 2", "^" * 10, "filters compare values, they don't calculate", None),
        ("failed ? true : false", "^" * 21, "a ? b : c is not known here; use && and ||", None),
        ("path == b'x'", "        ^", 'text is written "..." or r"..."', None),
        ("status == 5 @", "            ^", "@ has no meaning here", None),
        ("path == \"a\"'b'", "           ^", "an operator is missing between two texts", None),
    ],
)
def test_says_what_where_and_what_instead(text: str, caret: str, message: str, suggestion: str | None) -> None:
    lines = rendered(text)
    assert lines[:2] == [text, caret]
    assert lines[2].startswith(message)
    assert lines[3:] == ([f"did you mean {suggestion} ?"] if suggestion else [])


def test_a_field_of_requests_is_none_of_connections() -> None:
    assert rendered("latency > 1s", "connection")[2] == "latency is known of requests, not of connections"


def test_shows_the_line_of_several() -> None:
    assert rendered("failed &&\n  statsu == 5 &&\n  streaming")[:2] == ["  statsu == 5 &&", "  ^^^^^^"]


def test_caret_stays_under_wide_characters_tabs_and_controls() -> None:
    assert rendered('path == "日本"\t&&\x1b x')[:2] == [
        'path == "日本" &&\N{REPLACEMENT CHARACTER} x',
        "                 ^",
    ]


def test_long_line_is_cut_around_the_place() -> None:
    text = " || ".join(["failed"] * 200) + " || statsu == 1 || " + " || ".join(["failed"] * 200)
    line, caret, *_ = rendered(text)
    assert len(line) <= 102
    assert line[caret.index("^") : caret.rindex("^") + 1] == "statsu"


def test_position_and_length_are_of_the_text() -> None:
    with pytest.raises(FilterError) as error:
        parse('failed && "gapp" in notes')
    wrong = error.value
    assert wrong.text[wrong.position : wrong.position + wrong.length] == '"gapp"'
    assert (wrong.message.split()[0], wrong.suggestion) == ("notes", '"gap"')
