"""Writes the captures of this folder: packets by scapy, so that another hand than the engine's made them.

Run: `python make.py`, with scapy and editcap installed. The `.txt` beside each file says what is in it, packet by
packet; it was compared with what tshark makes of the same file. The packets are also written as seeds of the fuzz
target `decode`.
"""

import gzip
import subprocess
from pathlib import Path

from scapy.all import (
    ARP,
    GRE,
    ICMP,
    IP,
    TCP,
    UDP,
    CookedLinux,
    CookedLinuxV2,
    Dot1AD,
    Dot1Q,
    Ether,
    ICMPv6DestUnreach,
    IPOption_Router_Alert,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    Loopback,
    Packet,
    Raw,
    RawPcapWriter,
    fragment,
    fragment6,
    wrpcap,
)
from scapy.contrib.geneve import GENEVE
from scapy.layers.vxlan import VXLAN

HERE = Path(__file__).parent
SEEDS = HERE.parent.parent / "fuzz" / "seeds" / "decode"
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4 = IP(src="10.0.0.1", dst="10.0.0.2")
V6 = IPv6(src="fd00::1", dst="fd00::2")
OVERLAY = IP(src="192.168.0.1", dst="192.168.0.2")


def tcp(text: str = "hello", **fields: object) -> Packet:
    options = [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))]
    return TCP(sport=40000, dport=80, seq=1000, ack=2000, flags="PA", options=options, **fields) / Raw(text)


def udp(text: str = "hello") -> Packet:
    return UDP(sport=5353, dport=53) / Raw(text)


def shapes() -> list[Packet]:
    """One packet of each shape on Ethernet."""
    frame = Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04")
    return [
        ETHER / V4 / tcp(),
        ETHER / V4 / TCP(sport=40000, dport=80, seq=999, flags="S"),
        ETHER / V4 / TCP(sport=40000, dport=80, seq=4294967295, ack=7, flags="RA", window=0),
        ETHER / V6 / tcp(),
        ETHER / V4 / udp(""),
        ETHER / IP(src="10.0.0.1", dst="10.0.0.2", options=[IPOption_Router_Alert()]) / tcp(),
        ETHER / Dot1Q(vlan=7) / V4 / tcp(),
        ETHER / Dot1AD(vlan=7) / Dot1Q(vlan=8) / V6 / udp(),
        ETHER / V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting() / IPv6ExtHdrDestOpt() / tcp(),
        ETHER / OVERLAY / GRE() / V4 / tcp(),
        ETHER / OVERLAY / GRE(chksum_present=1, key_present=1, key=7, seqnum_present=1) / V6 / tcp(),
        ETHER / OVERLAY / GRE(proto=0x6558, key_present=1, key=7) / frame / V4 / udp(),
        ETHER / OVERLAY / V4 / tcp(),
        ETHER / OVERLAY / V6 / tcp(),
        ETHER / V6 / V4 / tcp(),
        ETHER / OVERLAY / UDP(sport=50000, dport=4789) / VXLAN(vni=7, flags=8) / frame / V4 / tcp(),
        ETHER / OVERLAY / UDP(sport=50000, dport=8472) / VXLAN(vni=7, flags=8) / frame / Dot1Q(vlan=9) / V6 / udp(),
        ETHER / OVERLAY / UDP(sport=50000, dport=6081) / GENEVE(vni=7, proto=0x6558) / frame / V4 / tcp(),
        ETHER / ARP(psrc="10.0.0.1", pdst="10.0.0.2"),
        ETHER / V4 / ICMP(),
        ETHER / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(type=3, code=3) / V4 / udp(),
        ETHER / IP(src="10.0.0.9", dst="10.0.0.1") / ICMP(type=3, code=10) / V4 / tcp(),
        ETHER / IPv6(src="fd00::2", dst="fd00::1") / ICMPv6DestUnreach(code=4) / V6 / udp(),
    ]


def fragments() -> list[Packet]:
    """Datagrams in pieces, some out of order, twice, or in an overlay."""
    text = "".join(chr(ord("a") + i % 26) for i in range(100))
    v4 = fragment(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", id=1) / udp(text), fragsize=40)
    v6 = fragment6(ETHER / V6 / IPv6ExtHdrFragment(id=2) / udp(text * 15), 1300)
    inner = ETHER / IP(src="10.0.0.1", dst="10.0.0.2", id=3) / tcp(text)
    outer = IP(src="192.168.0.1", dst="192.168.0.2", id=4)
    overlay = fragment(ETHER / outer / UDP(sport=50000, dport=8472) / VXLAN(vni=7, flags=8) / inner, fragsize=80)
    return [*reversed(v4), v4[0], *v6, overlay[1], overlay[0], *overlay[2:]]


def save(name: str, packets: list[Packet], linktype: int) -> None:
    for i, packet in enumerate(packets):
        packet.time = 1_700_000_000 + i
    wrpcap(str(HERE / name), packets, linktype=linktype)


def main() -> None:
    SEEDS.mkdir(parents=True, exist_ok=True)
    for name, packets in (every := {"shapes": shapes(), "fragments": fragments()}).items():
        save(f"{name}.pcap", packets, 1)
        seed = (b"\0\1" + len(packet).to_bytes(2, "big") + b"\0" + bytes(packet) for packet in packets)
        (SEEDS / name).write_bytes(b"".join(seed))
    subprocess.run(["editcap", "-F", "pcapng", HERE / "shapes.pcap", HERE / "shapes.pcapng"], check=True)
    (HERE / "shapes.pcap.gz").write_bytes(gzip.compress((HERE / "shapes.pcap").read_bytes(), mtime=0))
    with RawPcapWriter(str(HERE / "cut.pcap"), linktype=1) as cut:
        cut.write_header(None)
        for packet in every["shapes"]:
            cut.write_packet(bytes(packet)[:66], sec=int(packet.time), wirelen=len(packet))
    save("sll.pcap", [CookedLinux(proto=0x0800) / V4 / tcp(), CookedLinux(proto=0x86DD) / V6 / tcp()], 113)
    cooked = [CookedLinuxV2(proto=0x0800, ifindex=3) / V4 / tcp(), CookedLinuxV2(proto=0x86DD, ifindex=4) / V6 / udp()]
    save("sll2.pcap", cooked, 276)
    save("null.pcap", [Loopback(type=2) / V4 / tcp(), Loopback(type=30) / V6 / tcp()], 0)
    save("raw.pcap", [V4 / tcp(), V6 / tcp()], 101)


if __name__ == "__main__":
    main()
