"""What the commands of agents and collectors share: where the other one is, tokens, sizes, addresses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.shipper import Collector

    _Command = TypeVar("_Command", bound=Callable[..., Any])

MAX_TOKEN = 4096
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def collector_options(command: _Command) -> _Command:
    """Adds the options that `where` takes."""
    file = click.Path(dir_okay=False, exists=True, path_type=Path)
    for option in (
        click.option("--certificate", type=file, metavar="FILE", help="Our certificate and key, if it asks for one."),
        click.option("--ca", type=file, metavar="FILE", help="Authority of the collector's certificate (PEM)."),
        click.option("--token-file", type=file, required=True, metavar="FILE", help="What lets us in."),
        click.option("--collector", required=True, metavar="URL", help="Where the collector lets agents in."),
    ):
        command = option(command)
    return command


def where(url: str, token_file: Path, ca: Path | None, certificate: Path | None) -> Collector:
    """The collector that the options mean."""
    from agent.shipper import Collector

    if not re.fullmatch(r"https?://[^/\s]+/?", url):
        raise click.BadParameter(f"{url!r}: give https://HOST:PORT", param_hint="--collector")
    return Collector(url, token(token_file), str(ca) if ca else None, str(certificate) if certificate else None)


def token(file: Path) -> str:
    """The token in a file."""
    with file.open("r", encoding="ascii", errors="replace") as opened:
        text = opened.read(MAX_TOKEN).strip()
    if not re.fullmatch(r"[\x21-\x7e]{8,}", text):
        raise click.ClickException(f"{file}: there is no token in it (one line, 8 characters or more, no spaces)")
    return text


def amount(text: str) -> int:
    """Bytes of `65536`, `200M`, `2G`."""
    found = re.fullmatch(r"(\d{1,12})\s*([KMGT]?)(?:i?B)?", text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a size; sizes are written 65536, 200M or 2G")
    return int(found[1]) * _UNITS[found[2].upper()]


def age(text: str) -> int:
    """Nanoseconds of `90s`, `15m`, `2h`, `7d`."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} is not an age; ages are written 90s, 15m, 2h or 7d")
    return int(found[1]) * _TIMES[found[2]] * 1_000_000_000


def address(text: str, port: int) -> tuple[str, int]:
    """Address and port of `7443`, `:7443`, `0.0.0.0:7443`, `[::]:7443`, `10.0.0.7` (with that port)."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\s\[\]]*))(?::(\d{1,5}))?", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not an address; addresses are written 0.0.0.0:7443 or [::]:7443")
    host, number = found[1] or found[2], found[3]
    if host.isdigit() and number is None:
        host, number = "", host
    if number is not None and int(number) > 65_535:
        raise click.BadParameter(f"{text!r}: ports go up to 65535")
    return host or "0.0.0.0", port if number is None else int(number)  # noqa: S104 -- said by the user
