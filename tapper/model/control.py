"""Control messages between agents and the collector: JSON with a "type", as text frames of their WebSocket. Pure.

An agent connects, says `Hello`, and is told `Welcome` or `Refusal`. Then it sends shipments (binary frames, see `wire`)
and `Status`. The collector sends `Ack` once a shipment is kept for good, `Probe` to compare clocks, and what the agent
shall do: `Targets`, `Exclude`, `Shed`, `Stop`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from tapper.model.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Of this protocol; beside it, agents say which `schema.SCHEMA_VERSION` their records have."""
PATH = "/agent/v1"
"""Of the WebSocket at the collector."""

MAX_CONTROL = 1 << 20  # some thousand targets
MAX_TEXT = 4096
MAX_LIST = 10_000
MAX_ADDRESSES = 1024
"""Of a node: it has a dozen, and one for each service where services are balanced by IPVS."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The agent's first word."""

    agent: str
    """Its name, the same after a restart: the node's, the host's."""
    boot: str
    """Random, another after each start."""
    schema_version: int
    version: int = VERSION
    made_by: str = ""
    """Version of tapper."""
    node: str | None = None
    started_ns: int = 0
    addresses: tuple[str, ...] = ()
    """Of the node, on any of its interfaces; at most MAX_ADDRESSES."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to tap, found by the agent itself in /proc; no container runtime is asked.

    `kind` and `value`:
        interface: name of an interface of the agent's own network namespace ("" : all)
        pid: number of a process: its network namespace
        netns: path of a network namespace
        pod: UID of a pod: the namespace of any process in a cgroup of that pod
        container: id of a container, the same way
        file: path of a capture, read as if it were live
    """

    kind: str
    value: str
    name: str = ""
    """As people call it: "shop/orders-7d9f"; empty: `value`."""
    namespace: str | None = None
    node: str | None = None
    """Agents of other nodes leave it alone; None: for all."""
    interface: str | None = None
    """Only this interface of the namespace; None: all."""
    ports: tuple[int, ...] = ()
    """Only these ports; empty: all."""
    own_network: bool = False
    """Of a pod: its network namespace is not the node's, where a process of it may still be while it is made."""


TARGET_KINDS = ("interface", "pid", "netns", "pod", "container", "file")


@dataclass(frozen=True, slots=True)
class End:
    """An IP address ("0.0.0.0" and "::": any) and a port."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """How to record; the same for all agents of a collector."""

    heads: bool = True
    bodies: bool = True
    body_limit: int = 65_536
    redact: bool = True
    redact_key: str | None = None
    """32 hex digits; equal keys give equal marks, whichever agent saw the secret."""
    redact_names: tuple[str, ...] = ()
    exclude: tuple[End, ...] = ()
    """Ends whose traffic is left out: the collector's own, which would feed on itself."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The collector takes the agent."""

    collector: str
    """Id of its session: another one has none of the agent's shipments."""
    seq: int
    """Highest number of this boot that is kept for good; -1: none."""
    settings: Settings
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The collector does not take the agent, and never will as it is."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Ack:
    """All shipments up to this one are kept for good."""

    seq: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks for the agent's clock."""

    sent_ns: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The agent's clock when the probe came, and the probe's own time."""

    sent_ns: int
    clock_ns: int


@dataclass(frozen=True, slots=True)
class Targets:
    """What to tap from now on; those not in it any more are let go."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Exclude:
    """Ends whose traffic is left out from now on, as in Settings."""

    ends: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Shed:
    """How much to leave out at least: 0 nothing, 1 bodies, then all but one connection of 2, 4, 8 ..."""

    level: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End in order: ship what there is, then leave."""


@dataclass(frozen=True, slots=True)
class Bye:
    """The agent ends in order; nothing more comes."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What the agent says of one target."""

    target: Target
    state: str
    """waiting, tapped, failed, gone."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """How the agent is, about once a second. Counts are since its start."""

    sources: tuple[SourceStatus, ...] = ()
    reading: int = 0
    """Sources that are open."""
    packets: int = 0
    ring_drops: int = 0
    records: int = 0
    """Records made."""
    lost_records: int = 0
    """Of them, those that were given up before they were acknowledged."""
    oversized_records: int = 0
    """Of those, the ones that no shipment could hold."""
    spooled_records: int = 0
    spooled_bytes: int = 0
    shed: int = 0
    """The level, see Shed."""
    cpu: float = 0.0
    memory_bytes: int = 0
    problem: str | None = None


UP = {cls.__name__: cls for cls in (Hello, Clock, Status, Bye)}
DOWN = {cls.__name__: cls for cls in (Welcome, Refusal, Ack, Probe, Targets, Exclude, Shed, Stop)}

Up = Hello | Clock | Status | Bye
Down = Welcome | Refusal | Ack | Probe | Targets | Exclude | Shed | Stop


def encode(message: Up | Down) -> str:
    """A control message as the text of a frame."""
    return json.dumps({"type": type(message).__name__, **_plain(message)}, separators=(",", ":"))


def decode_up(text: str) -> Up:
    """What an agent says.

    Raises:
        WireError: it is nothing that an agent may say.
    """
    made: Up = _decode(text, UP)
    return made


def decode_down(text: str) -> Down:
    """What a collector says.

    Raises:
        WireError: it is nothing that a collector may say.
    """
    made: Down = _decode(text, DOWN)
    return made


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _decode(text: str, known: Mapping[str, type]) -> Any:
    if len(text) > MAX_CONTROL:
        raise WireError(f"a control message of {len(text)} characters; at most {MAX_CONTROL} are taken")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("a control message that is not JSON") from error
    kind = known.get(str(data.pop("type", None))) if isinstance(data, dict) else None
    if kind is None:
        raise WireError("a control message of unknown type")
    return _checked(kind, data, kind.__name__)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _checked(kind: Any, data: Any, where: str) -> Any:
    """The value as that type; further keys of objects are left out, so that newer versions may say more."""
    if isinstance(kind, UnionType):
        if data is None:
            return None
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is tuple:
        if not isinstance(data, list) or len(data) > MAX_LIST:
            raise WireError(f"{where} must be a list of at most {MAX_LIST}")
        return tuple(_checked(get_args(kind)[0], item, where) for item in data)
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(data, dict):
            raise WireError(f"{where} must be an object")
        hints = _hints(kind)
        try:
            return kind(
                **{name: _checked(hints[name], data[name], f"{where}.{name}") for name in hints if name in data}
            )
        except TypeError as error:
            raise WireError(f"{where} lacks something") from error
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        data = float(data)
    if type(data) is not kind:
        raise WireError(f"{where} must be {kind.__name__}")
    if (isinstance(data, str) and len(data) > MAX_TEXT) or (isinstance(data, int) and not -(1 << 63) <= data < 1 << 63):
        raise WireError(f"{where} is too large")
    return data
