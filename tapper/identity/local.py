"""Names on one machine: which process had an address and port at a time, and /etc/hosts.

A thread hears each TCP connection that this machine opens and looks at once who opened it, for a short-lived client is
gone a few milliseconds later; another lists all sockets now and then, for those that were there before. What this may
cost is bounded: beyond the budget, clients go unnamed, and are counted.

Open it before the tap, so that what connects while the tap opens is named too, and close it after; an `Identity` asks
it for the rows of this machine's addresses:

    with LocalNames() as owners:
        identity = Identity((*claims, *hosts()), owners=owners)

`hosts()` goes after what was given by hand. What DNS answered, an `Identity` learns from the traffic by itself. Without
root only one's own processes are found. Linux only: elsewhere sock_diag is missing, which is an OSError.
"""

from __future__ import annotations

import ipaddress
import os
import time
from bisect import bisect_right
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread, get_native_id
from typing import TYPE_CHECKING, Self

from tapper.identity.names import Claim, Names, host_name
from tapper.identity.processes import Processes
from tapper.identity.sockets import Connects, SocketTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from tapper.identity.sockets import Socket

MAX_PORTS = 65_536
"""Addresses and ports that are remembered; the one longest not looked for goes."""
MAX_HOLDERS = 8
"""Of one port, one after another."""
LIST_SECONDS = 1.0
"""Between two lists of all sockets."""
BUDGET = 0.05
"""Share of a core for finding the processes of new sockets."""
FIRST = -10
"""Niceness of hearing: where everything is busy, a client is gone before a turn comes."""
BURST = 0.25
"""Seconds that may be spent at once after a quiet time."""
BEFORE_LIST_NS = 2_000_000_000
BEFORE_SYN_NS = 50_000_000
"""A socket was found so much later than its first packet at most."""
MAX_HOSTS = 1 << 20
"""Bytes of /etc/hosts that are read."""
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104  nothing is bound to it here
ANY = ""


@dataclass(slots=True)
class Holder:
    """Who had a port from `start` on; names None: nobody that is known."""

    start: int
    names: Names | None
    inode: int = 0
    listens: bool = False


