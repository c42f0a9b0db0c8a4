"""The raw packets of a tap, kept."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import PcapNgReader

from agent._engine import FileReader
from tests.live.network import needs_root, nginx, pair, wait_until
from tests.live.tap import Tap

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_root

URL = "http://10.9.0.2:8080/plain"


def test_a_vlan_on_the_wire(tmp_path: Path) -> None:
    """The kernel takes the tag off; it is put back into what is kept."""
    frames = conversation()
    with pair() as (client, server), Tap(netns=server.path, record=str(tmp_path / "vlan.pcapng")) as tap:
        send = (
            "import socket, sys\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\ns.bind(('eth0', 0))\n"
            "for line in sys.argv[1:]: s.send(bytes.fromhex(line))"
        )
        client.run(sys.executable, "-c", send, *(frame.hex() for frame in frames))
        wait_until(lambda: bool(tap.exchanges()))
    assert [(e["target"], e["status"]) for e in tap.exchanges()] == [("/tagged", 200)]
    kept = [bytes(packet) for packet in PcapNgReader(str(tmp_path / "vlan.pcapng")) if Dot1Q in packet]
    assert kept == frames


def conversation() -> list[bytes]:
    """A call over TCP in VLAN 7 of VLAN 9 (802.1ad)."""
    head, frames = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02"), []
    request, response = b"GET /tagged HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    for side, data, seq, ack in ((0, request, 1, 1), (1, response, 1, 1 + len(request))):
        ips, ports = ["10.9.0.1", "10.9.0.2"], [4000, 80]
        tags = Dot1AD(vlan=9) / Dot1Q(vlan=7)
        ip = IP(src=ips[side], dst=ips[1 - side]) / TCP(
            sport=ports[side], dport=ports[1 - side], flags="A", seq=seq, ack=ack
        )
        frames.append(bytes(head / tags / ip / Raw(data)))
    return frames


def test_a_recording_gives_the_same_records(tmp_path: Path) -> None:

    record = tmp_path / "tap.pcapng"
    with (
        pair() as (client, server),
        nginx(server, tmp_path),
        Tap(netns=client.path, record=str(record), origin=0) as tap,
    ):
        client.run("curl", "-sS", URL, f"{URL}?again", "http://[fd09::2]:8080/none")
    assert record.stat().st_mode & 0o777 == 0o600
    again = Tap(interface="lo")
    again.batches = list(FileReader([str(record)]))
    assert again.exchanges() == tap.exchanges()
    assert [c["id"] for c in again.connections()] == [c["id"] for c in tap.connections()]
    again.reader.close()
    assert tap.counters()["recording.packets"] == tap.counters()["source.packets"]


def test_a_recording_is_bounded(tmp_path: Path) -> None:
    with (
        pair() as (client, server),
        nginx(server, tmp_path, files={"large": bytes(8 << 20)}),
        Tap(netns=client.path, record=str(tmp_path / "one.pcapng"), record_bytes=1 << 20) as one,
        Tap(netns=client.path, record=str(tmp_path / "ring.pcapng"), record_bytes=2 << 20, record_files=2) as ring,
    ):
        client.run("curl", "-sS", "-o", "/dev/null", "http://10.9.0.2:8080/large")
    assert (tmp_path / "one.pcapng").stat().st_size <= 1 << 20
    assert one.counters()["recording.dropped"] > 0
    files = sorted(tmp_path.glob("ring-*.pcapng"))
    assert len(files) == 2
    assert sum(file.stat().st_size for file in files) <= 2 << 20
    assert ring.counters()["recording.dropped"] == 0
