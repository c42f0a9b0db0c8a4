"""What every front end reads: a saved session, a capture just read and (later) a live collector look alike.

Lists come as Arrow tables with names already resolved (times with ns, which Python's datetime can't hold: cast them to
int64 before `to_pylist`), single records as the dataclasses of `tapper.model.records`. A
filter (`where`) is CEL text everywhere, so that it can cross a network and be shown to the user; a wrong one raises the
error of `tapper.filter`. All calls are synchronous and may be made from any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import pyarrow as pa

    from tapper.model.records import Exchange, Message


class FeedError(Exception):
    """Something the user asked for can't be had; the message says what and what to do."""


class NotFoundError(FeedError):
    """No such record."""


class AmbiguousError(FeedError):
    """A shortened id fits several records; `ids` has some of them."""

    def __init__(self, message: str, ids: tuple[str, ...]) -> None:
        super().__init__(message)
        self.ids = ids


class SlowError(FeedError):
    """The answer took longer than allowed."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time in ns since the epoch, `start` included, `end` not; None: without that limit."""

    start: int | None = None
    end: int | None = None


ALWAYS = Span()


@dataclass(frozen=True, slots=True)
class Key:
    """The place of a row in a page's order, to go on from: `value` of the order column, `id` where values are equal."""

    value: int | str | None
    id: str


@dataclass(frozen=True, slots=True)
class Query:
    """Which exchanges, in which order, which columns of them.

    `order` is any column of `rows.EXCHANGE_ROW`; nulls come last, rows of equal value by id.
    """

    where: str = ""
    span: Span = ALWAYS
    order: str = "time"
    descending: bool = False
    limit: int = 100
    offset: int = 0
    after: Key | None = None
    columns: tuple[str, ...] = ()
    """Columns of `rows.EXCHANGE_ROW` and `rows.PAYLOAD_ROW`; empty: all of EXCHANGE_ROW."""


@dataclass(frozen=True, slots=True)
class ConnectionQuery:
    """Which connections. `order` is any column of `rows.CONNECTION_ROW`; failed are refused, unanswered, reset."""

    where: str = ""
    """Over the fields that connections have too: protocol, src.*, dst.*, time, connection; others are refused."""
    span: Span = ALWAYS
    failed_only: bool = False
    failed_first: bool = False
    order: str = "time"
    descending: bool = False
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where records came from."""

    name: str
    """Path of a capture file, or name of an agent."""
    bytes: int | None = None
    problem: str | None = None
    """Why it could not be read, or not to its end."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is missing, and where it went missing."""

    stage: str
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What is there at all; the facts that a front end needs to say why it is empty."""

    exchanges: int
    connections: int
    messages: int
    endpoints: int
    first_ns: int | None
    last_ns: int | None
    """Over exchanges and connections."""
    protocols: dict[str, int]
    """Exchanges by protocol, most first."""
    outcomes: dict[str, int]
    """Exchanges by outcome."""
    states: dict[str, int]
    """Connections by state."""
    unparsed: dict[str, int]
    """Connections without an exchange by protocol ("unknown", "tls"), most first."""
    reasons: dict[str, int]
    """Why connections are unparsed, most first, at most 20."""
    packets: int
    """Packets that the source gave."""
    losses: tuple[Loss, ...]
    """Counters that tell of a loss and are not 0."""
    sources: tuple[Source, ...] = ()
    redacted: bool = True
    heads: bool = True
    bodies: bool = True
    complete: bool = True
    """False: the session was cut while it was written (crash), or is still being written."""
    forgotten: int = 0
    """Exchanges that retention dropped."""


@dataclass(frozen=True, slots=True)
class AgentState:
    """An agent as the collector knows it."""

    name: str
    node: str | None
    state: str
    """ready, starting, lost (no word for some seconds), failed, ended."""
    since_ns: int
    """When it came into this state."""
    problem: str | None = None
    """Why it is not ready, and what to do."""
    sources: int = 0
    """Interfaces and network namespaces that it reads."""
    packets: int = 0
    dropped: int = 0
    """Packets that the kernel dropped because the ring was full."""
    shipped: int = 0
    """Records sent."""
    lost: int = 0
    """Records that its spool or its budget gave up."""
    spooled_bytes: int = 0
    skew_ns: int | None = None
    """How far its clock is ahead of the collector's."""
    shedding: str | None = None
    """What it leaves out to keep within its budget, in words: "bodies", "7 of 8 connections"."""
    cpu: float | None = None
    """Cores in use, over the last seconds."""
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class TargetState:
    """Something that is tapped: a pod, a process, an interface."""

    name: str
    """In its namespace, if it has one."""
    kind: str
    namespace: str | None = None
    node: str | None = None
    state: str = "tapped"
    """waiting, tapped, failed, gone."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How the way from packets to records is; `Summary` has what came of it."""

    live: bool = False
    """Whether more can come."""
    title: str = ""
    """What is tapped or read, short: "shop/orders", "eth0", "shop.pcap"."""
    started_ns: int | None = None
    agents: tuple[AgentState, ...] = ()
    targets: tuple[TargetState, ...] = ()
    rate: float | None = None
    """Exchanges per second, over the last seconds; None: not live."""
    hints: tuple[str, ...] = ()
    """What a person should know or do now, most pressing first, each a sentence or two."""
    disconnected_ns: int | None = None
    """Since when the collector can't be reached; None: it can. What was seen before can still be asked for."""


