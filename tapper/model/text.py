"""Figures and foreign text as people read them: the same in terminal, map pictures and reports.

A figure that is not known is None and shown as "-".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNKNOWN = "-"

FORMULA = "^[\\s\\x00]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]"
"""What makes a spreadsheet compute a cell instead of showing it (a regular expression for Python and RE2)."""

_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1)


def time_with_zone(ns: int) -> str:
    """`12:04:31 CET`: with its zone, for text that may be read in another one."""
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone():%H:%M:%S %Z}"


def duration(ns: int | None) -> str:
    """Three digits and a unit: `12.4 ms`, `1.80 s`; under 1 ms two decimals; from 100 s on, minutes and more."""
    if ns is None:
        return UNKNOWN
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns < 5_000:
        return f"{sign}{_short(ns / 1e6, 3)} ms"
    if ns < 995_000:
        return f"{sign}{_short(ns / 1e6, 2)} ms"
    if ns < 999.5e6:
        return f"{sign}{_three(ns / 1e6)} ms"
    if ns < 99.95 * _SECOND:
        return f"{sign}{_three(ns / _SECOND)} s"
    seconds = (ns + _SECOND // 2) // _SECOND
    if seconds < 3600:
        return f"{sign}{seconds // 60} min {seconds % 60:02} s"
    minutes = seconds // 60
    if minutes < 48 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60:02} min"
    return f"{sign}{minutes // 1440} d {minutes % 1440 // 60:02} h"


def _three(value: float) -> str:
    """Three significant digits of a value from 0.995 to 999.5."""
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _short(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


def size(number: int | None) -> str:
    """Bytes with 1024 as base: `420`, `1.1K`, `12K`, `3.4M`."""
    if number is None:
        return UNKNOWN
    if number < 1024:
        return str(number)
    value = float(number)
    for unit in "KMGTPE":
        value /= 1024
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 1023.5:
            return f"{value:.0f}{unit}"
    return f"{value:.0f}E"


def count(number: int | None) -> str:
    """A number of things: `1,482`, from a million on `1.2 M`, `3.4 G`."""
    if number is None:
        return UNKNOWN
    if number < 1_000_000:
        return f"{number:,}"
    if number < 999_950_000:
        return f"{number / 1e6:.1f} M"
    return f"{number / 1e9:,.1f} G"


def counted(number: int, noun: str) -> str:
    """How many of something: `1 stream`, `1,234 streams`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def rate(per_second: float | None) -> str:
    """Things per second: `2,113/s`, `4.2/s`, `0.05/s`."""
    if per_second is None or per_second != per_second:
        return UNKNOWN
    if per_second == 0:
        return "0/s"
    if per_second < 0.01:
        return "<0.01/s"
    if per_second < 0.995:
        return f"{_short(per_second, 2)}/s"
    if per_second < 9.95:
        return f"{_short(per_second, 1)}/s"
    if per_second < 99_999.5:
        return f"{per_second:,.0f}/s"
    return f"{per_second / 1e3:,.0f}k/s" if per_second < 999_500 else f"{per_second / 1e6:.1f}M/s"


def share(part: int, whole: int) -> str:
    """A part as per cent of a whole: `2.1 %`, `43 %`; only none is `0 %` and only all is `100 %`."""
    if whole <= 0:
        return UNKNOWN
    percent = 100 * part / whole
    if part == 0 or part == whole:
        return f"{percent:.0f} %"
    if percent < 0.1:
        return "<0.1 %"
    if percent > 99:
        return ">99 %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"


def clean(text: str) -> str:
    r"""Text in one line that is safe in a terminal and hides nothing.

    Whatever has no shape of its own is made visible: C0 controls as their pictures (`␛`, `␊`), others (C1,
    bidirectional overrides, zero-width, line separators, lone surrogates) as `\u202e`. Spaces stay spaces.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _visible(char) for char in text)


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if char.isspace() and code not in (0x85, 0x2028, 0x2029):
        return " "
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def iso(ns: int) -> str:
    """A time since the epoch as ISO 8601 in UTC with all its nanoseconds: `2023-11-14T22:13:20.123456789Z`."""
    seconds, rest = divmod(ns, _SECOND)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def cell(text: str) -> str:
    """Text for a CSV cell: what a spreadsheet would take for a formula gets a `'` before it, which they don't show."""
    return "'" + text if re.match(FORMULA, text) else text
