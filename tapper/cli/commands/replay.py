"""`tapper replay`: a capture as if it were live."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tapper.cli.shipping import collector_options, where


def speed(text: str) -> float | None:
    """Times real time of `1x`, `10x`, `0.5x`; None of `max`."""
    if text == "max":
        return None
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)x?", text)
    if found is None or not float(found[1]):
        raise click.BadParameter(f"{text!r} is no speed; speeds are written 1x, 10x, 0.5x or max", param_hint="--speed")
    return float(found[1])


@click.command("replay", short_help="Ship captures to a collector as if they were live.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--speed", "pace", default="1x", metavar="1x|10x|max", help="Against real time (default: 1x).")
@collector_options
def command(
    files: tuple[str, ...], pace: str, collector: str, token_file: Path, ca: Path | None, certificate: Path | None
) -> None:
    """Reads captures with the time between their packets, and ships the records to a collector.

    Records keep the times of their packets; the speed says when they come.

    \b
    tapper replay shop.pcap --speed 10x --collector https://10.0.0.7:7443 --token-file token --ca ca.pem
    """
    from agent import process
    from agent.shipper import RefusedError
    from tapper.model.control import Target

    options = process.Options(
        collector=where(collector, token_file, ca, certificate),
        targets=tuple(Target("file", str(Path(file).absolute()), name=Path(file).name) for file in files),
        cores=None,
        files_once=True,
        pace=speed(pace),
    )
    try:
        process.run(options)
    except RefusedError as error:
        raise click.ClickException(str(error)) from error
