"""Who has which address now, and the claims of it: begun, renewed, ended, and in the end taken back."""

from __future__ import annotations

import ipaddress
from collections import deque
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from tapper.identity.names import Claim, Names

if TYPE_CHECKING:
    _Key = TypeVar("_Key")
    _Member = TypeVar("_Member")
    Place = tuple[str, int | None, str | None]  # address, port, scope

KEEP_NS = 15 * 60 * 1_000_000_000
"""How long claims of what is gone are kept, for records that come late; rows keep the name that they have for ever."""
MAX_GONE = 50_000  # of them; some 50 MB


class Sink(Protocol):
    """Who wants the claims: `tapper.identity.index.Identity`."""

    def add(self, claim: Claim) -> None: ...  # noqa: D102
    def replace(self, old: Claim, new: Claim) -> None: ...  # noqa: D102
    def remove(self, claim: Claim) -> None: ...  # noqa: D102


@dataclass(slots=True)
class Holders:
    """Hands claims to a sink. Who holds is told by a uid; `now` is ns since the epoch."""

    sink: Sink
    _now: dict[Place, tuple[str, Claim]] = field(default_factory=dict)
    """Who has it now: uid, claim."""
    _places: dict[str, set[Place]] = field(default_factory=dict)
    """What each uid has now."""
    _freed: dict[Place, int] = field(default_factory=dict)
    """Since when nobody has it."""
    _gone: deque[tuple[int, Place, Claim]] = field(default_factory=deque)

    def of(self, place: Place) -> str | None:
        """Who has it."""
        holder = self._now.get(place)
        return None if holder is None else holder[0]

    def hold(self, uid: str, wanted: dict[Place, Names], start: int | None, now: int) -> None:
        """Lets `uid` have these places, by these names, and no others."""
        for place in self._places.get(uid, set()) - wanted.keys():
            self._end(place, now)
        for place, names in wanted.items():
            holder = self._now.get(place)
            if holder is None or holder[0] != uid:
                self._begin(uid, place, names, start, now)
                continue
            claim = holder[1]
            if claim.names == names:
                continue
            known = _more_known(claim.names, names)
            if known is not None:
                self._renew(place, replace(claim, names=known))
            else:
                self._end(place, now)
                self._begin(uid, place, names, now, now)

    def _begin(self, uid: str, place: Place, names: Names, start: int | None, now: int) -> None:
        address, port, scope = place
        if place in self._now:
            self._end(place, now)
        freed = self._freed.pop(place, None)
        if freed is not None and (start is None or start < freed):
            start = freed
        claim = Claim(_network(address), names, "kubernetes", port, start, None, scope)
        self._now[place] = (uid, claim)
        self._places.setdefault(uid, set()).add(place)
        self.sink.add(claim)

    def _renew(self, place: Place, claim: Claim) -> None:
        uid, old = self._now[place]
        self._now[place] = (uid, claim)
        self.sink.replace(old, claim)

    def _end(self, place: Place, now: int) -> None:
        uid, claim = self._now.pop(place)
        leave(self._places, uid, place)
        ended = replace(claim, end=max(now, (claim.start or 0) + 1))
        self.sink.replace(claim, ended)
        self._freed[place] = now
        self._gone.append((now, place, ended))

    def release(self, uid: str, now: int) -> None:
        """Nobody is there any more."""
        for place in list(self._places.get(uid, ())):
            self._end(place, now)

    def forget(self, now: int) -> None:
        """Takes back claims of what is gone for long."""
        while self._gone and (self._gone[0][0] < now - KEEP_NS or len(self._gone) > MAX_GONE):
            at, place, claim = self._gone.popleft()
            self.sink.remove(claim)
            if self._freed.get(place) == at:
                del self._freed[place]


def leave(groups: dict[_Key, set[_Member]], key: _Key, member: _Member) -> None:
    """Takes a member out of a group; an empty group goes."""
    group = groups.get(key)
    if group is not None:
        group.discard(member)
        if not group:
            del groups[key]


_network = lru_cache(4096)(ipaddress.ip_network)  # one object for all ports of an address


def _more_known(old: Names, new: Names) -> Names | None:
    """The newer names, where they only say more or no longer say something; None: they say something else."""
    if old.service is not None and new.service is not None and old.service != new.service:
        return None
    return replace(new, service=new.service or old.service, workload=new.workload or old.workload)
