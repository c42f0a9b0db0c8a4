"""Figures, bars and hostile text, as tables of what goes in and what is seen."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapper.model.words import OUTCOMES, STATES
from ui import formatting as f

MS = 1_000_000
S = 1_000 * MS

FIGURES: dict[str, list[tuple[Any, str]]] = json.loads(Path(__file__).with_name("figures.json").read_text())
"""What is shown of what, by function; the web view's figures are held to the same."""


@pytest.mark.parametrize(
    ("name", "given", "shown"), [(name, *case) for name, cases in FIGURES.items() for case in cases]
)
def test_figures(name: str, given: Any, shown: str) -> None:
    given = tuple(given) if name == "share" else (given,)
    assert getattr(f, name)(*given) == shown


def test_figures_beyond_what_json_holds() -> None:
    assert f.size(1 << 80) == "1048576E"
    assert f.rate(float("nan")) == "-"


@given(st.integers(0, 10**18))
def test_duration_never_jumps_by_more_than_rounding(ns: int) -> None:
    text = f.duration(ns)
    if text.endswith(" ms"):
        assert abs(float(text[:-3]) * MS - ns) <= max(0.006 * ns, 5_000)
    elif text.endswith(" s") and "min" not in text:
        assert abs(float(text[:-2]) * S - ns) <= 0.006 * ns


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
        ("visitor1.example", 9, "name", "visitor1…"),
        ("api.eu-west-1.example.com", 13, "name", "api.eu-west-…"),
        ("checkout-7d9f8b6c-x2x9k", 12, "name", "check…-x2x9k"),
        ("10.77.0.10:8080", 9, "name", "….10:8080"),
        ("? 10.0.9.3", 8, "name", "…0.0.9.3"),
        ("[fd00::1:2]:80", 10, "name", "…::1:2]:80"),
        ("kube-system/kube-dns", 14, "name", "kube…/kube-dns"),
        ("kube-system/kube-dns", 10, "name", "…/kube-dns"),
        ("kube-system/kube-dns", 9, "name", "…kube-dns"),
        ("kube-system/kube-dns", 8, "name", "…ube-dns"),
        ("shop/visitor1.example", 9, "name", "visitor1…"),
        ("shop/orders", 11, "name", "shop/orders"),
    ],
)
def test_truncate(text: str, width: int, where: str, shown: str) -> None:
    assert f.truncate(text, width, where) == shown  # type: ignore[arg-type]


@given(st.text(), st.integers(0, 20), st.sampled_from(["end", "middle", "start", "name"]))
def test_truncated_text_fits(text: str, width: int, where: str) -> None:
    shown = f.truncate(f.clean(text), width, where)  # type: ignore[arg-type]
    assert f.width(shown) <= width
    assert f.width(f.fit(f.clean(text), width)) == width


def test_fit_to_the_right_and_of_endless_marks() -> None:
    assert f.fit("12.4 ms", 9, "right") == "  12.4 ms"
    assert len(f.truncate("a" + "\u0301" * 100_000, 10)) < 200
