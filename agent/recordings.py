"""Where the raw packets of an agent's sources are kept: a file for each source, all of them within one bound."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class Recordings:
    """Gives sources their files.

    Args:
        path: the file; several sources have `STEM-1.EXT`, `STEM-2.EXT` ... instead.
        size: bytes of all files together.
        sources: how many share that.
    """

    path: Path
    size: int
    sources: int = 1
    given: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> dict[str, Any]:
        """Arguments of `LiveReader` for one more source; none if all is given away.

        So a source that is opened anew does not replace what was kept of it.
        """
        with self._lock:
            if self.given >= self.sources:
                return {}
            self.given += 1
            name = f"{self.path.stem}-{self.given}{self.path.suffix}" if self.sources > 1 else self.path.name
            return {"record": str(self.path.with_name(name)), "record_bytes": self.size // self.sources}
