"""Figures, bars and hostile text, as tables of what goes in and what is seen."""

from __future__ import annotations

import unicodedata
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapper.model.words import OUTCOMES, STATES
from ui import formatting as f

MS = 1_000_000
S = 1_000 * MS


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (None, "-"),
        (0, "0 ms"),
        (4_200, "0.004 ms"),
        (42_000, "0.04 ms"),
        (600_000, "0.6 ms"),
        (623_000, "0.62 ms"),
        (994_999, "0.99 ms"),
        (995_000, "0.99 ms"),
        (1_100_000, "1.10 ms"),
        (9_994_000, "9.99 ms"),
        (9_996_000, "10.0 ms"),
        (12_400_000, "12.4 ms"),
        (99_960_000, "100 ms"),
        (210 * MS, "210 ms"),
        (999_600_000, "1.00 s"),
        (1_798 * MS, "1.80 s"),
        (59_960 * MS, "60.0 s"),
        (99_960 * MS, "1 min 40 s"),
        (125 * S, "2 min 05 s"),
        (3_599_600 * MS, "1 h 00 min"),
        (3 * 3600 * S + 300 * S, "3 h 05 min"),
        (50 * 3600 * S, "2 d 02 h"),
        (-12_400_000, "-12.4 ms"),
    ],
)
def test_duration(ns: int | None, shown: str) -> None:
    assert f.duration(ns) == shown


@given(st.integers(0, 10**18))
def test_duration_never_jumps_by_more_than_rounding(ns: int) -> None:
    text = f.duration(ns)
    if text.endswith(" ms"):
        assert abs(float(text[:-3]) * MS - ns) <= max(0.006 * ns, 5_000)
    elif text.endswith(" s") and "min" not in text:
        assert abs(float(text[:-2]) * S - ns) <= 0.006 * ns


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (420, "420"),
        (1023, "1023"),
        (1024, "1.0K"),
        (1126, "1.1K"),
        (12 * 1024, "12K"),
        (1023 * 1024 + 600, "1.0M"),
        (3_565_158, "3.4M"),
        (1 << 40, "1.0T"),
        (1 << 80, "1048576E"),
    ],
)
def test_size(number: int | None, shown: str) -> None:
    assert f.size(number) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(None, "-"), (1482, "1,482"), (1_200_000, "1.2 M"), (999_960_000, "1.0 G")]
)
def test_count(number: int | None, shown: str) -> None:
    assert f.count(number) == shown


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (0, "0/s"),
        (0.004, "<0.01/s"),
        (0.05, "0.05/s"),
        (0.999, "1/s"),
        (3.0, "3/s"),
        (4.19, "4.2/s"),
        (41.3, "41/s"),
        (2113.4, "2,113/s"),
        (123_456.0, "123k/s"),
        (1_234_567.0, "1.2M/s"),
    ],
)
def test_rate(per_second: float | None, shown: str) -> None:
    assert f.rate(per_second) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "-"),
        (0, 10, "0 %"),
        (1, 10_000, "<0.1 %"),
        (21, 1000, "2.1 %"),
        (43, 100, "43 %"),
        (9_999, 10_000, ">99 %"),
        (41, 41, "100 %"),
    ],
)
def test_share(part: int, whole: int, shown: str) -> None:
    assert f.share(part, whole) == shown


@pytest.mark.parametrize(
    ("ns", "bar"),
    [
        (None, "    "),
        (0, "▏   "),
        (600_000, "▏   "),
        (MS, "▏   "),
        (10 * MS, "█   "),
        (100 * MS, "██  "),
        (S, "███ "),
        (10 * S, "████"),
        (3600 * S, "████"),
    ],
)
def test_latency_bar(ns: int | None, bar: str) -> None:
    assert f.latency_bar(ns, 4) == bar


@given(st.one_of(st.none(), st.integers(-(2**63), 2**63)), st.integers(-1, 50))
def test_latency_bar_is_as_wide_as_asked(ns: int | None, width: int) -> None:
    assert f.width(f.latency_bar(ns, width)) == max(width, 0)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([0, 0], "▁▁"),
        ([0, 1, 2, 4, 7], "▁▂▃▅█"),
        ([None, 5, float("nan")], " █ "),
        ([0.001, 1000], "▂█"),
    ],
)
def test_sparkline(values: list[float | None], line: str) -> None:
    assert f.sparkline(values) == line


def test_sparkline_with_a_common_top_can_be_compared() -> None:
    assert f.sparkline([1, 2], top=14) == "▂▂"
    assert f.sparkline([28], top=14) == "█"


def test_every_outcome_but_ok_has_a_sign_and_a_colour() -> None:
    assert (f.sign("ok"), f.colour("ok")) == ("", "")
    signs = [f.sign(outcome) for outcome in OUTCOMES if outcome != "ok"]
    assert all(signs)
    assert len(set(signs)) == len(signs)
    assert all(f.colour(outcome) for outcome in OUTCOMES if outcome != "ok")
    assert (f.sign("unanswered"), f.colour("unanswered")) == ("⌛", "magenta")
    assert all(f.sign(state) for state in STATES if state != "closed")


def test_time_of_day() -> None:
    ns = 1_700_000_000 * S + 204_999_999
    assert f.time_of_day(ns, UTC) == "22:13:20.204"
    assert f.time_of_day(ns, timezone(timedelta(hours=2))) == "00:13:20.204"
    assert f.time_of_day(2**62, UTC)
    assert f.time_of_day(10**25) == "-"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders", "orders"),
        ("größe 訂單 📦", "größe 訂單 📦"),
        ("a\x1b[31mred", "a␛[31mred"),
        ("two\r\nlines\tand\x00", "two␍␊lines␉and␀"),
        ("\x7f\x9b2J\x85", "␡\\x9b2J\\x85"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("or\u200bders\ufeff", "or\\u200bders\\ufeff"),
        ("a\u2028b\xa0c", "a\\u2028b c"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert f.clean(text) == shown


@given(st.text(st.characters()))
def test_clean_text_moves_no_cursor(text: str) -> None:
    shown = f.clean(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert f.clean(shown) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("text", "width", "where", "shown"),
    [
        ("orders", 6, "end", "orders"),
        ("orders", 5, "end", "orde…"),
        ("orders", 5, "start", "…ders"),
        ("orders-7d9f-x2x9k", 10, "middle", "orde…x2x9k"),
        ("訂單服務", 8, "end", "訂單服務"),
        ("訂單服務", 7, "end", "訂單服…"),
        ("訂單服務", 6, "end", "訂單…"),
        ("訂單服務", 6, "start", "…服務"),
        ("訂", 1, "end", "…"),
        ("訂單", 2, "end", "…"),
        ("orders", 0, "end", ""),
    ],
)
def test_truncate(text: str, width: int, where: str, shown: str) -> None:
    assert f.truncate(text, width, where) == shown  # type: ignore[arg-type]


@given(st.text(), st.integers(0, 20), st.sampled_from(["end", "middle", "start"]))
def test_truncated_text_fits(text: str, width: int, where: str) -> None:
    shown = f.truncate(f.clean(text), width, where)  # type: ignore[arg-type]
    assert f.width(shown) <= width
    assert f.width(f.fit(f.clean(text), width)) == width


def test_fit_to_the_right_and_of_endless_marks() -> None:
    assert f.fit("12.4 ms", 9, "right") == "  12.4 ms"
    assert len(f.truncate("a" + "\u0301" * 100_000, 10)) < 200
