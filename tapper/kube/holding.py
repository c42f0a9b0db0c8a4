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
LINGER_NS = 30 * 1_000_000_000
"""How long who is gone by the API's word may still be heard at its address, if nobody else comes to have it: a pod that
was deleted without a period of grace is no object any more while its containers are being stopped."""


class Sink(Protocol):
    """Who wants the claims: `tapper.identity.index.Identity`."""

    def add(self, claim: Claim) -> None: ...  # noqa: D102
    def replace(self, old: Claim, new: Claim) -> None: ...  # noqa: D102
    def remove(self, claim: Claim) -> None: ...  # noqa: D102


@dataclass(slots=True)
class _Gone:
    """Who had a place, since when it is gone, and its claim, which ends later."""

    since: int
    place: Place
    claim: Claim


@dataclass(slots=True)
class Holders:
    """Hands claims to a sink. Who holds is told by a uid; `now` is ns since the epoch."""

    sink: Sink
    _now: dict[Place, tuple[str, Claim]] = field(default_factory=dict)
    """Who has it now: uid, claim."""
    _places: dict[str, set[Place]] = field(default_factory=dict)
    """What each uid has now."""
    _last: dict[tuple[str, str | None], dict[int | None, _Gone]] = field(default_factory=dict)
    """Who had it last, where nobody has it now; by address and scope, then port."""
    _gone: deque[_Gone] = field(default_factory=deque)

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
        last = self._last.get((address, scope), {})
        before = [last[port]] if port in last else []
        whole = self._now.get((address, None, scope))
        within = [whole[1].start] if whole is not None and whole[0] == uid else []
        start = max((t for t in (start, *within, *(g.since for g in before)) if t is not None), default=None)
        # with an address go all ports of who had it before
        for gone in list(last.values()) if port is None else before:
            self._cut(gone, gone.since if start is None else start)
        claim = Claim(_network(address), names, "kubernetes", port, start, None, scope)
        self._now[place] = (uid, claim)
        self._places.setdefault(uid, set()).add(place)
        self.sink.add(claim)

    def _renew(self, place: Place, claim: Claim) -> None:
        uid, old = self._now[place]
        self._now[place] = (uid, claim)
        self.sink.replace(old, claim)

    def _end(self, place: Place, now: int, linger: int = 0) -> None:
        uid, claim = self._now.pop(place)
        leave(self._places, uid, place)
        ended = replace(claim, end=max(now + linger, (claim.start or 0) + 1))
        self.sink.replace(claim, ended)
        gone = _Gone(now, place, ended)
        address, port, scope = place
        self._last.setdefault((address, scope), {})[port] = gone
        self._gone.append(gone)

    def _cut(self, gone: _Gone, end: int) -> None:
        """Lets who is gone have had the place until then at the latest."""
        self._leave_last(gone)
        claim = gone.claim
        gone.claim = replace(claim, end=max(gone.since, min(end, claim.end or end), (claim.start or 0) + 1))
        self.sink.replace(claim, gone.claim)

    def _leave_last(self, gone: _Gone) -> None:
        address, port, scope = gone.place
        last = self._last.get((address, scope), {})
        if last.get(port) is gone:
            del last[port]
            if not last:
                del self._last[address, scope]

    def release(self, uid: str, now: int) -> None:
        """It is gone; its addresses stay its for a while, or until somebody else has them."""
        for place in list(self._places.get(uid, ())):
            self._end(place, now, LINGER_NS)

    def forget(self, now: int) -> None:
        """Takes back claims of what is gone for long."""
        while self._gone and (self._gone[0].since < now - KEEP_NS or len(self._gone) > MAX_GONE):
            gone = self._gone.popleft()
            self.sink.remove(gone.claim)
            self._leave_last(gone)


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
