"""Names for the addresses that agents tell of their nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING

from tapper.identity.names import Claim, Names, parse_address
from tapper.model.control import MAX_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class NodeAddresses:
    """An address that several nodes have (each a bridge of its own) is the name of none."""

    _of_node: dict[str, frozenset[str]] = field(default_factory=dict)
    _nodes_of: dict[str, set[str]] = field(default_factory=dict)
    _claims: dict[str, Claim] = field(default_factory=dict)

    def told(self, node: str, addresses: Iterable[str]) -> tuple[list[Claim], list[Claim]]:
        """A node has these now (further ones are not named): claims that begin, and claims that were wrong."""
        now = frozenset(sorted(set(filter(None, map(_address, addresses))))[:MAX_ADDRESSES])
        before = self._of_node.get(node, frozenset())
        self._of_node[node] = now
        for address in now - before:
            self._nodes_of.setdefault(address, set()).add(node)
        for address in before - now:
            self._nodes_of[address].discard(node)
        begun: list[Claim] = []
        wrong: list[Claim] = []
        for address in sorted(now ^ before):
            nodes = self._nodes_of[address]
            old = self._claims.pop(address, None)
            new = Claim(ip_network(address), Names(node=next(iter(nodes))), "interface") if len(nodes) == 1 else None
            if not nodes:
                del self._nodes_of[address]
            if new is not None:
                self._claims[address] = new
            if old != new:
                begun += [new] if new is not None else []
                wrong += [old] if old is not None else []
        return begun, wrong


def _address(text: str) -> str | None:
    try:
        address = parse_address(text)
    except ValueError:
        return None
    usable = not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)
    return str(address) if usable else None
