"""All claims, found by address; and who held an address one after another, by the most trusted claim at each time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapper.identity.names import SOURCES, Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.identity.names import Address

    _Key = tuple[int, int, int, str | None]

ALWAYS_BEFORE = -(1 << 63)
STILL = (1 << 63) - 1


class ClaimBook:
    """Claims by network."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._by_network: dict[_Key, list[Claim]] = {}
        self._lengths: dict[int, dict[int, int]] = {4: {}, 6: {}}  # IP version -> prefix length -> how many networks
        for claim in claims:
            self.add(claim)

    def add(self, claim: Claim) -> None:
        """Takes one in."""
        key = _key(claim)
        if key not in self._by_network:
            lengths = self._lengths[key[0]]
            lengths[key[1]] = lengths.get(key[1], 0) + 1
        self._by_network.setdefault(key, []).append(claim)

    def remove(self, claim: Claim) -> None:
        """Takes it out.

        Raises:
            KeyError, ValueError: it is not in.
        """
        key = _key(claim)
        claims = self._by_network[key]
        claims.remove(claim)
        if not claims:
            del self._by_network[key]
            lengths = self._lengths[key[0]]
            lengths[key[1]] -= 1
            if not lengths[key[1]]:
                del lengths[key[1]]

    def of(self, address: Address, scope: str | None = None) -> list[Claim]:
        """All that cover the address; those of a scope only in theirs."""
        number, version, bits = int(address), address.version, address.max_prefixlen
        found: list[Claim] = []
        for length in self._lengths[version]:
            network = number >> (bits - length) << (bits - length)
            found += self._by_network.get((version, length, network, None), ())
            if scope is not None:
                found += self._by_network.get((version, length, network, scope), ())
        return found


def _key(claim: Claim) -> _Key:
    network = claim.network
    return network.version, network.prefixlen, int(network.network_address), claim.scope


@dataclass(slots=True)
class Line:
    """The holders of an address (on a port) one after another: number i from `starts[i]` until `starts[i + 1]`."""

    starts: list[int]
    claims: list[Claim | None]
    endpoints: list[int]
    """Ids; negative where none was needed yet."""

    def at(self, time: int) -> int:
        """Number of the holder at that time."""
        return bisect_right(self.starts, time) - 1

    def span(self, number: int) -> tuple[int, int]:
        """From when until before when."""
        return self.starts[number], self.starts[number + 1] if number + 1 < len(self.starts) else STILL


def line(claims: list[Claim], port: int | None) -> Line:
    """Who held the address on this port (None: on any that no claim speaks of)."""
    claims = sorted((c for c in claims if c.port is None or c.port == port), key=_trust, reverse=True)
    cuts = {ALWAYS_BEFORE}
    for claim in claims:
        cuts |= {t for t in (claim.start, claim.end) if t is not None}
    starts: list[int] = []
    holders: list[Claim | None] = []
    for cut in sorted(cuts):
        holder = next((c for c in claims if (c.start or ALWAYS_BEFORE) <= cut < _end(c)), None)
        if not holders or holder is not holders[-1]:
            starts.append(cut)
            holders.append(holder)
    return Line(starts, holders, [-1] * len(starts))


def _end(claim: Claim) -> int:
    return STILL if claim.end is None else claim.end


def _trust(claim: Claim) -> tuple[int, bool, int, int, str]:
    start = ALWAYS_BEFORE if claim.start is None else claim.start
    return -SOURCES.index(claim.source), claim.port is not None, claim.network.prefixlen, start, repr(claim.names)
