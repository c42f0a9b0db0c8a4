"""`meta.json` of a session: which version made it, from what, and whether it was finished."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tapper.model.schema import SCHEMA_VERSION
from tapper.store.errors import NotASessionError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "tapper session"
NAME = "meta.json"
MAX_BYTES = 16 << 20  # a list of some 100,000 source files


@dataclass(frozen=True, slots=True)
class Meta:
    """Facts about a session as a whole."""

    made_by: str
    """Version of tapper."""
    created: str
    """ISO 8601, UTC."""
    sources: tuple[dict[str, Any], ...] = ()
    """For each: name, path, bytes (of a file), problem (why it could not be read to its end)."""
    options: dict[str, Any] = field(default_factory=dict)
    """How it was recorded: heads, bodies, body_limit, redact, packets (path of the raw packets, if they were kept)."""
    packets: int = 0
    complete: bool = False
    """Whether its writer ended in order."""
    schema_version: int = SCHEMA_VERSION

    def write(self, directory: Path) -> None:
        """Replaces the file as a whole, so that it is never half written."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1)
        new = directory / f"{NAME}.new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(directory / NAME)

    def with_changes(self, **changes: Any) -> Meta:
        """A copy with some fields changed."""
        return replace(self, **changes)


def read(directory: Path) -> Meta:
    """The meta of the session at `directory`.

    Raises:
        NotASessionError: it is none, or another version's.
    """
    if not directory.exists():
        raise NotASessionError(f"{directory}: no such file or directory")
    try:
        with (directory / NAME).open("rb") as file:
            data = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        hint = "" if directory.is_dir() else "; to read a capture file, use `tapper read`"
        raise NotASessionError(f"{directory}: not a tapper session (no readable {NAME} in it){hint}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise NotASessionError(f"{directory}: not a tapper session ({NAME} is of something else)")
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        made_by = data.get("made_by")
        raise NotASessionError(
            f"{directory}: made by tapper {made_by} with schema version {version}, but this tapper reads version"
            f" {SCHEMA_VERSION}; read the capture again, or use that tapper"
        )
    sources = data.get("sources")
    options = data.get("options")
    return Meta(
        made_by=str(data.get("made_by")),
        created=str(data.get("created")),
        sources=tuple(s for s in sources if isinstance(s, dict)) if isinstance(sources, list) else (),
        options=options if isinstance(options, dict) else {},
        packets=packets if isinstance(packets := data.get("packets"), int) else 0,
        complete=data.get("complete") is True,
    )
