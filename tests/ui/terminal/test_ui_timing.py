"""Where the time went: the phases as one end saw them, or as both did; the calls that a request waited for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tapper.feed.interface import Query
from tests.store.records import MS, T0, exchange_id
from ui.terminal.timing import waterfall
from ui.terminal.whole import gather

if TYPE_CHECKING:
    from tapper.feed.interface import Feed
    from tapper.model.records import Exchange

PHASES = {"send_ns": 1 * MS, "wait_ns": 90 * MS, "receive_ns": 9 * MS, "latency_ns": 100 * MS}


@pytest.fixture
def exchange(small: Feed) -> Exchange:
    return replace(small.exchange(str(exchange_id(0, T0))), **PHASES)


def rows(exchange: Exchange, meanwhile: tuple[dict[str, Any], ...] = ()) -> list[tuple[str, str, str]]:
    """Name, figure and bar of each phase."""
    found = []
    for part in waterfall(exchange, list(meanwhile), 100):
        if not part.text:
            break
        found.append((part.text[:22].strip(), part.text[22:32].strip(), part.text[34:].rstrip()))
    return found


@pytest.mark.parametrize(("view", "worked"), [("client", "waited"), ("server", "orders worked")])
def test_one_ends_view(exchange: Exchange, view: str, worked: str) -> None:
    shown = rows(replace(exchange, view=view))
    assert [row[:2] for row in shown] == [
        ("request sent", "1.00 ms"), (worked, "90.0 ms"), ("response received", "9.00 ms"),
    ]  # fmt: skip
    sent, waited, received = (row[2] for row in shown)
    assert len(sent) <= waited.index("█") + 1
    assert received.index("█") == len(waited)  # each begins where the one before ends
    said = [part.text for part in waterfall(replace(exchange, view=view), [], 100)]
    assert any(f"{view}'s view: first to last byte" in text for text in said)


def test_both_ends_tell_the_network_from_the_server(exchange: Exchange) -> None:
    shown = rows(replace(exchange, view="both", server_wait_ns=60 * MS, server_latency_ns=70 * MS))
    assert [row[:2] for row in shown] == [
        ("request sent", "1.00 ms"),
        ("network there", "15.0 ms"),
        ("orders worked", "60.0 ms"),
        ("network back", "15.0 ms"),
        ("response received", "9.00 ms"),
    ]


def test_clocks_that_differ_make_no_negative_network(exchange: Exchange) -> None:
    shown = rows(replace(exchange, view="both", server_wait_ns=95 * MS))
    assert ("network there", "0 ms") in [row[:2] for row in shown]


def test_no_time_is_said_to_be_unknown(exchange: Exchange) -> None:
    unknown = replace(exchange, send_ns=None, wait_ns=None, receive_ns=None, latency_ns=None, outcome="timeout")
    assert next(waterfall(unknown, [], 100)).text == "No time is known: timeout."


def test_calls_of_the_same_server_are_said_to_be_likely_unless_a_trace_proves_it(demo_feed: Feed) -> None:
    query = Query('dst.name == "web" && status == 504', order="latency_ns", descending=True, limit=1)
    whole = gather(demo_feed, str(demo_feed.page(query)["id"][0].as_py()))
    assert whole.meanwhile

    def said(exchange: Exchange) -> str:
        return "\n".join(part.text for part in waterfall(exchange, whole.meanwhile, 100))

    assert "likely: calls of the same server" in said(replace(whole.exchange, trace_id=None))
    assert "by trace id" in said(whole.exchange)
    assert any(part.link == whole.meanwhile[0]["id"] for part in waterfall(whole.exchange, whole.meanwhile, 100))
