"""Calls that two ends saw, as shipments of the agents at these ends, and what keeps them, step by step."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tapper.collector.keeper import Item, Keeper
from tapper.feed.live import Log
from tapper.identity.index import Identity
from tapper.model.wire import NARROW, PARTS, Shipment, pack
from tapper.store.meta import Meta
from tapper.store.partitions import Retention
from tapper.store.session import Session
from tests.store.records import MS, SCHEMA_MESSAGES, T0, engine_batch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tapper.identity.names import Claim

VIP, POD = "10.96.0.7", "10.0.2.9"
WAY = 300_000


def view(number: int, side: str, *, latency: int = 5 * MS, skew: int = 0, **changes: Any) -> dict[str, Any]:
    """Call `number` as the client or the server saw it: DNAT lies between, and the way takes time."""
    client = side == "client"
    return {
        "id": number * 2 + client + 1,
        "time": T0 + number * MS + (0 if client else WAY // 2 + skew),
        "operation": "GET",
        "target": f"/{number}",
        "status": 200,
        "latency_ns": latency + (WAY if client else 0),
        "wait_ns": latency // 2 + (WAY if client else 0),
        "src_ip": "10.0.1.4",
        "src_port": 40_000 + number % 20_000,
        "dst_ip": VIP if client else POD,
        "dst_port": 80 if client else 8080,
        "connection": 1000 + number if client else 5000 + number,
        "request_seq": (number * 7919) % 2**32,
        "response_seq": (number * 104_729 + 5) % 2**32,
        "request_headers": [("x-side", side)],
        **changes,
    }


def shipment(seq: int, source: str = "eth0", **parts: Any) -> Shipment:
    """One of rows as `tests.store.records.engine_batch` takes them."""
    made = engine_batch(**parts)
    packed = {}
    for part in PARTS:
        value = getattr(made, part)
        if value is not None:
            packed[part] = pack(value) if part in NARROW else value
    return Shipment.decode(Shipment(seq, source, T0, T0, seq, packed).encode())


@dataclass
class Steps:
    """A keeper, and what came of its steps."""

    keeper: Keeper
    session: Session
    log: Log
    acks: dict[tuple[str, str], int] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def step(self, *came: tuple[str, Shipment]) -> None:
        """Shipments of agents that came within one step."""
        self.keeper.step([Item(agent, "b", one, 100, self.refusals.append) for agent, one in came])

    def finish(self) -> None:
        """Steps until nothing waits."""
        self.step()
        self.step()

    def rows(self, columns: str = "*") -> list[dict[str, Any]]:
        """Exchanges with their ends."""
        listed: list[dict[str, Any]] = self.session.query(
            f"SELECT {columns} FROM (SELECT e.*, s.ip AS src_ip, d.ip AS dst_ip, v.ip AS dialled_ip FROM exchange e"
            " JOIN endpoint s ON s.id = e.src JOIN endpoint d ON d.id = e.dst LEFT JOIN endpoint v ON v.id = e.dialled)"
            " ORDER BY target, latency_ns"
        ).to_pylist()
        return listed


@contextmanager
def steps(path: Path, retention: Retention | None = None, claims: tuple[Claim, ...] = ()) -> Iterator[Steps]:
    """In a new session, or in one that is there."""
    session = Session.resume(path) if path.exists() else Session.create(path, Meta("test", "now"))
    acks: dict[tuple[str, str], int] = {}
    with session:
        log = Log()
        newest = session.query("SELECT coalesce(max(id), -1) AS id FROM endpoint")["id"][0].as_py()
        keeper = Keeper(
            session,
            SCHEMA_MESSAGES,
            Identity(claims, first_id=newest + 1),
            retention or Retention(),
            log,
            lambda kept: acks.update({key: seq for key, (seq, _) in kept.items()}),
        )
        made = Steps(keeper, session, log, acks)
        yield made
        keeper.abandon()
