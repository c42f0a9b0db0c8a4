"""What the output can show: how wide it is, whether it has colours."""

from __future__ import annotations

import codecs
import io
import os
import re
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from tapper.model.text import clean

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

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


class Visible(io.BytesIO):
    """UTF-8 text on its way to a terminal: what a terminal would obey or hide is made visible.

    For formats that keep captured text exactly as it was; in files and pipes it stays so.
    """

    def __init__(self, below: BinaryIO) -> None:
        super().__init__()
        self._below = below
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: ReadableBuffer, /) -> int:
        """Gives all of it on."""
        whole = bytes(data)
        parts = re.split(r"([\r\n\t]+)", self._decoder.decode(whole))
        self._below.write("".join(part if n % 2 else clean(part) for n, part in enumerate(parts)).encode())
        return len(whole)

    def flush(self) -> None:
        """Of what is below."""
        self._below.flush()
