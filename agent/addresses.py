"""The addresses of a node, as its kernel has them: pods see it by ones that the cluster's API does not tell.

A packet that a node sends on for someone else (a NodePort, a load balancer) comes from the address of the interface
that it leaves by: a bridge, a tunnel of the network plugin.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from tapper.model.control import MAX_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE = 4 << 20

_LOCAL = re.compile(r"^\s*\|-- ([0-9.]+)\n\s*/32 host LOCAL$", re.MULTILINE)


def node_addresses(proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Those that others can see, of the network namespace of the first process (proc(5): net/fib_trie, net/if_inet6).

    In a container that sees only its own processes it is that container's namespace. What can't be read is left out.
    """
    found: list[IPv4Address | IPv6Address] = [*_ipv4(proc), *_ipv6(proc)]
    seen = (str(address) for address in found if not (address.is_loopback or address.is_link_local))
    return tuple(dict.fromkeys(seen))[:MAX_ADDRESSES]


def _ipv4(proc: Path) -> Iterator[IPv4Address]:
    # the kernel's routes to itself: they have the addresses of all interfaces
    yield from map(IPv4Address, _LOCAL.findall(_read(proc / "1/net/fib_trie")))


def _ipv6(proc: Path) -> Iterator[IPv6Address]:
    for line in _read(proc / "1/net/if_inet6").splitlines():
        yield IPv6Address(bytes.fromhex(line.split()[0]))


def _read(file: Path) -> str:
    try:
        with file.open() as opened:
            return opened.read(MAX_FILE)
    except OSError:
        return ""
