//! Packets to TCP segments, UDP datagrams and words of failure: link layers, IP, and the tunnels of pod networks.
//!
//! A walk from header to header, each step taking its header off the front of what is left. Nothing is believed beyond
//! the captured bytes; how much of a payload the snap length cut off follows from the IP header's length.

mod counters;
mod icmp;
mod link;
mod tunnel;

use etherparse::{IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice};

pub use self::counters::Counters;
use crate::fragment::{self, Fragments, Key, Piece};
use crate::packet::{Addr, Datagram, Decoded, Endpoint, Nanos, Packet, Segment};

/// Headers of one packet that are followed: a pod overlay inside two VLANs has nine.
const MAX_HEADERS: usize = 24;

/// IP protocol numbers (IANA).
mod protocol {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ICMP: u8 = 1;
    pub(super) const IPV4: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const IPV6: u8 = 41;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const GRE: u8 = 47;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const ICMPV6: u8 = 58;
    pub(super) const DESTINATION_OPTIONS: u8 = 60;
}

/// The decode stage. It holds the fragments of datagrams that are not whole yet.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// A datagram put together, which what was decoded from it points into.
    outer: Vec<u8>,
    /// The same, when it was itself in fragments inside of a tunnel.
    inner: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    fragments: Fragments,
    counters: Counters,
}

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
struct Rest<'a> {
    bytes: &'a [u8],
    /// How many more there were on the wire.
    missing: usize,
}

impl<'a> Rest<'a> {
    /// Without its first `n` bytes, which are there.
    #[inline]
    fn skip(self, n: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(n..)?, missing: self.missing })
    }

    /// The first `n` bytes, as a header tells: what follows them is padding.
    #[inline]
    fn limit(self, n: usize) -> Self {
        match self.bytes.get(..n) {
            Some(bytes) => Self { bytes, missing: 0 },
            None => Self { bytes: self.bytes, missing: n - self.bytes.len() },
        }
    }

    /// Its whole length on the wire.
    #[inline]
    fn len(self) -> usize {
        self.bytes.len() + self.missing
    }
}

/// What the next header is.
#[derive(Clone, Copy, Debug)]
enum Header {
    Ethernet,
    /// By its EtherType.
    Ether(u16),
    Ipv4,
    Ipv6,
    /// By its IP protocol number.
    Protocol(u8, Addr, Addr),
}

/// How one step of the walk ended.
enum Walk<'a> {
    On(Header, Rest<'a>),
    Done(Decoded<'a>),
    /// Not a packet that becomes a record; why is in the counter.
    Skip(fn(&mut Counters) -> &mut u64),
    /// Not what it claims to be, or cut within a header.
    Bad,
    Held,
    Whole(fragment::Whole, Addr, Addr),
}

/// How a walk ended.
enum Outcome<'a> {
    Decoded(Decoded<'a>),
    Whole(fragment::Whole, Addr, Addr),
}

impl Decoder {
    /// Decodes one packet. What it gives lives in the packet, or in the decoder if it came in fragments.
    #[inline]
    pub fn decode<'a>(&'a mut self, packet: &Packet<'a>) -> Decoded<'a> {
        let Self { state, outer, inner } = self;
        state.counters.packets += 1;
        state.counters.bytes += u64::from(packet.wire_len);
        let time = packet.time;
        let missing = (packet.wire_len as usize).saturating_sub(packet.data.len());
        let rest = Rest { bytes: packet.data, missing };
        let begin = link::enter(packet.link, rest);
        let (whole, src, dst) = match state.walk(begin, missing, time) {
            Outcome::Decoded(decoded) => return state.count(decoded),
            Outcome::Whole(whole, src, dst) => (whole, src, dst),
        };
        *outer = whole.bytes;
        let (whole, src, dst) = match state.walk(again(whole.protocol, src, dst, outer), 0, time) {
            Outcome::Decoded(decoded) => return state.count(decoded),
            Outcome::Whole(whole, src, dst) => (whole, src, dst),
        };
        *inner = whole.bytes;
        match state.walk(again(whole.protocol, src, dst, inner), 0, time) {
            Outcome::Decoded(decoded) => state.count(decoded),
            Outcome::Whole(..) => {
                state.counters.too_deep += 1;
                Decoded::Other
            }
        }
    }

    /// What was seen and dropped, as (stage, name, value).
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.state.counters.iter().chain(self.state.fragments.counters.iter())
    }
}

/// The first step into a datagram that was put together.
fn again(protocol: u8, src: Addr, dst: Addr, bytes: &[u8]) -> Walk<'_> {
    Walk::On(Header::Protocol(protocol, src, dst), Rest { bytes, missing: 0 })
}

