"""What is remembered from one run to the next: theme, columns, filters; a small JSON file that is the user's alone."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

NAME = "terminal.json"
MAX_FILTERS = 100
"""Of the history: more is never looked at."""
MAX_BYTES = 1 << 20
"""Of the file: what is larger was not written here."""


def directory() -> Path:
    """Where state belongs (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "tapper"


@dataclass(slots=True)
class State:
    """All of it; `path` None: nothing is kept."""

    theme: str = "dark"
    wide: bool = False
    utc: bool = False
    hidden: list[str] = field(default_factory=list)
    """Titles of columns that are not shown."""
    level: str = "service"
    history: list[str] = field(default_factory=list)
    """Filters used, newest last."""
    saved: dict[str, str] = field(default_factory=dict)
    """Filters by name."""
    path: Path | None = None

    @classmethod
    def read(cls, path: Path | None = None) -> State:
        """What was remembered; what can't be understood is forgotten."""
        path = directory() / NAME if path is None else path
        found = {}
        with contextlib.suppress(OSError, ValueError):
            if path.stat().st_size <= MAX_BYTES:
                found = json.loads(path.read_text(encoding="utf-8"))
        state = cls(path=path)
        if isinstance(found, dict):
            for known in fields(cls):
                value = found.get(known.name)
                if known.name != "path" and type(value) is type(getattr(state, known.name)):
                    setattr(state, known.name, value)
        state.history = [text for text in state.history if isinstance(text, str)][-MAX_FILTERS:]
        state.hidden = [title for title in state.hidden if isinstance(title, str)]
        state.saved = {str(name): text for name, text in state.saved.items() if isinstance(text, str)}
        return state

    def used(self, where: str) -> None:
        """A filter was used."""
        if where.strip():
            self.history = [*(text for text in self.history if text != where), where][-MAX_FILTERS:]

    def write(self) -> None:
        """Remembers it, whole or not at all; a directory that can't be written is no reason to stop."""
        if self.path is None:
            return
        values = asdict(self)
        del values["path"]
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = self.path.with_suffix(".part")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(values, file, indent=1)
            part.replace(self.path)
