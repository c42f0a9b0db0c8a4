"""Claims of addresses as their holders come and go."""

from __future__ import annotations

import ipaddress

import pytest

from tapper.identity.claims import ClaimBook, line
from tapper.identity.names import Names
from tapper.kube.holding import KEEP_NS, Holders

IP = "10.0.0.7"
S = 1_000_000_000
WHOLE, WEB, METRICS = (IP, None, None), (IP, 8080, None), (IP, 9090, None)
Places = dict[tuple[str, int | None, str | None], Names]


def had(name: str, *places: tuple[str, int | None, str | None]) -> Places:
    return dict.fromkeys(places, Names(pod=name))


class Address:
    """Who has 10.0.0.7."""

    def __init__(self) -> None:
        self.book = ClaimBook()
        self.holders = Holders(self)

    def add(self, claim: object) -> None:
        self.book.add(claim)  # type: ignore[arg-type]

    def replace(self, old: object, new: object) -> None:
        self.remove(old)
        self.add(new)

    def remove(self, claim: object) -> None:
        self.book.remove(claim)  # type: ignore[arg-type]

    def at(self, seconds: float, port: int | None = None) -> str | None:
        drawn = line(self.book.of(ipaddress.ip_address(IP)), port)
        claim = drawn.claims[drawn.at(int(seconds * S))]
        return claim and claim.names.pod


@pytest.fixture
def address() -> Address:
    return Address()


def test_who_is_gone_is_still_heard_for_a_while(address: Address) -> None:
    address.holders.hold("1", had("old", WHOLE, WEB), 10 * S, 11 * S)
    address.holders.release("1", 100 * S)
    for port in (None, 8080, 5555):
        assert [address.at(t, port) for t in (9, 10, 100, 129.9, 130)] == [None, "old", "old", "old", None]
    address.holders.forget(100 * S + KEEP_NS + 1)
    assert address.at(50) is None
    assert not address.holders._last


@pytest.mark.parametrize("began", [None, 50, 104])
def test_whoever_comes_next_has_the_address_with_all_its_ports(address: Address, began: int | None) -> None:
    """Also those that only the last one named, and though it began, by its node's clock, before the other's end."""
    address.holders.hold("1", had("old", WHOLE, WEB), 10 * S, 11 * S)
    address.holders.release("1", 100 * S)
    address.holders.hold("2", had("new", WHOLE, METRICS), None if began is None else began * S, 105 * S)
    taken = max(began or 0, 100)
    for port in (None, 8080, 9090, 5555):
        assert [address.at(t, port) for t in (99, taken - 0.1, taken, 500)] == ["old", "old", "new", "new"], port


def test_a_port_that_its_holder_gives_up_is_given_up_at_once(address: Address) -> None:
    address.holders.hold("1", had("plain", WHOLE) | had("web", WEB), 10 * S, 11 * S)
    address.holders.hold("1", had("plain", WHOLE), 10 * S, 100 * S)
    assert [address.at(t, 8080) for t in (99, 100)] == ["web", "plain"]


def test_a_port_of_a_node_may_have_another_pod_at_once(address: Address) -> None:
    address.holders.hold("node", had("node", WHOLE), None, 1 * S)
    address.holders.hold("1", had("old", WEB, METRICS), 10 * S, 11 * S)
    address.holders.release("1", 100 * S)
    address.holders.hold("2", had("new", WEB), 50 * S, 101 * S)
    assert [address.at(t, 8080) for t in (99, 100, 200)] == ["old", "new", "new"]
    assert [address.at(t, 9090) for t in (99, 129, 131)] == ["old", "old", "node"]
