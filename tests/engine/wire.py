"""From a scenario's events to packets, headers built by scapy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption, fragment
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
    fragment6,
)
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet as Layer
from scapy.packet import Raw

from tests.engine.payload import ScenarioError
from tests.engine.scenario import START, Address, Connection, Event, Scenario

SEGMENT_STEP = 10_000
"""Between the segments of one event, ns."""
ACK_DELAY = 20_000
HANDSHAKE_STEP = 100_000
CLOSE_STEP = 50_000

Split = Callable[[int], list[int]]
"""Sizes of the pieces that a payload of some size is cut into."""


@dataclass(frozen=True)
class Packet:
    """A packet as it passes the place of capture, from the network layer on."""

    time: int
    data: bytes
    ethertype: int
    tags: tuple[tuple[int, int], ...] = ()
    """VLAN tags, outer first: TPID and TCI."""
    flow: tuple[str, str] = ("", "")
    """Connection and sender."""
    loaded: bool = False
    """Whether it is a TCP segment with payload."""


@dataclass
class Peer:
    """What one end of a TCP connection has sent."""

    isn: int
    sent: int = -1
    """Stream offset of the next byte; -1: not even SYN."""
    last: Layer | None = None

    def seq(self, offset: int) -> int:
        return (self.isn + 1 + offset) % (1 << 32)


OTHER = {"client": "server", "server": "client"}
ETHERTYPES = {4: 0x0800, 6: 0x86DD}
UNREACHABLE = {"net": (0, 0), "host": (1, 3), "port": (3, 4), "admin": (13, 1)}
"""Word -> code of ICMP, code of ICMPv6."""


def network(src: Address, dst: Address, ident: int, via: Iterable[str]) -> Layer:
    """An IP header with the options and extension headers that `via` names."""
    if ":" not in src.ip:
        options = [IPOption(b"\x94\x04\x00\x00")] if "options" in via else []
        return IP(
            src=src.ip, dst=dst.ip, id=ident, flags="" if any("fragment" in v for v in via) else "DF", options=options
        )
    layer: Layer = IPv6(src=src.ip, dst=dst.ip)
    headers = {
        "ipv6 hop-by-hop": IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]),
        "ipv6 routing": IPv6ExtHdrRouting(type=0, segleft=0, addresses=["fd00::ffff"]),
        "ipv6 destination": IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]),
    }
    for name in via:
        if name in headers:
            layer = layer / headers[name]
    if any("fragment" in v for v in via):
        layer = layer / IPv6ExtHdrFragment(id=ident)
    return layer


def fragments(packet: Layer, size: int) -> list[Layer]:
    """The packet in fragments of at most `size` bytes of payload."""
    if IPv6 in packet:
        return list(fragment6(packet, size + 48)) if len(bytes(packet)) > size + 48 else [packet]
    return list(fragment(packet, size))


def inner_frame(packet: Layer) -> Layer:
    """The packet as an Ethernet frame in a tunnel; scapy would ask the network for addresses that are not given."""
    ethertype = ETHERTYPES[packet.version]
    return Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04", type=ethertype) / packet


def wrapped(packet: Layer, how: str, outer: tuple[str, str], ident: int) -> list[Layer]:
    """The packet as one step of `via` makes it."""
    kind, *numbers = how.split()
    around = IP(src=outer[0], dst=outer[1], id=ident)
    match kind, numbers:
        case "vxlan", [vni]:
            port = UDP(sport=49152 + ident % 1000, dport=4789)
            return [around / port / VXLAN(vni=int(vni), flags=8) / inner_frame(packet)]
        case "gre", []:
            return [around / GRE() / packet]
        case "gre", ["ethernet"]:
            return [around / GRE(proto=0x6558) / inner_frame(packet)]
        case "gre", ["key", key]:
            return [around / GRE(key_present=1, key=int(key), seqnum_present=1, sequence_number=ident) / packet]
        case "ipip", []:
            return [around / packet]
        case "ip6ip6", []:
            return [IPv6(src=f"2001:db8::{outer[0][-1]}", dst=f"2001:db8::{outer[1][-1]}") / packet]
        case "fragment", [size]:
            return fragments(packet, int(size))
        case (("options" | "ipv6" | "vlan" | "qinq"), _):
            return [packet]
    raise ScenarioError(f"via {how!r}: unknown")


def vlan_tags(via: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """The tags of `vlan N` and `qinq OUTER INNER`."""
    for how in via:
        if match := re.fullmatch(r"vlan (\d+)", how):
            return ((0x8100, int(match[1])),)
        if match := re.fullmatch(r"qinq (\d+) (\d+)", how):
            return ((0x88A8, int(match[1])), (0x8100, int(match[2])))
    return ()


@dataclass
class Timeline:
    """Turns events into packets, one after another."""

    resplit: Split | None = None
    now: int = START
    packets: list[Packet] = field(default_factory=list)
    peers: dict[str, dict[str, Peer]] = field(default_factory=dict)
    ident: count[int] = field(default_factory=lambda: count(1))

    def play(self, event: Event) -> None:
        """One event, and what follows from it."""
        conn = event.on
        if conn.name not in self.peers:
            self.begin(conn, event.after)
        else:
            self.now += event.after
        peers = self.peers[conn.name]
        if event.frame is not None:
            ethertype = int.from_bytes(event.frame[12:14], "big")
            self.packets.append(Packet(self.now, event.frame[14:], ethertype))
        elif event.unreachable:
            self.unreachable(conn, event.unreachable)
        elif event.close:
            self.close(conn, event.close)
        elif event.side and conn.transport == "udp":
            self.datagram(event)
        elif event.side:
            self.segments(event, peers[event.side], peers[OTHER[event.side]])

    def begin(self, conn: Connection, after: int) -> None:
        """The handshake, which is the first of all packets or comes `after` those of other connections."""
        self.peers[conn.name] = {"client": Peer(conn.client_seq), "server": Peer(conn.server_seq)}
        if conn.transport == "udp" or not conn.handshake:
            self.now += after
            return
        if self.packets:
            self.now += after
            after = HANDSHAKE_STEP
        for side, flags in (("client", "S"), ("server", "SA"), ("client", "A")):
            self.control(conn, side, flags)
            self.now += HANDSHAKE_STEP if flags != "A" else after

    def close(self, conn: Connection, first: str) -> None:
        for side, flags in ((first, "FA"), (OTHER[first], "FA"), (first, "A")):
            self.control(conn, side, flags)
            self.now += CLOSE_STEP

    def control(self, conn: Connection, side: str, flags: str, window: int = 512, time: int | None = None) -> None:
        """A segment without payload that follows what was sent."""
        me, peer = self.peers[conn.name][side], self.peers[conn.name][OTHER[side]]
        if "S" in flags:
            me.sent = -1
        seq = 0 if "R" in flags and me.sent < 0 else me.seq(max(me.sent, 0) if "S" not in flags else -1)
        ack = peer.seq(max(peer.sent, 0)) if "A" in flags else 0
        self.emit(conn, side, TCP(seq=seq, ack=ack, flags=flags, window=window), b"", time or self.now)
        if "S" in flags:
            me.sent = 0
        if "F" in flags:
            me.sent += 1

    def segments(self, event: Event, me: Peer, peer: Peer) -> None:
        """The payload of the event in segments, and the peer's acknowledgement."""
        conn, side = event.on, event.side or ""
        flags = "".join(name[0] for name in (event.flags or "").split())
        if not event.payload and event.at is None and event.shift is None and event.ack is None:
            self.control(conn, side, flags or "A", event.window)
            self.choose(event, [self.packets[-1:]])
            return
        me.sent, peer.sent = max(me.sent, 0), max(peer.sent, 0)
        start = (event.at if event.at is not None else me.sent) + (event.shift or 0)
        ack = peer.seq(event.ack if event.ack is not None else peer.sent)
        made: list[list[Packet]] = []
        done = 0
        segments = sizes(len(event.payload), event.split, conn.mss)
        for number, size in enumerate(segments):
            self.now += SEGMENT_STEP if number else 0
            group: list[Packet] = []
            # The segments in the middle of a large body stay whole: more of the same would test nothing new.
            outer = number < 2 or number == len(segments) - 1
            for piece in self.resplit(size) if self.resplit and size and outer else [size]:
                data = event.payload[done : done + piece]
                final = done + piece == len(event.payload)
                layer = TCP(
                    seq=me.seq(start + done), ack=ack, flags=(flags or "PA") if final else "A", window=event.window
                )
                group += self.emit(conn, side, layer, data, self.now)
                done += piece
            made.append(group)
        self.choose(event, made)
        if event.shift is None:
            me.sent = max(me.sent, start + done + ("F" in flags))
        if conn.acks if event.acked is None else event.acked:
            self.control(conn, OTHER[side], "A", time=self.now + ACK_DELAY)

    def datagram(self, event: Event) -> None:
        self.choose(event, [self.emit(event.on, event.side or "", UDP(), event.payload, self.now)])

    def emit(self, conn: Connection, side: str, transport: Layer, data: bytes, time: int) -> list[Packet]:
        """Builds one segment or datagram and gives the packets that it became."""
        src, dst = (conn.client, conn.server) if side == "client" else (conn.server, conn.client)
        transport.sport, transport.dport = src.port, dst.port
        ident = next(self.ident)
        packet = network(src, dst, ident, conn.via) / transport / Raw(data)
        self.peers[conn.name][side].last = packet
        layers = [packet]
        outer = ("192.0.2.1", "192.0.2.2") if side == "client" else ("192.0.2.2", "192.0.2.1")
        for how in reversed(conn.via):
            layers = [w for layer in layers for w in wrapped(layer, how, outer, ident)]
        made = []
        for layer in layers:
            raw = bytes(layer)
            loaded = bool(data) and conn.transport == "tcp"
            made.append(Packet(time, raw, ETHERTYPES[raw[0] >> 4], vlan_tags(conn.via), (conn.name, side), loaded))
        self.packets += made
        return made

    def choose(self, event: Event, groups: list[list[Packet]]) -> None:
        """Drops, repeats and delays the packets of the event that its options name by number."""
        if self.resplit is None:
            groups = [[packet] for group in groups for packet in group]  # fragments are named one by one
        total = sum(len(g) for g in groups)
        del self.packets[len(self.packets) - total :]
        delayed = event.delayed or (frozenset(range(len(groups))) if event.delay else frozenset())
        for number, group in enumerate(groups):
            if number in event.drop:
                continue
            late = event.delay if number in delayed else 0
            kept = [replace(p, time=p.time + late) for p in group]
            self.packets += kept * (2 if number in event.duplicate else 1)

    def unreachable(self, conn: Connection, word: str) -> None:
        """The server's host, or a router, says that the client's last packet can't be delivered."""
        about = self.peers[conn.name]["client"].last
        if about is None:
            raise ScenarioError("unreachable: the client has sent nothing")
        code, code6 = UNREACHABLE[word]
        if IPv6 in about:
            packet = IPv6(src=conn.server.ip, dst=conn.client.ip) / ICMPv6DestUnreach(code=code6) / Raw(bytes(about))
        else:
            packet = IP(src=conn.server.ip, dst=conn.client.ip) / ICMP(type=3, code=code) / Raw(bytes(about)[:28])
        raw = bytes(packet)
        self.packets.append(Packet(self.now, raw, ETHERTYPES[raw[0] >> 4], vlan_tags(conn.via)))


def sizes(total: int, split: tuple[int, ...], mss: int) -> list[int]:
    """Sizes of the segments: those asked for, then full ones."""
    made: list[int] = []
    wanted = iter(split)
    while total:
        size = min(next(wanted, mss), total)
        made.append(size)
        total -= size
    return made or [0]


def play(scenario: Scenario, resplit: Split | None = None) -> list[Packet]:
    """The packets of a scenario in the order of their capture.

    Args:
        scenario: what happens.
        resplit: cuts every segment further, without a change to times.
    """
    timeline = Timeline(resplit)
    for event in scenario.events:
        timeline.play(event)
    return sorted(timeline.packets, key=lambda p: p.time)
