"""An endpoint: one holder of an address, with the claim or the hints that name it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tapper.identity.names import SOURCES, Claim, Names, from_host_name, one_name

MAX_CANDIDATES = 8  # host names of one source for one endpoint; more mean that it serves many


@dataclass(slots=True)
class Hints:
    """Host names that traffic gave an address, by source; `owner`: owners of the address records of DNS."""

    dns: set[str] = field(default_factory=set)
    owner: set[str] = field(default_factory=set)
    sni: set[str] = field(default_factory=set)
    host: set[str] = field(default_factory=set)

    def add(self, source: str, name: str) -> bool:
        """Whether it is news."""
        names: set[str] = getattr(self, source)
        if name in names or len(names) > MAX_CANDIDATES:
            return False
        names.add(name)
        return True

    def best(self) -> tuple[Names, str] | None:
        """The name that is agreed on, and its source.

        DNS says who an address is; server names and Host headers only what clients called it, so they must agree with
        each other, and where DNS is at odds they don't decide.
        """
        if self.dns:
            name, source = _agreed(self.dns) or _agreed(self.owner), "dns"
        else:
            name, source = _agreed(self.sni | self.host), "sni" if self.sni else "host"
        return (from_host_name(name), source) if name else None


def _agreed(names: set[str]) -> str | None:
    return one_name(names) if 0 < len(names) <= MAX_CANDIDATES else None


@dataclass(slots=True)
class Endpoint:
    """One holder of an address."""

    id: int
    ip: str
    port: int
    """That claims speak of; -1: any other."""
    claim: Claim | None
    hints: Hints | None = None

    def hear(self, hints: Hints) -> bool:
        """Takes hints; whether they are news."""
        if self.hints is None:
            self.hints = Hints()
        news = [self.hints.add(s, n) for s in ("dns", "owner", "sni", "host") for n in getattr(hints, s)]
        return any(news)

    def row(self) -> tuple[int | str | None, ...]:
        """Its row of the endpoint table."""
        names, source = Names(), SOURCES[-1]
        if self.claim is not None:
            names, source = self.claim.names, self.claim.source
        heard = self.hints.best() if self.hints is not None else None
        if heard is not None and (self.claim is None or not self.claim.outranks_hints):
            names, source = replace(heard[0], node=names.node), heard[1]
        name = names.best()
        return (
            self.id,
            self.ip,
            name or self.ip,
            source if name else SOURCES[-1],
            names.namespace,
            names.service,
            names.workload,
            names.version,
            names.pod,
            names.container,
            names.node,
            names.process,
        )
