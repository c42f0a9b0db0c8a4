"""Asks for what is exported, as what and where to, and writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tapper.feed.interface import Query
from ui.terminal.ask import Ask
from ui.terminal.menu import Choice, Menu
from ui.terminal.writing import LISTS, MAPS, write_list, write_map

if TYPE_CHECKING:
    from ui.terminal.app import TapperApp


def export(app: TapperApp) -> None:
    """Of what the filter lets through; on the map, of the map."""
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
            where, span, level = app.where, app.panes.span_, app.state.level
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
