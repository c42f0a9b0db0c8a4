"""The name of the cluster's own DNS server, asked of itself: who may see only some namespaces may not look it up."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from tapper.identity.names import Claim, from_host_name, host_name

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOLV_CONF = Path("/etc/resolv.conf")
MAX_SERVERS = 3  # as many as resolvers use


async def servers() -> tuple[Claim, ...]:
    """Claims of the DNS servers that this pod asks, where they know their own names."""
    found = await asyncio.gather(*(asyncio.to_thread(_claim, ip) for ip in _configured()))
    return tuple(claim for claim in found if claim is not None)


def _configured() -> Iterator[str]:
    try:
        lines = RESOLV_CONF.read_text(errors="replace").splitlines()
    except OSError:
        return
    listed = [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]
    yield from listed[:MAX_SERVERS]


def _claim(ip: str) -> Claim | None:
    try:
        network = ipaddress.ip_network(ip)
        name = host_name(socket.gethostbyaddr(ip)[0])
    except (OSError, ValueError):
        return None
    names = from_host_name(name) if name else None
    return Claim(network, names, "kubernetes") if names is not None and names.service else None
