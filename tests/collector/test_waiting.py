"""Rows for followers wait for names, a bounded time."""

from __future__ import annotations

import time
from ipaddress import ip_network

import pyarrow as pa
import pytest

from tapper.collector.naming import Waiting
from tapper.identity.index import Identity
from tapper.identity.names import Claim, Names
from tapper.model.schema import TIME

ENDS = pa.schema([("src", pa.int32()), ("dst", pa.int32()), ("dialled", pa.int32())])


def _named(identity: Identity, pairs: list[tuple[str, str]]) -> pa.Table:
    """Rows between these addresses, as the recorder has them."""
    word = pa.dictionary(pa.int32(), pa.utf8())
    columns = {
        "time": pa.array(range(1, len(pairs) + 1), TIME),
        "src_ip": pa.array([src for src, _ in pairs], word),
        "src_port": pa.array([4000] * len(pairs), pa.uint16()),
        "dst_ip": pa.array([dst for _, dst in pairs], word),
        "dst_port": pa.array([80] * len(pairs), pa.uint16()),
    }
    src, dst = identity.ends(pa.record_batch(columns))
    return pa.table([pa.array(src), pa.array(dst), pa.nulls(len(pairs), pa.int32())], schema=ENDS)


def _claim(ip: str, name: str) -> Claim:
    return Claim(ip_network(ip), Names(pod=name), "kubernetes")


@pytest.fixture
def identity() -> Identity:
    return Identity([_claim("10.0.0.1", "server")])


def test_rows_wait_for_a_name_and_go_when_it_comes(identity: Identity) -> None:
    waiting = Waiting(identity, 60)
    rows = _named(identity, [("10.0.0.9", "10.0.0.1"), ("8.8.8.8", "10.0.0.1")])
    ripe, waited = waiting.ripe(rows)
    assert (ripe, waited, bool(waiting)) == (rows.slice(1), False, True)  # who is outside gets no name by waiting
    identity.add(_claim("10.0.0.9", "client"))
    ripe, waited = waiting.ripe(None)
    assert (ripe, waited, bool(waiting)) == (rows.slice(0, 1), True, False)


def test_nobody_waits_longer_than_for_the_first_row(identity: Identity) -> None:
    waiting = Waiting(identity, 0.05)
    rows = _named(identity, [("10.0.0.9", "10.0.0.1")])
    assert waiting.ripe(rows)[0].num_rows == 0  # type: ignore[union-attr]
    end = time.monotonic() + 10
    while waiting.ripe(None)[0] != rows:
        assert time.monotonic() < end
    assert waiting.ripe(rows)[0] == rows


def test_without_patience_nothing_waits(identity: Identity) -> None:
    rows = _named(identity, [("10.0.0.9", "10.0.0.1")])
    assert Waiting(identity, 0).ripe(rows) == (rows, False)
