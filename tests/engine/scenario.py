"""Scenario files: what they may say, and reading them. `tests/scenarios/README.md` describes the format."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.ends import End
from tests.engine.payload import ScenarioError, payload

ROOT = Path(__file__).parent.parent / "scenarios"

START = 1_767_225_600_000_000_000
"""Time of the first packet of every scenario: 2026-01-01 00:00:00 UTC, ns."""

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000}


def duration(text: str) -> int:
    """Nanoseconds of `2.5ms`."""
    for unit in ("ns", "us", "ms", "s", "m"):
        if text.endswith(unit):
            return round(float(text[: -len(unit)]) * UNITS[unit])
    raise ScenarioError(f"{text!r} is no duration: write it like 20us, 1.5ms, 3s, 10m")


@dataclass(frozen=True)
class Address:
    """One end of a connection."""

    ip: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """From `10.0.0.1:80` or `[fd00::1]:80`."""
        ip, _, port = text.rpartition(":")
        return cls(ip.strip("[]"), int(port))


@dataclass(frozen=True)
class Connection:
    """Two ends, and how packets between them look."""

    name: str
    client: Address
    server: Address
    transport: str = "tcp"
    handshake: bool = True
    acks: bool = True
    client_seq: int = 1_000_000
    server_seq: int = 5_000_000
    mss: int = 1448
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """Something that happens on a connection; the fields are the keys of `[[event]]`."""

    on: Connection
    side: str | None = None
    payload: bytes = b""
    flags: str | None = None
    after: int = 1_000_000
    split: tuple[int, ...] = ()
    drop: frozenset[int] = frozenset()
    duplicate: frozenset[int] = frozenset()
    delay: int = 0
    delayed: frozenset[int] = frozenset()
    at: int | None = None
    shift: int | None = None
    ack: int | None = None
    acked: bool | None = None
    window: int = 512
    close: str | None = None
    unreachable: str | None = None
    frame: bytes | None = None

    @property
    def loses(self) -> bool:
        """Whether it makes something unseen, or seen out of its order, already."""
        return bool(self.drop or self.delay or self.shift is not None or self.at is not None)


@dataclass(frozen=True)
class Capture:
    """How the packets are captured."""

    snaplen: int = 0
    cut_file: int = 0
    garbage: bytes = b""
    skip: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A file of `tests/scenarios`."""

    path: Path
    title: str
    connections: tuple[Connection, ...]
    events: tuple[Event, ...]
    capture: Capture
    options: dict[str, Any]
    expect: dict[str, Any]

    @property
    def name(self) -> str:
        """Its path without ending."""
        return self.path.relative_to(ROOT).with_suffix("").as_posix()


ALL = frozenset(range(1 << 12))
"""Stands for all packets of an event."""

EVENT_KEYS = {
    *("on", "client", "server", "pause", "close", "unreachable", "frame"),
    *("body", "length", "encode", "chunks", "chunk_extension", "trailers", "damage"),
    *("flags", "after", "split", "drop", "duplicate", "delay", "delayed", "at", "shift", "ack", "acked", "window"),
}
KINDS = ("client", "server", "pause", "close", "unreachable", "frame")
EXPECT_KEYS = {"exchange", "message", "connection", "counters", "error", "never"}


def check(table: dict[str, Any], known: set[str] | dict[str, Any], what: str) -> None:
    """Refuses keys that nobody reads."""
    if unknown := sorted(set(table) - set(known)):
        raise ScenarioError(f"{what}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def chosen(value: bool | list[int]) -> frozenset[int]:
    """The packets that an option names: all, none, or these."""
    if isinstance(value, bool):
        return ALL if value else frozenset()
    return frozenset(value)


def damaged(data: bytes, changes: dict[str, str]) -> bytes:
    """With other bytes (hex) at these places."""
    made = bytearray(data)
    for at, text in changes.items():
        other = bytes.fromhex(text)
        if int(at) + len(other) > len(data):
            raise ScenarioError(f"damage at {at} is behind the {len(data)} bytes")
        made[int(at) : int(at) + len(other)] = other
    return bytes(made)


def read_connection(number: int, table: dict[str, Any]) -> Connection:
    """A `[[connection]]`."""
    check(table, Connection.__dataclass_fields__, "[[connection]]")
    port = 53 if table.get("transport") == "udp" else 80
    ends = {
        "client": Address.parse(table.get("client", f"10.0.0.1:{40_001 + number}")),
        "server": Address.parse(table.get("server", f"10.0.0.2:{port}")),
    }
    rest = {key: tuple(value) if key == "via" else value for key, value in table.items() if key not in ends}
    return Connection(**({"name": str(number)} | rest | ends))


def read_event(
    table: dict[str, Any], connections: dict[str, Connection], folder: Path, ends_of: dict[tuple[str, str], End]
) -> Event:
    """An `[[event]]`."""
    check(table, EVENT_KEYS, "[[event]]")
    kinds = [key for key in KINDS if key in table]
    if len(kinds) != 1:
        raise ScenarioError(f"[[event]] {table}: must have exactly one of {', '.join(KINDS)}")
    kind = kinds[0]
    on = connections[table["on"]] if "on" in table else next(iter(connections.values()))
    made: dict[str, Any] = {"on": on}
    if kind in ("client", "server"):
        data = payload(table, kind, on.transport, folder, ends_of[on.name, kind])
        made |= {"side": kind, "payload": damaged(data, table.get("damage", {}))}
    elif kind == "pause":
        made["after"] = duration(table["pause"])
    elif kind == "frame":
        made["frame"] = bytes.fromhex(table["frame"])
    else:
        made[kind] = table[kind]
    for key in ("flags", "at", "shift", "ack", "acked", "window"):
        if key in table:
            made[key] = table[key]
    for key in ("after", "delay"):
        if key in table:
            made[key] = duration(table[key])
    for key in ("drop", "duplicate", "delayed"):
        if key in table:
            made[key] = chosen(table[key])
    if "split" in table:
        split = table["split"]
        made["split"] = (split,) * (len(made["payload"]) // split + 1) if isinstance(split, int) else tuple(split)
    return Event(**made)


def read(path: Path) -> Scenario:
    """Reads a scenario file.

    Raises:
        ScenarioError: the file says something unknown or senseless.
    """
    with path.open("rb") as file:
        table = tomllib.load(file)
    try:
        check(table, {"title", "options", "capture", "connection", "event", "expect"}, "scenario")
        capture = dict(table.get("capture", {}))
        check(capture, Capture.__dataclass_fields__, "[capture]")
        if "garbage" in capture:
            capture["garbage"] = bytes.fromhex(capture["garbage"])
        for key in ("skip", "may_change"):
            capture[key] = tuple(capture.get(key, ()))
        expect = table.get("expect", {})
        check(expect, EXPECT_KEYS, "[expect]")
        listed = [read_connection(i, c) for i, c in enumerate(table.get("connection", [{}]))]
        connections = {c.name: c for c in listed}
        ends_of: dict[tuple[str, str], End] = defaultdict(End)
        return Scenario(
            path,
            table["title"],
            tuple(listed),
            tuple(read_event(e, connections, path.parent, ends_of) for e in table.get("event", [])),
            Capture(**capture),
            table.get("options", {}),
            expect,
        )
    except (ScenarioError, KeyError, TypeError, ValueError) as error:
        raise ScenarioError(f"{path}: {error!r}") from error


def scenarios() -> list[Path]:
    """All scenario files."""
    return sorted(ROOT.rglob("*.toml"))
