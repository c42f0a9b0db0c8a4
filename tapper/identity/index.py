"""The index of who had which address when; gives every row of a batch the id of its endpoint.

An endpoint is one holder of an address: rows keep its id for ever. While only hints name it, its name may get better as
more is seen. Where claims say that an address changed hands, each holder is an endpoint of its own, and no later name
reaches back to an earlier holder.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from tapper.identity import claims as claim_book
from tapper.identity import hints as hint_reader
from tapper.identity.columns import groups
from tapper.identity.endpoint import Hints
from tapper.identity.endpoints import Endpoints
from tapper.identity.names import Claim, parse_address
from tapper.identity.newest import ANY_PORT, Newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from tapper.identity.claims import Line
    from tapper.identity.columns import Ids, Times
    from tapper.identity.endpoint import Endpoint
    from tapper.identity.names import Names, Network


MAX_KNOWN = 65_536
"""Addresses held in memory, and endpoints of them. Beyond, all are forgotten at once and get new endpoints when they
are seen again: neither a scan of the whole Internet nor a year of pods that come and go costs more memory."""
MAX_HEARD = 65_536  # addresses that DNS told of and nobody has called yet

LOOPBACK = ("127.", "::1")


class Owners(Protocol):
    """Who has the ports of this machine's addresses (`tapper.identity.local.LocalNames`)."""

    def is_local(self, ip: str) -> bool: ...  # noqa: D102
    def owner(self, ip: str, port: int, time_ns: int) -> Names | None: ...  # noqa: D102


