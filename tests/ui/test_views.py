"""Bodies as they are shown: each view by example, all of them on hostile bytes."""

from __future__ import annotations

import struct
import unicodedata
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ui import views
from ui.views.body import MAX_BYTES, MAX_LINE, MAX_LINES


def shown(data: bytes, content_type: str | None = None, **options: object) -> tuple[str, list[str]]:
    result = views.show(data, content_type, **options)  # type: ignore[arg-type]
    return result.view, list(result.lines)


def test_json_is_indented_and_keeps_what_was_sent() -> None:
    body = rb'{"id":1.0,"n":12345678901234567890123,"e":1E5,"s":"\u00e9\n","s":[],"o":{},"l":[1,{"a":null}]}'
    assert shown(body, "application/json; charset=utf-8") == (
        "json",
        [
            "{",
            '  "id": 1.0,',
            '  "n": 12345678901234567890123,',
            '  "e": 1E5,',
            r'  "s": "\u00e9\n",',
            '  "s": [],',
            '  "o": {},',
            '  "l": [',
            "    1,",
            "    {",
            '      "a": null',
            "    }",
            "  ]",
            "}",
        ],
    )


def test_json_that_was_cut_shows_as_far_as_it_goes() -> None:
    result = views.show(b'{"a": [tru', "application/json", cut=True)
    assert result.lines == ("{", '  "a": [', "    tru")
    assert result.notes == ("the end of the body was not captured",)
    assert views.show('{"a": "größ'.encode()[:-1], "application/json", cut=True).lines == ("{", '  "a": "grö')


@pytest.mark.parametrize(
    ("body", "content_type", "view", "lines"),
    [
        (b" [1]", "text/plain", "json", ["[", "  1", "]"]),
        (b"[2026-01-01] started", "text/plain", "text", ["[2026-01-01] started"]),
        (
            rb'{"query": "query Q($i: ID!) {\n  a(i: $i)\n}", "variables": {"i": [1]}, "operationName": "Q"}',
            "application/json",
            "graphql",
            ["# Q", "query Q($i: ID!) {", "  a(i: $i)", "}", "", "# variables", "{", '  "i": [', "    1", "  ]", "}"],
        ),
        (b"{ a }", "application/graphql", "graphql", ["{ a }"]),
        (b'{"query": "kettles"}', "application/json", "json", ["{", '  "query": "kettles"', "}"]),
        (b'{"a":1,}', "application/problem+json", "json", ["{", '  "a": 1,', "}"]),
        (b"so sorry", "application/json", "text", ["so sorry"]),
        (b'{"a":1}\n{"b":2}\n', "application/json", "json", ["{", '  "a": 1', "}", "{", '  "b": 2', "}"]),
        (b'{"a":1}\n\n{"b":2}\n', "application/x-ndjson", "ndjson", ['{"a":1}', '{"b":2}']),
        (
            b"a=1&b=x%20y+z&flag&c=%1b[31m",
            "application/x-www-form-urlencoded",
            "form",
            ["a = 1", "b = x y z", "flag", "c = ␛[31m"],
        ),
        (b"<a>\n\t<b/>\r\n</a>", "application/soap+xml", "text", ["<a>", "    <b/>", "</a>"]),
        ("größe".encode("latin-1"), "text/plain; charset=iso-8859-1", "text", ["größe"]),
        (b"caf\xe9", "text/plain", "text", ["caf\\xe9"]),
        (b"\xef\xbb\xbfhello", None, "text", ["hello"]),
        (b"", None, "hex", []),
        (b"GET\x00\xff", None, "hex", ["00000000  47 45 54 00 ff                                    |GET..|"]),
        (b"x", "text/plain; charset=zlib", "text", ["x"]),
        (b"x", "text/plain; charset*=bogus''%ff", "text", ["x"]),
    ],
)
def test_view_by_type_and_look(body: bytes, content_type: str | None, view: str, lines: list[str]) -> None:
    assert shown(body, content_type) == (view, lines)


def test_json_that_is_wrong_says_where() -> None:
    assert "line 1, column 6" in views.show(b'{"a" 1}', "application/json").notes[0]


