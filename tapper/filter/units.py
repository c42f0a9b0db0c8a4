"""Durations, times and sizes as people write them, to and from whole nanoseconds and bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
"""Of durations, in ns."""


def duration_text(nanoseconds: int) -> str:
    """Exact, in the largest unit that reads well: 90s, 1.5ms, 2h."""
    sign, size = "-" if nanoseconds < 0 else "", abs(nanoseconds)
    for unit in ("h", "m"):
        if size and size % UNITS[unit] == 0:
            return f"{sign}{size // UNITS[unit]}{unit}"
    unit = next((u for u in ("s", "ms", "us") if size >= UNITS[u]), "ns" if size else "s")
    whole, rest = divmod(size, UNITS[unit])
    digits = len(str(UNITS[unit])) - 1
    fraction = f".{rest:0{digits}}".rstrip("0") if rest else ""
    return f"{sign}{whole}{fraction}{unit}"


_AMOUNT = re.compile(r"(\d{1,19})(?:\.(\d{1,30}))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def duration_ns(text: str) -> int | None:
    """Nanoseconds of `1h30m`, `1.5s`, `-200ms` ...; None: not a duration, or not one that fits 64 bits."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    total, at = 0, 0
    while at < len(rest):
        amount = _AMOUNT.match(rest, at)
        if amount is None or len(rest) > 80:
            return None
        whole, fraction, unit = amount.groups()
        scale = UNITS[unit if unit.isascii() else "us"]
        fraction = fraction or ""
        total += int(whole) * scale + int(fraction or "0") * scale // 10 ** len(fraction)
        at = amount.end()
    return sign * total if rest and total < 2**63 else None


_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


def time_ns(text: str) -> int | None:
    """Nanoseconds since the epoch of an RFC 3339 time with its zone; None: not one, or beyond what 64 bits hold."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    value = (since.days * 86400 + since.seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))
    return value if abs(value) < 2**63 else None


def time_text(nanoseconds: int) -> str:
    """RFC 3339, UTC."""
    seconds, rest = divmod(nanoseconds, 10**9)
    clock = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return clock + (f".{rest:09}".rstrip("0") if rest else "") + "Z"


_SIZE = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?([KMGT])(?:i?B)?", re.ASCII)


def size_bytes(text: str) -> int | None:
    """Bytes of `10K`, `1.5MB`, `2GiB`: units of 1024, as sizes are shown; None: not a size."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    whole, fraction, unit = found.groups()
    scale = 1024 ** ("KMGT".index(unit) + 1)
    value = int(whole) * scale + int(fraction or "0") * scale // 10 ** len(fraction or "")
    return value if value < 2**63 else None
