"""The way without a packet ring, which other systems have to go."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether, Loopback

from agent.portable import capture_filter, framed
from tests.live.network import needs_root, nginx, pair
from tests.processes import started

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_root

READ = """
import sys, threading
import pyarrow as pa
from agent.portable import PortableReader
reader = PortableReader(interface="eth0", ports=[8080], exclude=[("fd09::2", 8080)])
found = []
def read():
    for batch in reader:
        if batch.exchanges is not None:
            found.extend(pa.record_batch(batch.exchanges).select(["target", "status", "dst_ip"]).to_pylist())
            print("seen", flush=True)
thread = threading.Thread(target=read)
thread.start()
print("ready", flush=True)
sys.stdin.readline()
reader.close()
thread.join()
print(*{(row["target"], row["status"], row["dst_ip"]) for row in found})
"""


def test_requests_by_scapy(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path):
        command = client.command(sys.executable, "-c", READ)
        with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert reader.stdin is not None
            assert reader.stdout.readline() == "ready\n"
            client.run("curl", "-sS", "http://[fd09::2]:8080/plain?left-out", "http://10.9.0.2:8080/plain")
            assert reader.stdout.readline() == "seen\n"
            reader.stdin.write("end\n")
            reader.stdin.close()
            said = reader.stdout.read().splitlines()
        assert said[-1] == "('/plain', 200, '10.9.0.2')"


def test_what_is_no_ethernet_becomes_it() -> None:
    for ip, kind in ((IP(dst="10.0.0.1"), 0x0800), (IPv6(dst="fd00::1"), 0x86DD)):
        for packet in (Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / ip, Loopback() / ip, ip):
            packet.time = 17.5
            frame = framed(packet)
            assert (frame.type, bytes(frame)[14:], frame.time) == (kind, bytes(ip), 17.5)


def test_filters_in_the_words_of_libpcap() -> None:
    assert capture_filter([], []) == ""
    assert capture_filter([("10.0.0.1", 1), ("::", 2)], [80, 81]) == (
        "not (host 10.0.0.1 and port 1) and not port 2 and (port 80 or port 81)"
    )