def test_events() -> None:
    body = b': hello\nevent: price\nid: 7\ndata: {"eur":1}\n\ndata: one\ndata: two\n\nretry: 5'
    assert shown(body, "text/event-stream") == (
        "events",
        ["#1  : hello  event: price  id: 7", "  {", '    "eur": 1', "  }", "#2", "  one", "  two", "#3  retry: 5"],
    )


def test_multipart_with_and_without_its_boundary_in_the_type() -> None:
    body = b'--XX\r\nContent-Disposition: form-data; name="f"\r\n\r\nhi\r\n--XX\r\nA: b\r\n\r\n\r\n--XX--\r\n'
    lines = ["--- 2", 'Content-Disposition: form-data; name="f"', "", "hi", "--- 0", "A: b"]
    assert shown(body, 'multipart/form-data; boundary="XX"') == ("form", lines)
    assert shown(body, "multipart/form-data") == ("form", lines)


def _png(across: int, down: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", across, down, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (_png(640, 480), "PNG image, 640 x 480 pixels, 33"),
        (b"\x89PNG\r\n\x1a\n", "PNG image, size not known, 8"),
        (b"GIF89a\x02\x00\x03\x00", "GIF image, 2 x 3 pixels, 10"),
        (
            b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x20\x00\x40\x03",
            "JPEG image, 64 x 32 pixels, 18",
        ),
        (b"\xff\xd8\xff\xe0\x00\x00" * 4, "JPEG image, size not known, 24"),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x0f\0\0\x1f\0\0", "WebP image, 16 x 32 pixels, 30"),
        (b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + b"\x0f\xc0\x07\0" + bytes(5), "WebP image, 16 x 32 pixels, 30"),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + b"\x10\0\x20\0", "WebP image, 16 x 32 pixels, 30"),
    ],
)
def test_image(body: bytes, line: str) -> None:
    assert shown(body, "application/octet-stream") == ("image", [line])


def test_a_view_can_be_chosen_and_the_unsuitable_falls_back() -> None:
    assert views.suitable(b'{"a":1}', "application/json") == ("json", "text", "hex")
    assert shown(b"[1]", "application/json", view="text") == ("text", ["[1]"])
    assert shown(b"A", None, view="image") == ("text", ["A"])
    with pytest.raises(ValueError, match="no view 'jpg'; there are events"):
        views.show(b"", view="jpg")


def test_bounds_are_kept_and_told() -> None:
    result = views.show(b"x" * (MAX_LINE + 5), "text/plain")
    assert result.lines[0].endswith("… (5 characters more)")
    result = views.show(b"\n" * (MAX_LINES + 1), "text/plain")
    assert (len(result.lines), result.notes) == (MAX_LINES, (f"only the first {MAX_LINES:,} lines are shown",))
    result = views.show(b"[" * (MAX_BYTES + 1), "application/json")
    assert result.notes[0] == "only the first 1 MiB of 1,048,577 bytes are shown"
    assert len(views.show(b"--A" * 100_000, "multipart/mixed; boundary=A").lines) < 3_000


TYPES = [
    None,
    "application/json",
    "application/x-ndjson",
    "text/event-stream",
    "text/plain",
    "text/html; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
]


@settings(deadline=None)
@given(
    st.binary() | st.text(st.characters()).map(lambda t: t.encode("utf-8", "surrogatepass")),
    st.sampled_from(TYPES),
    st.booleans(),
)
@example(b'{"\\', "application/json", True)
@example(b"}]}],:,", "application/json", True)
@example(b"--\r\n", "multipart/form-data", False)
def test_nothing_but_shapes_reaches_a_terminal(data: bytes, content_type: str | None, cut: bool) -> None:
    for view in (None, *(v.name for v in views.VIEWS)):
        result = views.show(data, content_type, cut=cut, view=view)
        text = "".join(result.lines) + "".join(result.notes)
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@settings(deadline=None)
@given(st.text(st.characters()))
def test_the_type_itself_may_be_hostile(content_type: str) -> None:
    for prefix in ("", "multipart/form-data; ", "text/plain; charset="):
        views.show(b"--a\r\nb", prefix + content_type)
