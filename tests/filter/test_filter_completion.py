"""What is offered at the cursor (`|`)."""

from __future__ import annotations

import pytest

from tapper.filter import complete, parse


def offered(marked: str, **options) -> list[str]:
    return [candidate.text for candidate in complete(marked.replace("|", "", 1), marked.index("|"), **options)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("|", ["time", "protocol"]),
        ("sta|", ["status", "status_text"]),
        ("failed && (lat|", ["latency"]),
        ("dst.s|", ["dst.service"]),
        ("servi|", ["service", "src.service", "dst.service"]),
        ("ho|", ["host"]),
        ("has(err|", ["error"]),
        ("outcome == |", ['"ok"', '"client_error"']),
        ('outcome == "t|', ['"timeout"']),
        ("outcome == tim|", ['"timeout"']),
        ('outcome != "ser|', ['"server_error"']),
        ('outcome in ["ok", "re|', ['"reset"', '"refused"']),
        ("status == 5|", ["500", "503"]),
        ("latency > |", ["10ms", "100ms", "1s", "10s"]),
        ("time > |", ['timestamp("']),
        ('"ga|', ['"gap" in notes']),
        ("status |", ["==", "!="]),
        ("status == 500 |", ["&&", "||"]),
        ("failed |", ["&&", "||"]),
        ("target.st|", ['target.startsWith("']),
    ],
)
def test_first_candidates(text: str, first: list[str]) -> None:
    assert offered(text)[: len(first)] == first


def test_header_names() -> None:
    assert offered('request.headers["content|') == ['"content-encoding"]', '"content-type"]']
    assert offered('request.headers["x-t|', values=lambda field: ["x-tenant"]) == ['"x-tenant"]']


def test_values_seen_come_first() -> None:
    seen = {"dst.service": ["orders", "payments"]}
    assert offered("dst.service == |", values=lambda field: seen.get(field, []))[:2] == ['"orders"', '"payments"']
    assert offered('dst.service == "pay|', values=lambda field: seen.get(field, [])) == ['"payments"']
    assert offered('dst.service.startsWith("o|', values=lambda field: seen.get(field, [])) == ['"orders"']


def test_values_are_quoted_whatever_is_in_them() -> None:
    (value,) = offered('path == "/a|', values=lambda field: ['/a"\\b\n'])
    assert parse(f"path == {value}").compile().narrow.params[0] == '/a"\\b\n'


def test_of_connections() -> None:
    assert offered("sta|", record="connection") == ["state"]
    assert offered("state == |", record="connection")[:2] == ['"open"', '"closed"']


def test_says_what_it_replaces_and_keeps_the_rest() -> None:
    text = "failed && outc && streaming"
    candidate = complete(text, cursor=14)[0]
    assert (candidate.text, candidate.start, candidate.end, candidate.kind) == ("outcome", 10, 14, "field")
    assert candidate.doc == "how it ended"


def test_a_candidate_taken_gives_a_filter() -> None:
    text = 'outcome == "serv'
    taken = complete(text)[0]
    parse(text[: taken.start] + taken.text + text[taken.end :])