impl State {
    #[inline]
    fn walk<'a>(&mut self, begin: Walk<'a>, missing: usize, time: Nanos) -> Outcome<'a> {
        let mut walk = begin;
        let mut missing = missing;
        for _ in 0..MAX_HEADERS {
            match walk {
                Walk::On(header, rest) => {
                    missing = rest.missing;
                    walk = self.step(header, rest, time).unwrap_or(Walk::Bad);
                }
                Walk::Done(decoded) => return Outcome::Decoded(decoded),
                Walk::Whole(whole, src, dst) => return Outcome::Whole(whole, src, dst),
                Walk::Held => return Outcome::Decoded(Decoded::Fragment),
                Walk::Skip(counter) => {
                    *counter(&mut self.counters) += 1;
                    return Outcome::Decoded(Decoded::Other);
                }
                Walk::Bad => {
                    let counters = &mut self.counters;
                    *(if missing > 0 { &mut counters.cut_headers } else { &mut counters.malformed }) += 1;
                    return Outcome::Decoded(Decoded::Malformed);
                }
            }
        }
        self.counters.too_deep += 1;
        Outcome::Decoded(Decoded::Other)
    }

    /// Takes one header off; `None`: it is not there, or not whole.
    #[inline]
    fn step<'a>(&mut self, header: Header, rest: Rest<'a>, time: Nanos) -> Option<Walk<'a>> {
        match header {
            Header::Ipv4 => self.ipv4(rest, time),
            Header::Ipv6 => ipv6(rest),
            Header::Protocol(number, src, dst) => self.protocol(number, src, dst, rest, time),
            Header::Ethernet => link::ethernet(rest),
            Header::Ether(kind) => link::ether_type(kind, rest),
        }
    }

    #[inline]
    fn ipv4<'a>(&mut self, rest: Rest<'a>, time: Nanos) -> Option<Walk<'a>> {
        let header = Ipv4HeaderSlice::from_slice(rest.bytes).ok()?;
        let head = header.slice().len();
        // Large sends are captured before the network card splits them; beyond 64 KiB the kernel writes no length.
        let rest = match usize::from(header.total_len()) {
            0 => rest,
            total if total < head => return None,
            total => rest.limit(total),
        };
        let rest = rest.skip(head)?;
        let (src, dst) = (Addr::v4(header.source()), Addr::v4(header.destination()));
        let protocol = header.protocol().0;
        if !header.is_fragmenting_payload() {
            return Some(Walk::On(Header::Protocol(protocol, src, dst), rest));
        }
        let key = Key { src, dst, id: header.identification().into(), protocol: Some(protocol) };
        let offset = usize::from(header.fragments_offset().value()) * 8;
        let piece = Piece { protocol, offset, more: header.more_fragments(), bytes: rest.bytes };
        Some(self.fragment(key, piece, rest, time))
    }

    #[inline]
    fn protocol<'a>(&mut self, number: u8, src: Addr, dst: Addr, rest: Rest<'a>, time: Nanos) -> Option<Walk<'a>> {
        match number {
            protocol::TCP => tcp(src, dst, rest),
            protocol::UDP => self.udp(src, dst, rest),
            _ => self.rare_protocol(number, src, dst, rest, time),
        }
    }

    #[inline(never)]
    fn rare_protocol<'a>(&mut self, number: u8, src: Addr, dst: Addr, rest: Rest<'a>, time: Nanos) -> Option<Walk<'a>> {
        let (next, head) = match number {
            protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS => {
                let header = Ipv6RawExtHeaderSlice::from_slice(rest.bytes).ok()?;
                (header.next_header(), header.slice().len())
            }
            protocol::AUTHENTICATION => {
                let header = IpAuthHeaderSlice::from_slice(rest.bytes).ok()?;
                (header.next_header(), header.slice().len())
            }
            protocol::FRAGMENT => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest.bytes).ok()?;
                let rest = rest.skip(header.slice().len())?;
                let protocol = header.next_header().0;
                if !header.is_fragmenting_payload() {
                    return Some(Walk::On(Header::Protocol(protocol, src, dst), rest));
                }
                let key = Key { src, dst, id: header.identification(), protocol: None };
                let offset = usize::from(header.fragment_offset().value()) * 8;
                let piece = Piece { protocol, offset, more: header.more_fragments(), bytes: rest.bytes };
                return Some(self.fragment(key, piece, rest, time));
            }
            protocol::IPV4 => return Some(self.tunnel(Header::Ipv4, rest)),
            protocol::IPV6 => return Some(self.tunnel(Header::Ipv6, rest)),
            protocol::GRE => {
                let Some((header, rest)) = tunnel::gre(rest)? else {
                    return Some(Walk::Skip(|counters| &mut counters.other_protocol));
                };
                return Some(self.tunnel(header, rest));
            }
            protocol::ICMP => return icmp::v4(rest),
            protocol::ICMPV6 => return icmp::v6(rest),
            _ => return Some(Walk::Skip(|counters| &mut counters.other_protocol)),
        };
        Some(Walk::On(Header::Protocol(next.0, src, dst), rest.skip(head)?))
    }

    #[inline]
    fn udp<'a>(&mut self, src: Addr, dst: Addr, rest: Rest<'a>) -> Option<Walk<'a>> {
        let head = rest.bytes.first_chunk::<8>()?;
        let rest = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
            0 => rest,
            len if len < 8 || len > rest.len() => return None,
            len => rest.limit(len),
        };
        let rest = rest.skip(8)?;
        let src = Endpoint { addr: src, port: u16::from_be_bytes([head[0], head[1]]) };
        let dst = Endpoint { addr: dst, port: u16::from_be_bytes([head[2], head[3]]) };
        if let Some((header, inner)) = tunnel::over_udp(dst.port, rest) {
            return Some(self.tunnel(header, inner));
        }
        let cut = rest.missing.try_into().unwrap_or(u32::MAX);
        Some(Walk::Done(Decoded::Udp(Datagram { src, dst, payload: rest.bytes, cut })))
    }

    fn tunnel<'a>(&mut self, header: Header, rest: Rest<'a>) -> Walk<'a> {
        self.counters.tunnels += 1;
        Walk::On(header, rest)
    }

    fn fragment<'a>(&mut self, key: Key, piece: Piece<'_>, rest: Rest<'a>, time: Nanos) -> Walk<'a> {
        if rest.missing > 0 {
            self.counters.cut_fragments += 1;
            return Walk::Held;
        }
        match self.fragments.add(key, piece, time) {
            Some(whole) => Walk::Whole(whole, key.src, key.dst),
            None => Walk::Held,
        }
    }

    #[inline]
    fn count<'a>(&mut self, decoded: Decoded<'a>) -> Decoded<'a> {
        let counters = &mut self.counters;
        let cut = match &decoded {
            Decoded::Tcp(segment) => {
                counters.tcp += 1;
                segment.cut
            }
            Decoded::Udp(datagram) => {
                counters.udp += 1;
                datagram.cut
            }
            Decoded::Unreachable(_) => {
                counters.unreachable += 1;
                0
            }
            Decoded::Fragment => {
                counters.fragments_held += 1;
                0
            }
            Decoded::Other | Decoded::Malformed => 0,
        };
        counters.cut_payloads += u64::from(cut > 0);
        counters.cut_bytes += u64::from(cut);
        decoded
    }
}

