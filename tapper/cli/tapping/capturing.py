"""Whether packets can be captured here, and how: by the engine from a packet ring or, where there is none, by scapy."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import click

from tapper.cli.problems import say

if TYPE_CHECKING:
    from tapper.cli.tapping.raw import Raw

ELSEWHERE = "tcpdump -w FILE, then `tapper read FILE`"


def interfaces_of(
    interfaces: tuple[str, ...], pids: tuple[int, ...], raw: Raw | None, *, quiet: bool
) -> tuple[str, ...]:
    """The interfaces to tap, as they are wanted; none: all. Tells early, and in words that help, what can't be.

    Raises:
        ClickException: what is missing, and the command that helps.
    """
    from agent import portable

    if not portable.is_needed():
        _may_capture()
        return interfaces
    if pids or raw is not None:
        raise click.UsageError(f"--pid, --pcap and -o pcap need the packet ring of Linux; here: {ELSEWHERE}")
    found = tuple(name for name in interfaces if name != "any") or (portable.default_interface(),)
    if not quiet:
        say(f"{portable.WARNING}; on {', '.join(found)}, -i names another")
    return found


def _may_capture() -> None:
    from agent.rights import advice

    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES):
            raise
        missing = PermissionError("to capture, CAP_NET_RAW is missing")
        raise click.ClickException(f"{advice(missing)}  (without it: `tapper demo`, or `tapper read FILE`)") from error
