"""Widths of the columns of a list: what is cut where the room is short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.columns import GAP, ID_DIGITS, TABLE, fitted
from ui.formatting import truncate

SHOWN = tuple(column for column in TABLE if column.title not in ("ID",))


def widths(room: int, **wanted: int) -> dict[str, int]:
    """By title, where the columns want this much, others their least."""
    asked = [wanted.get(column.title, column.least) for column in SHOWN]
    return {column.title: cells for column, cells in zip(SHOWN, fitted(SHOWN, asked, room), strict=True)}


@pytest.mark.parametrize("room", [116, 120, 160, 200])
def test_names_are_whole_before_long_requests_take_the_room(room: int) -> None:
    found = widths(room, FROM=len("visitor1.example"), TO=len("kube-dns"), REQUEST=100, STATUS=11)
    assert (found["FROM"], found["TO"]) == (16, 8)
    assert found["REQUEST"] >= 22


def test_where_both_are_long_they_are_cut_by_about_as_much() -> None:
    found = widths(120, FROM=24, TO=24, REQUEST=100)
    assert abs(found["FROM"] - found["TO"]) <= 1
    assert found["REQUEST"] >= 22


def test_on_80_cells_names_differ_and_the_id_is_there_to_show_a_request_by() -> None:
    wanted = {"FROM": 16, "REQUEST": 100, "STATUS": 11}
    found = fitted(TABLE, [wanted.get(column.title, column.least) for column in TABLE], 80)
    shown = {column.title: cells for column, cells in zip(TABLE, found, strict=True)}
    assert shown["ID"] == ID_DIGITS
    ends = next(column for column in TABLE if column.title == "FROM")
    assert len({truncate(f"visitor{n}.example", shown["FROM"], ends.where) for n in (1, 2)}) == 2


@given(st.integers(40, 250), st.lists(st.integers(1, 120), min_size=len(SHOWN), max_size=len(SHOWN)))
def test_they_fit_and_leave_no_room_that_one_of_them_needs(room: int, asked: list[int]) -> None:
    wanted = [min(cells, column.most) for cells, column in zip(asked, SHOWN, strict=True)]
    found = fitted(SHOWN, wanted, room)
    shown = [n for n, cells in enumerate(found) if cells >= 0]
    used = sum(found[n] for n in shown) + len(GAP) * (len(shown) - 1)
    if used > room:  # not even the least of what always stays fits
        assert all(found[n] == min(SHOWN[n].least, wanted[n]) for n in shown)
    elif used < room:
        assert all(found[n] == wanted[n] for n in shown)
