"""What is done with one exchange: something of it copied, its body kept, its text paged."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapper.model.text import count
from ui.terminal import clipboard
from ui.terminal.ask import Ask
from ui.terminal.copying import WAYS
from ui.terminal.menu import Choice, Menu

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