class Identity:
    """Names batches. Not for several threads at once.

    Args:
        claims: what is known from the start.
        first_id: id of the first endpoint, above all that the store has.
        owners: who has the ports of this machine.
    """

    def __init__(self, claims: Iterable[Claim] = (), first_id: int = 0, owners: Owners | None = None) -> None:
        self._book = claim_book.ClaimBook(claims)
        self._owners = owners
        self._endpoints = Endpoints(first_id)
        self._heard: dict[str, Hints] = {}
        self._dns = hint_reader.DnsReader()
        self._forget()

    def _forget(self) -> None:
        self._endpoints.forget()
        self._slots: dict[str, int] = {}  # by address; of loopback, by address%scope
        self._addresses: list[tuple[str, str | None]] = []
        self._newest = Newest()
        self._lines: dict[int, dict[int, Line]] = {}  # by slot, by port
        self._local: dict[int, dict[Names, int]] = {}  # by slot of a local address, by owner: ids
        self._of_slot: dict[int, list[int]] = {}

    def add(self, claim: Claim) -> None:
        """Learns of a claim while running. Rows named already keep their endpoint; a nameless one takes the name."""
        self._book.add(claim)
        self._renew(claim)

    def replace(self, old: Claim, new: Claim) -> None:
        """Changes a claim (of the same network): it ended, or more is known."""
        self._book.remove(old)
        self._book.add(new)
        self._renew(new)

    def remove(self, claim: Claim) -> None:
        """Forgets a claim: no row of its time will come any more. Endpoints that it named keep their name."""
        self._book.remove(claim)
        self._renew(claim)

    @property
    def oldest(self) -> int:
        """Rows that are named from now on have no endpoint with a lower id."""
        return self._endpoints.base

    def _renew(self, claim: Claim) -> None:
        if claim.network.num_addresses == 1:
            slot = self._slots.get(_text(claim.network) + (f"%{claim.scope}" if claim.scope is not None else ""))
            slots = [] if slot is None else [slot]
        else:
            slots = [s for s, (ip, _) in enumerate(self._addresses) if parse_address(ip) in claim.network]
        for slot in slots:
            if slot in self._lines:
                self._draw_lines(slot)

    def ends(self, batch: pa.RecordBatch, scope: str | None = None) -> tuple[Ids, Ids]:
        """Endpoint ids of `src_ip` and `dst_ip` of each row, by `time` and port.

        Args:
            batch: exchanges or connections.
            scope: the network namespace that the rows are of, where they are of one: 127.0.0.1 is another one in each.
        """
        if len(self._slots) > MAX_KNOWN or len(self._endpoints) > MAX_KNOWN:
            self._forget()
        times = batch["time"].cast(pa.int64()).to_numpy()
        src, dst = (
            self._ids(batch[f"{end}_ip"], batch[f"{end}_port"].to_numpy(), times, scope) for end in ("src", "dst")
        )
        for ids in (src, dst):
            self._endpoints.seen(ids, times)
        return src, dst

    def _ids(
        self, addresses: pa.DictionaryArray, ports: npt.NDArray[np.uint16], times: Times, scope: str | None
    ) -> Ids:
        words = addresses.dictionary.to_pylist()
        if scope is not None:
            words = [f"{ip}%{scope}" if ip.startswith(LOOPBACK) else ip for ip in words]
        found = list(map(self._slots.get, words))
        if None in found:
            found = [self._slot(word) if slot is None else slot for slot, word in zip(found, words, strict=True)]
        of_word = np.array(found, np.int64)
        slots = of_word[addresses.indices.to_numpy()]
        ids, since = self._newest.of(slots, ports)
        odd = np.flatnonzero(times < since)
        for slot, rows in groups(slots[odd], odd):
            ids[rows] = self._odd_ids(slot, ports[rows], times[rows])
        return ids

    def _slot(self, word: str) -> int:
        slot = self._slots.get(word)
        if slot is None:
            slot = self._slots[word] = len(self._addresses)
            ip, _, scope = word.partition("%")
            self._addresses.append((ip, scope or None))
            if self._owners is not None and self._owners.is_local(ip):
                self._local[slot] = {}
            self._newest.make_room(slot)
        return slot

    def _odd_ids(self, slot: int, ports: npt.NDArray[np.uint16], times: Times) -> Ids:
        """Ids for rows of one address that need a look at its lines, or at who owns its ports."""
        if slot not in self._lines:
            self._draw_lines(slot)
        lines = self._lines[slot]
        ids = np.empty(len(ports), np.int32)
        for port, rows in groups(ports.astype(np.int64), np.arange(len(ports))):
            known = port if port in lines else ANY_PORT
            line = lines[known]
            holders = np.searchsorted(line.starts, times[rows], "right") - 1
            for holder, among in groups(holders, rows):
                ids[among] = self._held(slot, known, line, holder)
                if line.claims[holder] is None and slot in self._local:
                    self._owned(slot, port, times, among, ids)
        self._keep_newest(slot)
        return ids

    def _held(self, slot: int, port: int, line: Line, holder: int) -> int:
        if line.endpoints[holder] < 0:
            line.endpoints[holder] = self._new_endpoint(slot, port, line.claims[holder])
        return line.endpoints[holder]

    def _owned(self, slot: int, port: int, times: Times, rows: npt.NDArray[np.intp], ids: Ids) -> None:
        """Gives rows of one port of a local address the endpoints of its owners, where they are known."""
        if self._owners is None:
            return
        ip, moments = self._addresses[slot][0], times[rows]
        names = self._owners.owner(ip, port, int(moments.min()))
        if names == self._owners.owner(ip, port, int(moments.max())):
            if names is not None:
                ids[rows] = self._owner_endpoint(slot, names)
            return
        for row, moment in zip(rows.tolist(), moments.tolist(), strict=True):
            if (names := self._owners.owner(ip, port, moment)) is not None:
                ids[row] = self._owner_endpoint(slot, names)

    def _owner_endpoint(self, slot: int, names: Names) -> int:
        """One endpoint for all ports of a process: its clients have a new one each time."""
        of_slot = self._local[slot]
        if names not in of_slot:
            claim = Claim(ip_network(self._addresses[slot][0]), names, "process")
            of_slot[names] = self._endpoints.add(self._addresses[slot][0], ANY_PORT, claim).id
        return of_slot[names]

    def _keep_newest(self, slot: int) -> None:
        for port, line in self._lines[slot].items():
            newest = line.endpoints[-1]
            # Owners come and go unsaid: each row of theirs is looked up.
            since = line.starts[-1] if newest >= 0 and slot not in self._local else claim_book.STILL
            self._newest.keep(slot, port, newest, since)

    def _draw_lines(self, slot: int) -> None:
        """Draws the lines of an address anew and puts its endpoints on them again."""
        ip, scope = self._addresses[slot]
        by_port: dict[int | None, list[Claim]] = {None: []}
        for claim in self._book.of(parse_address(ip), scope):
            by_port.setdefault(claim.port, []).append(claim)
        on_any = by_port.pop(None)
        for port in self._lines.get(slot, ()):
            self._newest.drop(slot, port)
        self._lines[slot] = lines = {ANY_PORT: claim_book.line(on_any, None)}
        lines.update((port, claim_book.line(on_any + claims, port)) for port, claims in by_port.items() if port)
        for number in self._of_slot.get(slot, ()):
            endpoint = self._endpoints[number]
            if endpoint.port in lines:
                self._settle(endpoint, lines[endpoint.port])
        self._keep_newest(slot)

    def _settle(self, endpoint: Endpoint, line: Line) -> None:
        """Finds the endpoint's place: where its claim is, or, it being nameless, where all its rows are."""
        first, last = self._endpoints.span(endpoint.id)
        for number, claim in enumerate(line.claims):
            start, end = line.span(number)
            within = endpoint.claim is None and start <= first and last < end
            same = claim is not None and endpoint.claim is not None and _same_holder(claim, endpoint.claim)
            if line.endpoints[number] < 0 and (same or within):
                line.endpoints[number] = endpoint.id
                if claim != endpoint.claim:
                    self._endpoints.claimed(endpoint, claim)
                return

    def _new_endpoint(self, slot: int, port: int, claim: Claim | None) -> int:
        endpoint = self._endpoints.add(self._addresses[slot][0], port, claim)
        self._of_slot.setdefault(slot, []).append(endpoint.id)
        open_to_hints = claim is None or not claim.outranks_hints
        if open_to_hints and (heard := self._heard.pop(endpoint.ip, None)) is not None:
            endpoint.hear(heard)
        return endpoint.id

    def learn(
        self,
        exchanges: pa.RecordBatch,
        dst: Ids,
        dns_bodies: Callable[[pa.Array], tuple[pa.Array, pa.Array]] | None = None,
    ) -> None:
        """Takes the hints of a batch of exchanges that `ends` has named.

        Args:
            exchanges: the batch.
            dst: endpoint ids of its servers.
            dns_bodies: gives the response bodies of the rows of these numbers; called only if there is any DNS.
        """
        for endpoint, authority in hint_reader.served_hosts(exchanges, dst):
            self._endpoints.hint(endpoint, "host", authority)
        if dns_bodies is not None and len(rows := self._dns.rows(exchanges)):
            part = exchanges.select(["time", "target"]).take(rows)
            for hint in self._dns.hints(part["time"], part["target"], dns_bodies(rows)):
                self._hear(hint)

    def learn_servers(self, connections: pa.RecordBatch, dst: Ids) -> None:
        """Takes the TLS server names of a batch of connections that `ends` has named."""
        for endpoint, name in hint_reader.distinct_pairs(dst, connections["server_name"]):
            self._endpoints.hint(endpoint, "sni", name)

    def _hear(self, hint: hint_reader.DnsHint) -> None:
        """A DNS answer: for the holder at its time, or for the first one if nobody has called the address yet."""
        slot = self._slots.get(hint.address)
        holder = self._holder(slot, hint.time) if slot is not None else None
        if holder is not None:
            self._endpoints.hint(holder, "dns", hint.asked)
            self._endpoints.hint(holder, "owner", hint.canonical)
            return
        if len(self._heard) >= MAX_HEARD and hint.address not in self._heard:
            self._heard.pop(next(iter(self._heard)))
        heard = self._heard.setdefault(hint.address, Hints())
        heard.add("dns", hint.asked)
        heard.add("owner", hint.canonical)

    def _holder(self, slot: int, time: int) -> int | None:
        if slot not in self._lines:
            return None
        line = self._lines[slot][ANY_PORT]
        found = line.endpoints[line.at(time)]
        return found if found >= 0 else None

    def may_get_a_name(self, number: int) -> bool:
        """Whether an endpoint is one of the inside that nobody claims; it may be claimed yet."""
        return self._endpoints.may_get_a_name(number)

    def changes(self) -> pa.Table:
        """Rows (columns of the store's endpoint table) of endpoints that are new or changed since the last call."""
        return self._endpoints.changes()


@lru_cache(4096)
def _text(network: Network) -> str:
    return str(network.network_address)


def _same_holder(one: Claim, other: Claim) -> bool:
    """Whether a claim is another's newer state: it may have ended, or more names be known."""
    return (one.source, one.network, one.port, one.start) == (other.source, other.network, other.port, other.start)
