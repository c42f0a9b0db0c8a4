"""The service map: edges sorted by what hurts, as a tree by callee or caller, or around one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical

from tapper.feed.interface import ALWAYS, Span
from tapper.filter import narrowed
from tapper.model.edges import LEVELS
from tapper.model.text import clean, count
from ui.edges import Edge, node_name
from ui.formatting import sparkline
from ui.terminal.map_columns import columns
from ui.terminal.map_look import BUCKETS, SPARKS, Looked, edge_filter, look
from ui.terminal.menu import Choice, Menu
from ui.terminal.messages import Failed, FilterAsked, Moved, NoteChanged, Opened, Sorted, Wanted
from ui.terminal.rows import RowList
from ui.terminal.tree import VIEWS, Shown, around, grouped, plain

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ui.columns import Column
    from ui.terminal.desk import Desk
    from ui.terminal.state import State

    Row = dict[str, Any]

REDRAW_S = 1.0
"""At most so often while more comes: a map that changes all the time can't be read."""
ORDERS: dict[str, Any] = {
    "what hurts": lambda edge: edge.hurts,
    "calls": lambda edge: -edge.figures["calls"],
    "p95": lambda edge: -(edge.figures["p95_ns"] or 0),
    "p99": lambda edge: -(edge.figures["p99_ns"] or edge.figures["max_ns"] or 0),
    "from": lambda edge: node_name(edge.src),
    "to": lambda edge: node_name(edge.dst),
}
BY_TITLE = {"FROM": "from", "TO": "to", "CALLS": "calls", "p95": "p95", "p99": "p99"}


