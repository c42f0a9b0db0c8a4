"""Connections, failed ones first, with the words of what that usually means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical

from tapper.feed.interface import ALWAYS, ConnectionQuery, Span
from tapper.model.text import clean, count, duration, size
from ui.columns import Column, end, plain_rows
from ui.formatting import sign, time_of_day
from ui.terminal.emptiness import nothing
from ui.terminal.flow_meaning import Meaning
from ui.terminal.menu import Choice, Menu
from ui.terminal.messages import FilterAsked, Moved, NoteChanged, Opened, Said, Sorted, Wanted
from ui.terminal.rows import RowList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tapper.feed.interface import Feed
    from ui.terminal.desk import Desk

    Row = dict[str, Any]

COLUMNS = (
    Column("TIME", lambda row: time_of_day(row["time"]), 12, 12, narrow=2),
    Column("PROTO", lambda row: clean(_protocol(row)), 5, 9, narrow=3),
    Column("FROM", lambda row: end(row, "src"), 9, 26, good=12, where="name"),
    Column("TO", lambda row: _server(row), 12, 40, good=16, where="name"),
    Column("STATE", lambda row: f"{row['state']} {sign(row['state'])}".strip(), 8, 13),
    Column("OPEN", lambda row: duration(row["last_time"] - row["time"]), 7, 12, right=True, rank=4),
    Column("HANDSHAKE", lambda row: duration(row["handshake_ns"]), 9, 10, right=True, rank=6),
    Column("REQS", lambda row: count(row["exchanges"]), 4, 7, right=True, rank=1),
    Column("SENT", lambda row: size(row["bytes_sent"]), 5, 6, right=True, rank=3),
    Column("RECV", lambda row: size(row["bytes_received"]), 5, 6, right=True, rank=3),
    Column("AGAIN", lambda row: count(row["retransmits"]), 5, 7, right=True, rank=5),
    Column("WHY", lambda row: clean(row["reason"] or ""), 0, 60, rank=7),
)
ORDERS = {
    "TIME": "time",
    "PROTO": "protocol",
    "FROM": "src_name",
    "TO": "dst_name",
    "STATE": "state",
    "SENT": "bytes_sent",
    "RECV": "bytes_received",
    "HANDSHAKE": "handshake_ns",
    "REQS": "exchanges",
    "AGAIN": "retransmits",
}
NOT_FILTERED = "not filtered: the filter is about requests"
FILTERED_IN_PART = "filtered in part: the rest is about requests"


def _protocol(row: Row) -> str:
    return str(row["transport"] if row["protocol"] == "unknown" else row["protocol"])


def _server(row: Row) -> str:
    name = end(row, "dst")
    return name if name.endswith(f":{row['dst_port']}") else f"{name}:{row['dst_port']}"


def fetch(feed: Feed, query: ConnectionQuery) -> tuple[ConnectionQuery, int, list[Row], str, str]:
    """The query, how many there are, some rows, what is not filtered by, why it is empty."""
    from tapper.filter import for_connections

    asked = replace(query, where=for_connections(query.where))
    unfiltered = "" if asked.where == query.where else FILTERED_IN_PART if asked.where else NOT_FILTERED
    total = feed.count_connections(asked)
    rows = plain_rows(feed.connections(asked))
    empty = "" if total else nothing(feed.summary(), feed.health())
    if not total and asked.where:
        empty = f"No connection matches {clean(asked.where)}. esc clears the filter."
    return query, total, rows, unfiltered, empty


class FlowsPane(Vertical):
    """The list of connections."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z,e", "failed", "failed only"),
        Binding("s,o", "order_menu", "sort"),
        Binding("t", "app.span", "time range", show=False),
    ]

    def __init__(self, desk: Desk, where: str = "", span: Span = ALWAYS) -> None:
        super().__init__(id="flows")
        self.desk = desk
        self.query_ = ConnectionQuery(where, span, failed_first=True)
        self.rows = RowList(COLUMNS, lambda row: row["state"], empty="looking ...", id="connections")
        self.rows.order = 0
        self._meaning = Meaning()
        self._unfiltered = ""

    def compose(self) -> ComposeResult:
        """Titles, rows, words."""
        yield self.rows.heading
        yield self.rows
        yield self._meaning

    def on_wanted(self, event: Wanted) -> None:
        """Rows came into sight."""
        event.stop()
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Asks for what is shown."""
        start, count_ = self.rows.wanted
        query = replace(self.query_, limit=count_, offset=start)
        self.desk.ask("flows", lambda feed: fetch(feed, query), lambda found: self._show(*found))

    def _show(self, query: ConnectionQuery, total: int, rows: list[Row], unfiltered: str, empty: str) -> None:
        if replace(query, limit=self.query_.limit, offset=0) != self.query_:
            return
        self._unfiltered = unfiltered
        self.rows.message = empty
        self.rows.show(total, query.offset, rows)
        self.post_message(NoteChanged())

    def set_query(self, **changes: Any) -> None:
        """Another filter, or order."""
        self.query_ = replace(self.query_, **changes)
        self.rows.message = "looking ..."
        titles = [ORDERS.get(column.title) for column in COLUMNS]
        self.rows.order, self.rows.descending = titles.index(self.query_.order), self.query_.descending
        self.rows.clear()
        if self.display:
            self.refresh_rows()

    def set_span(self, span: Span = ALWAYS) -> None:
        """Another range of time."""
        self.set_query(span=span)

    def set_order(self, column: str) -> None:
        """Orders by a column; failed ones stay first while the order is that of time."""
        same = self.query_.order == column
        self.set_query(
            order=column,
            descending=not self.query_.descending if same else column != "time",
            failed_first=column == "time",
        )

    def action_order_menu(self) -> None:
        """What they are sorted by."""
        choices = [Choice(column, title.lower()) for title, column in ORDERS.items()]
        self.app.push_screen(Menu("order by", choices), lambda name: self.set_order(name) if name else None)

    @property
    def note(self) -> str:
        """What the key line says at the right."""
        said = f"{count(self.rows.cursor + 1)} of {count(self.rows.total)}" if self.rows.total else ""
        return ", ".join(part for part in (said, self._unfiltered) if part)

    def on_moved(self, event: Moved) -> None:
        """Tells of the one at the cursor."""
        event.stop()
        self._meaning.row = self.rows.current
        self._meaning.refresh()
        self.post_message(NoteChanged())

    def on_opened(self, event: Opened) -> None:
        """The requests of the connection."""
        event.stop()
        row = self.rows.current
        if row is None:
            return
        if row["exchanges"]:
            self.post_message(FilterAsked(f"connection == {row['id']}", "requests"))
        else:
            self.post_message(Said("no request was seen on it"))

    def on_sorted(self, event: Sorted) -> None:
        """A title was clicked."""
        event.stop()
        column = ORDERS.get(COLUMNS[event.column].title)
        if column is not None:
            self.set_order(column)

    def action_failed(self) -> None:
        """Only those that failed, or all."""
        self.set_query(failed_only=not self.query_.failed_only)
