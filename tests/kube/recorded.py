"""Plays what `record` recorded, up to one of its steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapper.kube.kinds import KINDS
from tapper.kube.watching import Change

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMS = Path(__file__).parent / "streams"


class Recorded:
    """The changes of a stream, to be heard in pieces."""

    def __init__(self, heard: Callable[[Change, int], None], name: str = "rollout.jsonl") -> None:
        self._heard = heard
        self._lines = [json.loads(line) for line in (STREAMS / name).read_text().splitlines()]
        self.now = 0

    def play(self, step: str) -> int:
        """Plays on to a step's mark; gives its time."""
        while self._lines:
            line = self._lines.pop(0)
            self.hear(line["kind"], line["key"], line["item"], line["at"])
            spec = (line["item"] or {}).get("spec", {})
            if spec.get("externalName") == f"{step}.step":
                return self.now
        raise LookupError(step)

    def hear(self, kind: str, key: list[str], item: dict[str, Any] | None, now: int) -> None:
        self.now = now
        self._heard(Change(KINDS[kind], (key[0], key[1]), item), now)
