"""The same filter and columns as everywhere, over rows that are just being recorded: for streams as they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.feed import columns as sql
from tapper.feed.interface import ALWAYS
from tapper.feed.pages import named
from tapper.feed.selection import exactly, select

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tapper.store.session import Session


class Matcher:
    """Chooses and names rows of the batches that a Recorder took.

    Raises:
        FilterError: the filter can't be understood.
        FeedError: there is no such column.
    """

    def __init__(self, session: Session, where: str = "", columns: Iterable[str] = ()) -> None:
        self._session = session
        self._selection = select(where, ALWAYS)
        self._narrow, self._payload = sql.split(columns)

    def rows(self, fresh: pa.Table) -> pa.Table:
        """Those of the narrow rows that match, with the columns asked for; their endpoints must be committed."""
        chosen = self._selection
        with self._session.registered(found=fresh):
            found = self._session.query(f"SELECT e.* FROM found e WHERE {chosen.condition}", chosen.parameters)
        found = exactly(self._session, found, chosen)
        with self._session.registered(found=found):
            return named(self._session, "SELECT * FROM found", (), "e.time, e.id", self._narrow, self._payload)