class MapPane(Vertical):
    """The map as rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "view(1)", "view"),
        Binding("shift+tab", "view(-1)", "view before", show=False),
        Binding("full_stop", "focus_here", "focus"),
        Binding("space", "fold", "fold", show=False),
        Binding("left,h", "side('left')", "callers", show=False),
        Binding("right,l", "side('right')", "callees", show=False),
        Binding("s,o", "order_menu", "sort"),
        Binding("v", "spark", "p95 / calls / errors over time", show=False),
        Binding("n", "level", "service / workload / pod / address", show=False),
        Binding("r", "tidy", "sort anew", show=False),
        Binding("ctrl+z,e", "failed", "failed only", show=False),
        Binding("t", "app.span", "time range", show=False),
        Binding("x", "app.export", "export"),
    ]

    def __init__(self, desk: Desk, state: State, where: str = "", span: Span = ALWAYS) -> None:
        super().__init__(id="map")
        self.desk, self.state, self.where, self.span_ = desk, state, where, span
        self.view = VIEWS[0]
        self.order = "what hurts"
        self.spark = "p95_ns"
        self.only_failed = False
        self.focused: int | None = None
        """Number of the node that the focus is on."""
        self._looked: Looked | None = None
        self._order: list[tuple[int, int, str, bool]] = []
        self._folded: set[int] = set()
        self._timer = self._due = False
        """Whether it was asked within REDRAW_S, and should have been once more."""
        self.rows = RowList(self._columns(), lambda row: row["shown"].outcome, empty="looking ...", id="edges")

    def compose(self) -> ComposeResult:
        """Titles and rows."""
        yield self.rows.heading
        yield self.rows

    def _columns(self) -> tuple[Column, ...]:
        return columns(self.view, self.spark, self._sparkline)

    def _sparkline(self, row: Row) -> str:
        edge: Edge | None = row["shown"].edge
        if edge is None or self._looked is None:
            return ""
        if edge.failed:  # nothing was answered that could be drawn: how many connections failed
            return edge.failures if len(edge.failures) <= BUCKETS else edge.failures.rpartition(" ")[0]
        known = self._looked.sparks.get(edge.key[:3])
        return sparkline(known[self.spark]) if known else ""

    # asking

    def refresh_rows(self) -> None:
        """Asks once more, not too often; what comes too early is made up for."""
        if self._looked is None:
            self._ask()
        elif self._timer:
            self._due = True
        else:
            self._timer, self._due = True, False
            self._ask()
            self.set_timer(REDRAW_S, self._may_again)

    def _may_again(self) -> None:
        self._timer = False
        if self._due and self.display:
            self.refresh_rows()

    def on_wanted(self, event: Wanted) -> None:
        """All rows are held; there are none yet."""
        event.stop()
        if self._looked is None:
            self._ask()

    def _ask(self) -> None:
        level, where, span = self.state.level, self.where, self.span_
        self.desk.ask("map", lambda feed: look(feed, level, where, span), self._show, self._failed)

    def _failed(self, error: Exception) -> None:
        if self._looked is None:
            self.rows.message = clean(str(error))
            self.rows.refresh()
        self.post_message(Failed(error))

    def _show(self, looked: Looked) -> None:
        if looked.asked != (self.state.level, self.where, self.span_):
            return
        self._looked = looked
        self._fill()

    def _fill(self, *, top: bool = False) -> None:
        """Makes the rows; edges that were there keep their places, new ones come below."""
        if self._looked is None:
            return
        edges = [edge for edge in self._looked.edges if not self.only_failed or edge.outcome != "ok"]
        edges.sort(key=ORDERS[self.order])
        places = {key: place for place, key in enumerate(self._order)}
        edges.sort(key=lambda edge: places.get(edge.key, len(places)))
        self._order = [edge.key for edge in edges]
        if self.view == "focus":
            if self.focused is None and edges:
                self.focused = edges[0].dst["node"]
            shown = around(edges, self.focused)
        elif self.view == "edges":
            shown = plain(edges)
        else:
            shown = grouped(edges, self._folded, by_callee=self.view == "callees")
        self._mark_order()
        self.rows.message = self._looked.empty or "No edge has failures. e shows all."
        if top:
            self.rows.clear()
        self.rows.show(len(shown), 0, [{"shown": row} for row in shown])
        self.post_message(NoteChanged())

    def set_query(self, *, where: str) -> None:
        """Another filter."""
        self.where, self._looked, self._order = where, None, []
        self.rows.message = "looking ..."
        self.rows.clear()
        if self.display:
            self._ask()

    def set_span(self, span: Span = ALWAYS) -> None:
        """Another range of time."""
        self.span_, self._looked = span, None
        if self.display:
            self._ask()

    @property
    def note(self) -> str:
        """What the key line says at the right."""
        if self._looked is None:
            return ""
        failed = "failed " if self.only_failed else ""
        listed = f"{count(len(self._order))} {failed}edges by {self.order}, {self.state.level}s"
        return self._left_out() or listed

    def _left_out(self) -> str:
        """What else there is to say of the edge at the cursor, where its row has no room for it."""
        here, widths = self._here, self.rows.layout_.widths
        edge = here.chosen if here is not None else None
        if edge is None or (self.view != "focus" and widths and widths[-1] >= 0):
            return ""
        return edge.notes

    def on_moved(self, event: Moved) -> None:
        """Another edge."""
        event.stop()
        self.post_message(NoteChanged())

    def _mark_order(self) -> None:
        """The title of the column that the edges are in the order of; around one service they are on two sides."""
        titled = () if self.view == "focus" else self.rows.layout_.columns
        names = [BY_TITLE.get(column.title) for column in titled]
        self.rows.order = names.index(self.order) if self.order in names else -1
        self.rows.descending = self.order not in ("from", "to")
        self.rows.heading.refresh()

    # keys

    @property
    def _here(self) -> Shown | None:
        row = self.rows.current
        return row["shown"] if row is not None else None

    def on_opened(self, event: Opened) -> None:
        """The requests of the edge; of connections that failed, those; a group folds."""
        event.stop()
        here = self._here
        if here is None:
            return
        edge = here.chosen
        if edge is None:
            self.action_fold()
            return
        where = edge_filter(edge, self.state.level, self._looked.edges if self._looked else [])
        self.post_message(FilterAsked(narrowed(self.where, where), "flows" if edge.failed else "requests"))

    def on_sorted(self, event: Sorted) -> None:
        """A title was clicked."""
        event.stop()
        title = self.rows.layout_.columns[event.column].title
        self.set_order("calls" if title == "RATE" else BY_TITLE.get(title, "what hurts"))

    def set_order(self, order: str) -> None:
        """Sorts by something else."""
        self.order, self._order = order, []
        self._fill(top=True)

    def action_order_menu(self) -> None:
        """What it is sorted by."""
        choices = [Choice(name, name, "hcp9ft"[number]) for number, name in enumerate(ORDERS)]
        self.app.push_screen(Menu("order by", choices), lambda name: self.set_order(name) if name else None)

    def action_tidy(self) -> None:
        """Sorts what came meanwhile into its place."""
        self.set_order(self.order)

    def action_view(self, by: int) -> None:
        """The next way to see it."""
        here = self._here
        if here is not None and here.node is not None:
            self.focused = here.node
        self.view = VIEWS[(VIEWS.index(self.view) + by) % len(VIEWS)]
        self.rows.clear()
        self.rows.show_columns(self._columns())
        self._fill()

    def action_focus_here(self) -> None:
        """Sees the map around the service at the cursor."""
        here = self._here
        if here is not None and here.node is not None:
            self.focused, self.view = here.node, "focus"
            self.rows.clear()
            self.rows.show_columns(self._columns())
            self._fill()

    def action_side(self, side: str) -> None:
        """In the focus view, callers or callees."""
        if self.view == "focus":
            for row in self.rows.held[1]:
                row["shown"].side = side
            self.rows.repaint()

    def action_fold(self) -> None:
        """Folds a group, or unfolds it."""
        here = self._here
        if here is not None and here.group is not None:
            self._folded ^= {here.group}
            self._fill()

    def action_spark(self) -> None:
        """What is drawn over time."""
        names = list(SPARKS)
        self.spark = names[(names.index(self.spark) + 1) % len(names)]
        self.rows.show_columns(self._columns())

    def action_level(self) -> None:
        """What a node stands for."""
        self.state.level = LEVELS[(LEVELS.index(self.state.level) + 1) % len(LEVELS)]
        self._looked, self._order, self.focused = None, [], None
        self._ask()

    def action_failed(self) -> None:
        """Only edges with failures, or all."""
        self.only_failed = not self.only_failed
        self._fill(top=True)
