"""What the output can show: how wide it is, whether it has colours."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

import click

MIN_WIDTH = 40
"""Narrower terminals get lines that wrap: nothing useful fits."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Of one stream. `width` None: as wide as need be (a file, a pipe)."""

    width: int | None = None
    colours: bool = False

    def paint(self, text: str, colour: str = "", *, bold: bool = False, dim: bool = False) -> str:
        """The text in a colour of the terminal's palette, if it has any."""
        if not self.colours or not text or not (colour or bold or dim):
            return text
        return click.style(text, fg=colour or None, bold=bold or None, dim=dim or None)


def terminal(stream: TextIO | None = None) -> Terminal:
    """That of a stream (standard output by default); NO_COLOR is honoured."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return Terminal()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Terminal(max(shutil.get_terminal_size((80, 24)).columns, MIN_WIDTH), not plain)
