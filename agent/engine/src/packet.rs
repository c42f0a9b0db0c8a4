//! What travels between the first stages: packets as captured, segments and datagrams as decoded.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Nanoseconds since the Unix epoch, UTC. Time is data here: it comes with the packet, never from a clock.
pub type Nanos = i64;

/// The link layer of a capture, by its pcap LINKTYPE_ number (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP, as some tools write it (the host's DLT_RAW).
    pub const RAW_DLT: Self = Self(12);
    /// Raw IP: the version is in the first nibble.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One packet as a source gives it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was captured.
    pub time: Nanos,
    /// What was captured, from the link layer on; shorter than `wire_len` if the snap length cut it.
    pub data: &'a [u8],
    /// Its length on the wire, bytes.
    pub wire_len: u32,
    /// How `data` begins.
    pub link: LinkType,
    /// Where it was seen.
    pub sight: Sight,
    /// Tag protocol and tag of the VLAN, if the capturing machine took them off the front of `data`.
    pub vlan: Option<(u16, u16)>,
}

/// Where a packet was seen: one that is forwarded is seen several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Index of the interface, within its source.
    pub interface: u32,
    /// Which way it went.
    pub direction: Direction,
}

/// Which way a packet went, seen from the machine that captured it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Not known.
    #[default]
    Unknown,
    /// It came in.
    In,
    /// It went out.
    Out,
}

/// An IP address; IPv4 is held as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that one compare serves both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Addr(pub u128);

impl Addr {
    const V4_MAPPED: u128 = 0xffff << 32;

    /// From the four bytes of an IPv4 header.
    #[inline]
    pub fn v4(bytes: [u8; 4]) -> Self {
        Self(Self::V4_MAPPED | u32::from_be_bytes(bytes) as u128)
    }

    /// From the sixteen bytes of an IPv6 header.
    #[inline]
    pub fn v6(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// As the standard library's type.
    pub fn ip(self) -> IpAddr {
        if self.0 >> 32 == 0xffff {
            IpAddr::V4(Ipv4Addr::from(self.0 as u32))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.0))
        }
    }

    /// 127.0.0.0/8 or ::1.
    pub fn is_loopback(self) -> bool {
        self.ip().is_loopback()
    }
}

impl std::fmt::Debug for Addr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.ip())
    }
}

/// One end of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// IP address.
    pub addr: Addr,
    /// TCP or UDP port.
    pub port: u16,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.addr.ip(), self.port)
    }
}

/// TCP flags that the stream stage looks at (RFC 9293 section 3.1), by their bit in the header.
pub mod flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The acknowledgement number is valid.
    pub const ACK: u8 = 0x10;
}

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// Sequence number of the first payload byte (of SYN, if set).
    pub seq: u32,
    /// Acknowledgement number; valid if `flags & ACK`.
    pub ack: u32,
    /// See [`flags`].
    pub flags: u8,
    /// Receive window as sent, unscaled.
    pub window: u16,
    /// Payload as captured.
    pub payload: &'a [u8],
    /// Payload bytes on the wire that the snap length cut off.
    pub cut: u32,
    /// Where it was seen.
    pub sight: Sight,
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// Payload as captured.
    pub payload: &'a [u8],
    /// Payload bytes on the wire that the snap length cut off.
    pub cut: u32,
    /// Where it was seen.
    pub sight: Sight,
}

/// An ICMP or ICMPv6 "destination unreachable" about a flow that we may know.
#[derive(Clone, Copy, Debug)]
pub struct Unreachable {
    /// IP protocol number of the packet that could not be delivered: 6 or 17.
    pub protocol: u8,
    /// Its sender.
    pub src: Endpoint,
    /// Its destination.
    pub dst: Endpoint,
    /// What it means: "port unreachable", "host unreachable", "administratively prohibited" ...
    pub reason: &'static str,
}

/// What the decode stage finds in a packet.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// Word that a packet could not be delivered.
    Unreachable(Unreachable),
    /// A fragment that waits for its siblings.
    Fragment,
    /// Nothing that becomes a record (ARP, other IP protocols); counted.
    Other,
    /// Not what it claims to be, or cut within its headers; counted.
    Malformed,
}
