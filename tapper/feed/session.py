"""The feed of a session: saved, or just read from a capture."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tapper.feed import detail, overview, packets, pages, streams
from tapper.feed.interface import ALWAYS, ConnectionQuery, FeedError, Health, Map, Query, Span, Summary
from tapper.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import pyarrow as pa

    from tapper.model.records import Exchange, Message


class SessionFeed:
    """`Feed` over a session's store. Give it what else is to be closed with it (a temporary directory) as `owned`."""

    def __init__(self, session: Session, owned: ExitStack | None = None) -> None:
        self.session = session
        self._owned = owned or ExitStack()

    def summary(self) -> Summary:
        """See Feed."""
        return overview.summary(self.session)

    def health(self) -> Health:
        """See Feed: nothing more can come."""
        return Health(title=", ".join(Path(source.name).name for source in overview.sources(self.session)))

    def revision(self) -> int:
        """See Feed."""
        return 1 + self.session.commits

    def page(self, query: Query) -> pa.Table:
        """See Feed."""
        return pages.page(self.session, query)

    def count(self, where: str = "", span: Span = ALWAYS) -> int:
        """See Feed."""
        return pages.count(self.session, where, span)

    def exchange(self, exchange_id: str) -> Exchange:
        """See Feed."""
        return detail.exchange(self.session, exchange_id)

    def messages(self, exchange_id: str, offset: int = 0, limit: int = detail.SHOWN_MESSAGES) -> tuple[Message, ...]:
        """See Feed."""
        return detail.messages(self.session, exchange_id, offset, limit)

    def connections(self, query: ConnectionQuery) -> pa.Table:
        """See Feed."""
        return pages.connections(self.session, query)

    def count_connections(self, query: ConnectionQuery) -> int:
        """See Feed."""
        return pages.count_connections(self.session, query)

    def edges(self, level: str = "service", where: str = "", span: Span = ALWAYS) -> Map:
        """See Feed."""
        from tapper.feed import maps  # brings pyarrow's functions along, which lists do without

        return maps.edges(self.session, level, where, span)

    def timeline(
        self,
        level: str = "service",
        where: str = "",
        span: Span = ALWAYS,
        buckets: int = 60,
        nodes: tuple[int, int] | None = None,
    ) -> pa.Table:
        """See Feed."""
        from tapper.feed import timelines

        return timelines.timeline(self.session, level, where, span, buckets, nodes)

    def timeline_sums(self, where: str = "", span: Span = ALWAYS, buckets: int = 60) -> pa.Table:
        """See Feed."""
        from tapper.feed import timelines

        return timelines.timeline_sums(self.session, where, span, buckets)

    def values(self, column: str, where: str = "", span: Span = ALWAYS, limit: int = 20) -> pa.Table:
        """See Feed."""
        return pages.values(self.session, column, where, span, limit)

    def counters(self) -> pa.Table:
        """See Feed."""
        return overview.counters(self.session)

    def batches(self, query: Query) -> Iterator[pa.Table]:
        """See Feed."""
        return streams.batches(self.session, query)

    def follow(self, where: str = "", columns: tuple[str, ...] = ()) -> Iterator[pa.Table]:
        """See Feed: what is there; nothing more can come."""
        return self.batches(Query(where, limit=0, columns=columns))

    def packets(self, exchange_id: str) -> bytes:
        """See Feed."""
        return packets.packets(self.session, exchange_id)

    def close(self) -> None:
        """See Feed."""
        self.session.close()
        self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_session(path: Path | str) -> SessionFeed:
    """The feed of a saved session.

    Raises:
        FeedError: it can't be opened; the message says why.
    """
    from tapper.store.errors import StoreError

    try:
        return SessionFeed(Session.open(Path(path)))
    except StoreError as error:
        raise FeedError(str(error)) from error
