"""docs/terminal.md from the bindings themselves: `python -m tests.ui.terminal.keys_page` writes it, a test compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ui.terminal.app import TapperApp
from ui.terminal.detail import DetailView
from ui.terminal.filter_line import FilterLine
from ui.terminal.flows import FlowsPane
from ui.terminal.health import HealthPane
from ui.terminal.key_line import key_name
from ui.terminal.map import MapPane
from ui.terminal.pager import Pager
from ui.terminal.request_list import RequestList
from ui.terminal.requests import RequestsPane
from ui.terminal.rows import RowList

PAGE = Path(__file__).parents[3] / "docs" / "terminal.md"
HEAD = """# The terminal UI

`tapper read FILE`, `tapper open X` and `tapper open --collector URL` show requests, map, flows and health on a
terminal, the same for a capture, a session and a running collector. `?` shows the keys of the screen one is on, `:`
finds a command by its name, the mouse works too: titles sort, a second click opens.

- **Filter** (`/`): the language of [fields.md](fields.md), completed with fields and with values that were seen; `*`
  keeps a filter by name, `[` and `]` go through those of this run, `up` in the empty line through older ones.
- **Follow** (`f`): stays at the newest; any move up lets go, the last line says how many are new, `G` takes it up
  again.
- **Exports** (`x`): what the filter lets through, or on the map screen the map, into a file that is its owner's alone.
- Theme, columns, the map's level and filters are remembered in `$XDG_STATE_HOME/tapper/terminal.json`. `NO_COLOR` is
  heeded; outcomes have signs: `✗` server error, `!` client error, `⌛` timeout, `↯` reset, `⊘` refused, `▸` open.
- Letters at the end of a row tell of the record itself: `P` joined mid-stream, `G` bytes of it were lost, `R` a secret
  was replaced by a mark, `S` a stream. *connection* of the request says it in words.
"""
SCREENS: dict[str, tuple[Any, ...]] = {
    "Everywhere": (TapperApp,),
    "Lists": (RowList,),
    "Requests": (RequestsPane, RequestList),
    "One request": (DetailView, Pager),
    "Map": (MapPane,),
    "Flows": (FlowsPane,),
    "Health": (HealthPane,),
    "Filter": (FilterLine,),
}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, widgets in SCREENS.items():
        bindings = [binding for widget in widgets for binding in widget.BINDINGS if binding.description]
        rows = [
            f"| {' '.join(f'`{key_name(key.strip())}`' for key in binding.key.split(','))} | {binding.description} |"
            for binding in bindings
        ]
        if rows:
            parts.append("\n".join([f"## {title}", "", "| Key | |", "| --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
