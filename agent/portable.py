"""Live packets where the engine has no packet ring of its own (macOS, BSD): scapy captures, the engine reads a pipe.

Scapy takes some thousand packets a second; what it is too slow for, the system drops unseen and uncounted. One
interface only, none in other network namespaces, and nothing can be left out under pressure.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scapy.packet import Packet

    from agent._engine import Batch

WARNING = (
    "no packet ring on this system: scapy captures, some thousand packets a second at most, and drops are not counted"
)
POLL = 0.05
"""Seconds between two looks whether scapy failed to begin."""
JOIN = 3.0
"""Seconds that scapy may take to end."""


def is_needed() -> bool:
    """Whether the engine has no packet ring to read on this system."""
    from agent import _engine

    return not hasattr(_engine, "LiveReader")


def default_interface() -> str:
    """The one that scapy takes where none is named: that of the default route."""
    import scapy.sendrecv  # noqa: F401  it looks for the interfaces
    from scapy.config import conf

    return str(conf.iface)


class PortableReader:
    """Iterate over it like over a `LiveReader`; packets are taken from then on. `close` may come from any thread.

    Args:
        interface: None: the one that scapy takes for the default.
        exclude: (IP address, port) of ends whose traffic is left out.
        ports: only from or to these; empty: all.
        how: arguments of `FileReader`.

    Raises:
        PermissionError: not permitted to capture.
        OSError: no such interface.
    """

    def __init__(
        self,
        *,
        interface: str | None = None,
        exclude: Iterable[tuple[str, int]] = (),
        ports: Iterable[int] = (),
        **how: Any,
    ) -> None:
        import scapy.layers.l2  # noqa: F401  so that scapy knows frames by the links they come from
        from scapy.sendrecv import AsyncSniffer
        from scapy.utils import PcapWriter

        from agent._engine import FileReader

        self._pipe, end = os.pipe()
        self._writer = PcapWriter(os.fdopen(end, "wb", 0), nano=True, linktype=1)
        self._reader = FileReader([f"/dev/fd/{self._pipe}"], **how)
        wanted = {"filter": text} if (text := capture_filter(exclude, ports)) else {}
        self._sniffer = AsyncSniffer(
            iface=interface,
            store=False,
            promisc=False,
            prn=lambda packet: self._writer.write(framed(packet)),
            started_callback=self._listen,
            **wanted,
        )
        self._listening = threading.Event()
        self._sniffer.start()
        while not self._listening.wait(POLL) and self._sniffer.exception is None:
            pass  # it says nothing when it fails
        if isinstance(error := self._sniffer.exception, Exception):
            self._writer.close()
            os.close(self._pipe)
            if isinstance(error, ValueError):
                raise OSError(str(error)) from error
            raise error

    def _listen(self) -> None:
        self._writer.write_header(None)
        self._listening.set()

    def __iter__(self) -> Iterator[Batch]:
        try:
            yield from self._reader
        finally:
            os.close(self._pipe)
        if isinstance(error := self._sniffer.exception, Exception):
            raise error

    def shed(self, *, bodies: bool = False, keep_one_in: int = 1) -> None:
        """Does nothing: what costs time here is scapy, before anything could be left out."""

    def set_filter(self, *, exclude: Iterable[tuple[str, int]] = (), ports: Iterable[int] = ()) -> None:
        """Does nothing: scapy's filter is set when it opens. What is to be left out only now is seen."""

    def close(self) -> None:
        """Ends capturing; what was captured is still read."""
        if self._sniffer.running:
            self._sniffer.stop(join=False)
        self._sniffer.join(JOIN)
        self._writer.close()


def framed(packet: Packet) -> Packet:
    """As a frame of Ethernet, as the engine is told: loopback has other ones on BSD and macOS, tunnels have none."""
    from scapy.layers.l2 import Ether, Loopback

    if isinstance(packet, Ether):
        return packet
    ip = bytes(packet.payload if isinstance(packet, Loopback) else packet)
    made = Ether(bytes(12) + (b"\x86\xdd" if ip[:1] >= b"\x60" else b"\x08\x00") + ip)
    made.time = packet.time
    return made


def capture_filter(exclude: Iterable[tuple[str, int]], ports: Iterable[int]) -> str:
    """In the words of pcap-filter(7); empty: everything."""
    left_out = [
        f"not port {port}" if ip in ("0.0.0.0", "::") else f"not (host {ip} and port {port})"  # noqa: S104
        for ip, port in exclude
    ]
    taken = " or ".join(f"port {port}" for port in ports)
    return " and ".join([*left_out, *([f"({taken})"] if taken else [])])
