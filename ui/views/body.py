"""What a view gets and gives, with the bounds that keep any body quick to look at."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from email.message import Message
from itertools import islice
from typing import TYPE_CHECKING, Any

from tapper.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_BYTES = 1 << 20
"""Of a body are looked at: views stay under a second."""
MAX_LINES = 20_000
MAX_LINE = 4_000
"""Characters of a line: minified text is one line of megabytes, which no terminal shows."""

_CHARSETS = ("utf", "iso8859", "cp", "latin", "ascii", "koi8", "shift_jis", "euc", "gb", "big5", "iso2022")
"""Beginnings of the codecs' names that a body may choose; the rest are no charsets of text or slow ones."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body as captured, content coding removed."""

    data: bytes
    content_type: str
    """As the header says, parameters included; empty: not said."""
    cut: bool
    """Its end is missing."""
    message: Any = None
    """Descriptor of the type of Protocol Buffers that it is; None: none, or not known."""

    @property
    def media_type(self) -> str:
        """Type and subtype in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    def parameter(self, name: str) -> str | None:
        """A parameter of the content type, unquoted."""
        header = Message()
        header["content-type"] = clean(self.content_type[:1024])
        value = header.get_param(name)
        return value if isinstance(value, str) else None

    def text(self) -> str | None:
        """The body as text in its charset (UTF-8 if none is said); None: it is binary."""
        data = self.data.removeprefix(codecs.BOM_UTF8)
        charset = self.parameter("charset")
        if charset is not None:
            try:
                codec = codecs.lookup(charset).name
                if codec.startswith(_CHARSETS):
                    return data.decode(codec, "backslashreplace")
            except (LookupError, ValueError):
                pass
        try:
            # A cut may go through the middle of a character: at most 3 bytes.
            text = codecs.getincrementaldecoder("utf-8")().decode(data, not self.cut)
        except UnicodeDecodeError:
            return data.decode("utf-8", "backslashreplace") if self.media_type.startswith("text/") else None
        return None if "\0" in text else text


@dataclass(frozen=True, slots=True)
class Shown:
    """A body as lines to read. Every line is clean: printable characters and spaces only."""

    view: str
    lines: tuple[str, ...]
    lexer: str | None = None
    """Name of the Pygments lexer that colours the lines."""
    notes: tuple[str, ...] = ()
    """What was left out or is wrong."""


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at a body."""

    name: str
    fits: Callable[[Body], bool]
    """Whether the body looks like it, by its type and first bytes; quick."""
    render: Callable[[Body], Shown | None]
    """None: on a closer look it is something else."""


def shown(view: str, lines: Iterable[str], *, lexer: str | None = None, notes: Iterable[str] = ()) -> Shown:
    """Cleans and bounds lines; of endless ones no more are taken than are shown."""
    said = list(notes)
    taken = list(islice(lines, MAX_LINES + 1))
    if len(taken) > MAX_LINES:
        taken.pop()
        said.append(f"only the first {MAX_LINES:,} lines are shown")
    kept = []
    for line in taken:
        beyond = len(line) - MAX_LINE
        text = clean(line[:MAX_LINE].expandtabs(4))
        kept.append(f"{text}… ({beyond:,} characters more)" if beyond > 0 else text)
    return Shown(view, tuple(kept), lexer, tuple(said))


def split_lines(text: str) -> Iterable[str]:
    """Lines as a text editor has them (other line separators stay, to be made visible), without holding them all."""
    return (match[0].rstrip("\r\n") for match in re.finditer(r"[^\n]*\n|[^\n]+", text))
