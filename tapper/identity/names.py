"""What an address may be called, and what one source claims about it for some time."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

SOURCES = ("file", "kubernetes", "process", "hosts", "dns", "sni", "host", "interface", "address")
"""Where a name came from, the most trusted first."""

MAX_NAME = 253  # of a DNS name, RFC 1035 section 2.3.4; ample for the others

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of an endpoint; None: not known."""

    name: str | None = None
    """A name that is none of the others."""
    namespace: str | None = None
    service: str | None = None
    workload: str | None = None
    version: str | None = None
    """Of the workload."""
    pod: str | None = None
    container: str | None = None
    node: str | None = None
    process: str | None = None

    def best(self) -> str | None:
        """The one to show."""
        return self.name or self.service or self.workload or self.pod or self.process or self.node


@dataclass(frozen=True, slots=True)
class Claim:
    """A source says: who had this address (or network), on this port if given, from `start` to before `end` was this.

    Times are ns since the epoch; None: always before, still.
    """

    network: Network
    names: Names
    source: str
    port: int | None = None
    start: int | None = None
    end: int | None = None
    scope: str | None = None
    """Of an address that means another one in each network namespace (loopback): in which; see `Identity.ends`."""

    @property
    def outranks_hints(self) -> bool:
        """Whether it is trusted more than what clients call the address; that a node has it says little of a server."""
        return SOURCES.index(self.source) < SOURCES.index("dns")


def parse_address(text: str) -> Address:
    """An IP address; IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) is the IPv4 address.

    Raises:
        ValueError: it is none.
    """
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def host_name(text: str | None) -> str | None:
    """A name out of a Host header, an authority, an SNI or a DNS name; None if it is none, or an IP address."""
    if text is None or len(text) > MAX_NAME + 6:
        return None
    name, _, port = text.partition(":")
    name = name.lower().removesuffix(".")
    if (port and not port.isdecimal()) or len(name) > MAX_NAME or not _HOST_NAME.fullmatch(name):
        return None
    if name == "localhost" or name.rpartition(".")[2].isdecimal():
        return None
    return name


def from_host_name(name: str) -> Names:
    """Names out of a host name; those of Kubernetes' DNS (`service.namespace.svc.cluster.local`) tell more.

    A pod of a headless service is `pod.service.namespace.svc...`.
    """
    labels = name.split(".")
    if len(labels) > 2 and labels[2] == "svc":
        return Names(service=labels[0], namespace=labels[1])
    if len(labels) > 3 and labels[3] == "svc":
        return Names(pod=labels[0], service=labels[1], namespace=labels[2])
    return Names(name=name)


def one_name(candidates: set[str]) -> str | None:
    """The one name behind several host names of one address, or None if there is none.

    Short forms (`orders`, `orders.shop` beside `orders.shop.svc.cluster.local`) and children (`orders-0.orders...`
    beside `orders...`) are the same. Two names that differ otherwise mean that the address serves several (a proxy, an
    ingress, a CDN), and none of them is its name.
    """
    whole = [n for n in candidates if not any(other != n and other.startswith(f"{n}.") for other in candidates)]
    parents = [n for n in whole if not any(other != n and n.endswith(f".{other}") for other in whole)]
    return parents[0] if len(parents) == 1 else None