@dataclass(frozen=True, slots=True)
class Map:
    """A service map as tables of `tapper.model.edges`: NODE and EDGE."""

    nodes: pa.Table
    edges: pa.Table
    level: str
    span: Span = ALWAYS
    """The time that rates refer to: as asked, or from the first to the last record looked at; at least 1 s."""
    approximate: bool = False
    """Whether percentiles are up to 0.5 % too high: there were too many calls to hold all latencies."""


class Feed(Protocol):
    """Records to look at. Close it, or use it as a context manager."""

    def summary(self) -> Summary:
        """Counts and facts of all that is there."""

    def health(self) -> Health:
        """Whether more can come, from whom, and what is in the way."""

    def revision(self) -> int:
        """Grows when something was recorded or forgotten: unchanged, every answer is as before. Cheap; never 0."""

    def page(self, query: Query) -> pa.Table:
        """Some exchanges with names, columns as asked."""

    def count(self, where: str = "", span: Span = ALWAYS) -> int:
        """Number of exchanges that match."""

    def exchange(self, exchange_id: str) -> Exchange:
        """One exchange in full, with its first 1,000 messages.

        Args:
            exchange_id: a UUID with or without dashes, or a unique beginning or end of it, 4 digits or more.

        Raises:
            NotFoundError: no exchange has it.
            AmbiguousError: several have.
        """

    def messages(self, exchange_id: str, offset: int = 0, limit: int = 1000) -> tuple[Message, ...]:
        """Messages of an exchange in their order."""

    def connections(self, query: ConnectionQuery) -> pa.Table:
        """Connections (rows.CONNECTION_ROW)."""

    def count_connections(self, query: ConnectionQuery) -> int:
        """Number of connections that match; limit and offset don't count."""

    def edges(self, level: str = "service", where: str = "", span: Span = ALWAYS) -> Map:
        """The service map at a level of `tapper.model.edges.LEVELS`.

        Connections without an exchange make edges too (refused, unanswered, not parsed). With a filter that can't be
        asked of a connection (`status >= 500`), only the connections of the exchanges that match are counted.
        """

    def timeline(
        self,
        level: str = "service",
        where: str = "",
        span: Span = ALWAYS,
        buckets: int = 60,
        nodes: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Figures of edges over time (rows.TIMELINE), for sparklines; `nodes`: of one edge (numbers of `edges`)."""

    def timeline_sums(self, where: str = "", span: Span = ALWAYS, buckets: int = 60) -> pa.Table:
        """Calls and errors of all edges together over time (rows.TIMELINE_SUMS): at most `buckets` rows."""

    def values(self, column: str, where: str = "", span: Span = ALWAYS, limit: int = 20) -> pa.Table:
        """Values of a column (`value`, text) and how many exchanges have them (`count`), most first, for facets."""

    def counters(self) -> pa.Table:
        """The newest value of each counter (schema.COUNTER, text instead of words)."""

    def batches(self, query: Query) -> Iterator[pa.Table]:
        """All that match, in the order asked for, in tables of bounded size, for exports; `limit` 0: no limit."""

    def follow(self, where: str = "", columns: tuple[str, ...] = ()) -> Iterator[pa.Table]:
        """Exchanges that match as they come; a higher revision replaces a row of the same id. Ends if none can come.

        Of a live feed those recorded after the call, and an empty table at least every second while nothing comes, so
        that the caller can look whether it is still wanted; of any other all that is there.
        """

    def packets(self, exchange_id: str) -> bytes:
        """The packets of the exchange's connection around its time, as pcapng.

        Raises:
            NotFoundError: no exchange has that id.
            FeedError: the packets were not kept; the message says how to keep them.
        """

    def close(self) -> None:
        """Gives back what it holds; a temporary session is removed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
