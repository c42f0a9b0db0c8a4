"""From the engine's batches to a session: names their ends, learns names from them, appends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from tapper.model.schema import PAYLOAD
from tapper.store.segments import read_columns
from tapper.store.writer import Rows, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapper.identity.index import Identity
    from tapper.store.partitions import Retention
    from tapper.store.session import Session


class Batch(Protocol):
    """What the engine gives (`agent._engine.Batch`); record batches are anything with Arrow's PyCapsule interface."""

    @property
    def exchanges(self) -> Any: ...  # noqa: D102
    @property
    def payloads(self) -> bytes | None: ...  # noqa: D102
    @property
    def messages(self) -> Any: ...  # noqa: D102
    @property
    def message_payloads(self) -> bytes | None: ...  # noqa: D102
    @property
    def connections(self) -> Any: ...  # noqa: D102
    @property
    def counters(self) -> Any: ...  # noqa: D102


class Recorder:
    """Records batches into a session. For one thread; batches in the order of each source."""

    def __init__(
        self,
        session: Session,
        schema_messages: Mapping[str, bytes],
        identity: Identity,
        retention: Retention | None = None,
    ) -> None:
        self._identity = identity
        self._payload_schema = schema_messages["payload"]
        self.writer = Writer(session, schema_messages, identity.changes, retention)

    def add(self, batch: Batch) -> pa.Table | None:
        """Takes a batch; gives its exchanges as narrow rows (see Writer.append)."""
        return self.writer.append(self.named(batch))

    def named(self, batch: Batch, scope: str | None = None) -> Rows:
        """The rows of a batch with their ends; learns what the batch tells of names. `scope`: see Identity.ends."""
        rows = Rows(payloads=batch.payloads, message_payloads=batch.message_payloads)
        if batch.exchanges is not None:
            rows.exchanges = pa.record_batch(batch.exchanges)
            rows.exchange_ends = self._identity.ends(rows.exchanges, scope)
            self._identity.learn(rows.exchanges, rows.exchange_ends[1], self._bodies_of(batch.payloads))
        if batch.messages is not None:
            rows.messages = pa.record_batch(batch.messages)
        if batch.connections is not None:
            rows.connections = pa.record_batch(batch.connections)
            rows.connection_ends = self._identity.ends(rows.connections, scope)
            self._identity.learn_servers(rows.connections, rows.connection_ends[1])
        if batch.counters is not None:
            rows.counters = pa.record_batch(batch.counters)
        return rows

    def _bodies_of(self, payloads: bytes | None) -> Any:
        if payloads is None:
            return None

        def bodies(numbers: pa.Array) -> pa.Array:
            whole = memoryview(payloads)
            read = read_columns(
                self._payload_schema, lambda count, at: whole[at : at + count], ["response_body"], PAYLOAD
            )
            return read["response_body"].take(numbers)

        return bodies

    def commit(self) -> None:
        """Makes all that was added part of the session."""
        self.writer.flush()

    def commit_names(self) -> None:
        """Makes the endpoints of all that was added part of the session, so that its rows can be shown with names."""
        self.writer.flush_endpoints()

    def finish(self, **meta: Any) -> None:
        """Commits what is left and marks the session complete; `meta`: facts for its Meta."""
        self.writer.close(**meta)

    def abandon(self) -> None:
        """Lets go after an error."""
        self.writer.abandon()