#[inline]
fn ipv6(rest: Rest<'_>) -> Option<Walk<'_>> {
    let header = Ipv6HeaderSlice::from_slice(rest.bytes).ok()?;
    let rest = rest.skip(header.slice().len())?;
    // As with IPv4: no length is written for what is larger than 64 KiB.
    let rest = match usize::from(header.payload_length()) {
        0 => rest,
        len => rest.limit(len),
    };
    let (src, dst) = (Addr::v6(header.source()), Addr::v6(header.destination()));
    Some(Walk::On(Header::Protocol(header.next_header().0, src, dst), rest))
}

#[inline]
fn tcp(src: Addr, dst: Addr, rest: Rest<'_>) -> Option<Walk<'_>> {
    let head = rest.bytes.first_chunk::<20>()?;
    let len = usize::from(head[12] >> 4) * 4;
    if len < 20 || len > rest.len() {
        return None;
    }
    // The snap length may end within the options, which nothing here needs.
    let rest = match rest.skip(len) {
        Some(rest) => rest,
        None => Rest { bytes: &[], missing: rest.len() - len },
    };
    Some(Walk::Done(Decoded::Tcp(Segment {
        src: Endpoint { addr: src, port: u16::from_be_bytes([head[0], head[1]]) },
        dst: Endpoint { addr: dst, port: u16::from_be_bytes([head[2], head[3]]) },
        seq: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ack: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
        flags: head[13],
        window: u16::from_be_bytes([head[14], head[15]]),
        payload: rest.bytes,
        cut: rest.missing.try_into().unwrap_or(u32::MAX),
    })))
}

#[cfg(test)]
mod tests;
