"""What the keys and the palette do beyond moving about: copy, export, page, commands by name."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapper.feed.interface import Query
from tapper.model.text import count
from ui.terminal import clipboard, themes
from ui.terminal.copying import WAYS
from ui.terminal.menu import Ask, Choice, Menu
from ui.terminal.writing import LISTS, MAPS, write_list, write_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.model.records import Exchange, Half
    from ui.terminal.app import TapperApp


def copy(app: TapperApp, exchange: Exchange) -> None:
    """Asks what of an exchange, and copies it."""
    choices = [Choice(key, words, key) for key, (words, _, fits) in WAYS.items() if fits(exchange)]

    def chosen(key: str | None) -> None:
        if key is not None:
            words, make, _ = WAYS[key]
            app.say(f"{words}: {clipboard.copy(make(exchange), app.copy_to_clipboard)}")

    app.push_screen(Menu("copy", choices), chosen)


def save_body(app: TapperApp, exchange: Exchange, half: Half) -> None:
    """Asks where, and writes a body as it was captured."""
    if not half.body:
        app.say("there is no body")
        return
    body = half.body

    def named(name: str | None) -> None:
        if name:
            app.say(_written(Path(name).expanduser(), lambda file: file.write_bytes(body)))

    app.push_screen(Ask("save the body as", f"body-{exchange.id[-8:]}"), named)


def page_text(app: TapperApp, text: str) -> None:
    """A text in $PAGER (less)."""
    command = shlex.split(os.environ.get("PAGER") or "less")
    if not command or shutil.which(command[0]) is None:
        app.say(f"{command[0] if command else '$PAGER'} is not installed; set PAGER", warning=True)
        return
    with app.suspend():
        subprocess.run(command, input=text.encode(), check=False)  # noqa: S603  # the user's own choice


def export(app: TapperApp) -> None:
    """Asks for what, as what, where, and writes it."""
    of_map = app.pane.id == "map"
    formats = MAPS if of_map else LISTS
    choices = [Choice(form, form, key, words) for form, (key, words) in formats.items()]

    def chosen(form: str | None) -> None:
        if form is None:
            return
        suffix = "mmd" if form == "mermaid" else form
        given = f"{'map' if of_map else 'requests'}.{suffix}"
        what = "the map" if of_map else "the requests"
        words = f"{what} that match {app.where}" if app.where else f"all of {what}"

        def named(name: str | None) -> None:
            if not name:
                return
            path = Path(name).expanduser()
            if path.exists():
                overwrite = [Choice("yes", f"replace {path.name}", "y"), Choice("", "leave it as it is", "n")]
                app.push_screen(Menu("it is there already", overwrite), lambda yes: start(path) if yes else None)
            else:
                start(path)

        def start(path: Path) -> None:
            where, span, level = app.where, app.span_, app.state.level
            query = Query(where, span, limit=0)
            app.say(f"writing {path} ...")
            app.desk.ask(
                "export",
                lambda feed: (
                    write_map(feed, form, path, level, where, span) if of_map else write_list(feed, form, path, query)
                ),
                lambda said: app.say(said),
            )

        app.push_screen(Ask(f"write {form} to", given, words), named)

    app.push_screen(Menu("export the map" if of_map else "export requests", choices), chosen)


def _written(path: Path, write: Callable[[Path], Any]) -> str:
    """Writes a new file, the user's alone; says so."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        write(path)
    except FileExistsError:
        return f"{path} is there already; nothing was written"
    except OSError as error:
        return f"{path}: {error.strerror}"
    return f"wrote {path} ({count(path.stat().st_size)} bytes)"


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
    add("slowest first", lambda: app.requests.set_query(order="latency_ns", descending=True), "L")
    add("newest, follow", app.requests.action_follow, "f")
    add("order by ...", app.action_order, "s")
    add("time range ...", app.action_span, "t")
    add("wide", app.requests.action_wide, "^w", "all columns")
    add("clear filter", lambda: app.filter_by(""), "esc")
    add("saved filters ...", app.action_saved, "*")
    add("export ...", app.action_export, "x", "HAR, JSON, CSV, Parquet; of the map SVG, DOT, Mermaid")
    for name, where in sorted(app.state.saved.items()):
        add(f"filter {name}", partial(app.filter_by, where), more=where)
    for name in themes.NAMES:
        add(f"theme {name}", partial(_theme, app, name))
    for title in ("PROTO", "SIZE"):
        words = "show" if title in app.state.hidden else "hide"
        add(f"{words} column {title.lower()}", partial(app.requests.toggle_column, title))
    add("keys", app.action_keys, "?")
    add("quit", app.exit, "q")
    return made


def _theme(app: TapperApp, name: str) -> None:
    app.state.theme = name
    app.state.write()
    themes.use(app, name)