class LocalNames:
    """Who owned the sockets of this machine. Close it, or use it as a context manager.

    Args:
        namespace: path of a network namespace; None: our own.

    Raises:
        OSError: the namespace can't be entered.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self._table = SocketTable(namespace)
        self._exact = SocketTable(namespace)
        self._connects: Connects | None = None
        with suppress(OSError):  # without the right to capture, only what lives for a second is named
            self._connects = Connects(namespace)
        self._processes = Processes()
        self._lock = Lock()
        self._ports: OrderedDict[tuple[str, int], list[Holder]] = OrderedDict()
        self._addresses: set[str] = set()
        self.spent = 0.0
        """Seconds of finding processes so far."""
        self.missed = 0
        """New sockets whose process was not looked for (budget), or not found (gone)."""
        self._left, self._filled = BURST, time.monotonic()
        self._stop = Event()
        self._list()
        self._threads = [Thread(target=self._listing, name="list-sockets", daemon=True)]
        if self._connects is not None:
            self._threads.append(Thread(target=self._hearing, name="hear-connects", daemon=True))
        for thread in self._threads:
            thread.start()

    def is_local(self, ip: str) -> bool:
        """Whether the address is one of this machine's."""
        return ip in self._addresses or ip.startswith("127.") or ip == "::1"

    def owner(self, ip: str, port: int, time_ns: int) -> Names | None:
        """Who had a port of this machine at a time (ns since the epoch); None: not known."""
        with self._lock:
            for key in ((ip, port), (ANY, port)):
                holders = self._ports.get(key)
                if holders is None or not self.is_local(ip):
                    continue
                self._ports.move_to_end(key)
                number = bisect_right(holders, time_ns, key=lambda holder: holder.start) - 1
                if number >= 0 and holders[number].names is not None:
                    return holders[number].names
        return None

    def _hearing(self) -> None:
        with suppress(OSError):  # without the right to, it comes later; what it may spend is bounded anyway
            os.setpriority(os.PRIO_PROCESS, get_native_id(), FIRST)
        while self._connects is not None and not self._stop.is_set():
            with suppress(OSError):
                connect = self._connects.next()
                if connect is None:
                    continue
                now, began = time.time_ns(), time.thread_time()
                found = self._exact.find(*connect)
                if found is not None:
                    self._take([found], now - BEFORE_SYN_NS)
                if self._pay(time.thread_time() - began) < 0:
                    self._stop.wait(-self._left / BUDGET)  # the kernel drops what comes meanwhile

    def _pay(self, seconds: float) -> float:
        """Takes from the budget; gives what is left of it."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._filled) * BUDGET, BURST) - seconds
        self._filled = now
        self.spent += seconds
        return self._left

    def _listing(self) -> None:
        while not self._stop.wait(LIST_SECONDS):
            with suppress(OSError):
                self._list()

    def _list(self) -> None:
        now, began = time.time_ns(), time.thread_time()
        fresh, inodes = self._table.read()
        self._addresses = self._table.addresses()
        self._take(fresh, now - BEFORE_LIST_NS)
        with self._lock:
            for holders in self._ports.values():
                last = holders[-1]
                if last.inode and last.inode not in inodes and last.start < now - BEFORE_LIST_NS:
                    holders.append(Holder(now, None))
                    del holders[:-MAX_HOLDERS]
        self.spent += time.thread_time() - began

    def _take(self, sockets: Iterable[Socket], start: int) -> None:
        """Finds the processes of new sockets."""
        with self._lock:
            # What a listener accepted is its process's.
            wanted = [s for s in sockets if s.listens or not (self._listens(s.ip, s.port) or self._has(s))]
            taken = {s.port for s in wanted if s.listens}
            wanted = [s for s in wanted if s.listens or s.port not in taken]
        owners = self._processes.owners({found.inode for found in wanted}) if wanted else {}
        self.missed += len({found.inode for found in wanted} - owners.keys())
        with self._lock:
            for found in wanted:
                if (names := owners.get(found.inode)) is not None:
                    self._hold(found, Holder(start, names, found.inode, found.listens))

    def _listens(self, ip: str, port: int) -> bool:
        return any((held := self._ports.get(key)) is not None and held[-1].listens for key in ((ip, port), (ANY, port)))

    def _has(self, found: Socket) -> bool:
        held = self._ports.get((found.ip, found.port))
        return held is not None and held[-1].inode == found.inode

    def _hold(self, found: Socket, holder: Holder) -> None:
        key = (ANY if found.ip in WILDCARDS else found.ip, found.port)
        holders = self._ports.setdefault(key, [])
        while holders and holders[-1].start >= holder.start and holders[-1].names is None:
            holders.pop()
        if holders:
            holder.start = max(holder.start, holders[-1].start + 1)
        holders.append(holder)
        del holders[:-MAX_HOLDERS]
        if len(self._ports) > MAX_PORTS:
            self._ports.popitem(last=False)

    def close(self) -> None:
        """Ends its threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for end in (self._table, self._exact, self._connects):
            if end is not None:
                end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The owners of several network namespaces as one.

    Rows don't tell of which namespace they are. So where two of them have the same address and port at one time,
    loopback's mostly, and not the same names for it, it has none: no name is better than a wrong one.
    """

    parts: Sequence[LocalNames]

    def is_local(self, ip: str) -> bool:
        """See LocalNames."""
        return any(part.is_local(ip) for part in self.parts)

    def owner(self, ip: str, port: int, time_ns: int) -> Names | None:
        """See LocalNames."""
        found = {part.owner(ip, port, time_ns) for part in self.parts} - {None}
        return found.pop() if len(found) == 1 else None


def hosts(path: Path = Path("/etc/hosts")) -> list[Claim]:
    """The names that /etc/hosts gives to addresses (hosts(5)); none for loopback, which every machine calls alike."""
    claims = []
    with suppress(OSError), path.open("rb") as file:
        for line in file.read(MAX_HOSTS).decode("utf-8", "replace").splitlines():
            ip, *names = line.partition("#")[0].split() or [""]
            with suppress(ValueError):
                address = ipaddress.ip_address(ip)
                name = next(filter(None, map(host_name, names)), None)
                if name and not (address.is_loopback or address.is_multicast or address.is_unspecified):
                    claims.append(Claim(ipaddress.ip_network(address), Names(name=name), "hosts"))
    return claims
