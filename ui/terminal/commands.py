"""Commands by name, for the palette."""

from __future__ import annotations

from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from ui.terminal import themes
from ui.terminal.menu import Choice
from ui.terminal.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Callable

    from ui.terminal.app import TapperApp


def choose(app: TapperApp) -> None:
    """Shows them, and does what is chosen."""
    known = commands(app)

    async def chosen(value: str | None) -> None:
        if value is not None:
            done = known[int(value)][1]()
            if isawaitable(done):
                await done

    app.push_screen(Palette([choice for choice, _ in known]), chosen)


def commands(app: TapperApp) -> list[tuple[Choice, Callable[[], Any]]]:
    """What the palette knows."""
    made: list[tuple[Choice, Callable[[], Any]]] = []

    def add(words: str, action: Callable[[], Any], key: str = "", more: str = "") -> None:
        made.append((Choice(str(len(made)), words, key, more), action))

    for number, (name, more) in enumerate(
        (
            ("requests", "the list"),
            ("map", "who calls whom"),
            ("flows", "connections, failed first"),
            ("health", "loss by stage, agents"),
        ),
        1,
    ):
        add(name, partial(app.action_pane, name), str(number), more)
    add("errors only", app.requests.action_failed, "e", "failed")
    add("slowest first", partial(app.requests.set_query, order="latency_ns", descending=True), "L")
    add("newest, follow", app.requests.action_follow, "f")
    add("order by ...", app.requests.list.action_order_menu, "s")
    add("time range ...", app.action_span, "t")
    add("wide", app.requests.list.action_wide, "^w", "all columns")
    add("clear filter", lambda: app.filter_by(""), "esc")
    add("saved filters ...", app.action_saved, "*")
    add("export ...", app.action_export, "x", "HAR, JSON, CSV, Parquet; of the map SVG, DOT, Mermaid")
    for name, where in sorted(app.state.saved.items()):
        add(f"filter {name}", partial(app.filter_by, where), more=where)
    for name in themes.NAMES:
        add(f"theme {name}", partial(_theme, app, name))
    for title in ("PROTO", "SIZE"):
        words = "show" if title in app.state.hidden else "hide"
        add(f"{words} column {title.lower()}", partial(app.requests.list.toggle_column, title))
    add("keys", app.action_keys, "?")
    add("quit", app.exit, "q")
    return made


def _theme(app: TapperApp, name: str) -> None:
    app.state.theme = name
    app.state.write()
    themes.use(app, name)
