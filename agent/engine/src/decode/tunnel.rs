//! Tunnels that pod networks and clouds put packets into: GRE, VXLAN, Geneve.

use super::link::ether;
use super::{MAX_DEPTH, Rest, State};
use crate::packet::Decoded;

/// VXLAN as assigned (RFC 7348), and as Linux uses it by default (flannel, Cilium).
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
/// Geneve (RFC 8926).
const GENEVE_PORT: u16 = 6081;

/// What is in a tunnel: its EtherType and its bytes.
pub(super) type Inner<'a> = (u16, Rest<'a>);

impl State {
    /// GRE (RFC 2784, RFC 2890).
    pub(super) fn gre<'a>(&mut self, rest: Rest<'a>) -> Option<Decoded<'a>> {
        const CHECKSUM: u8 = 0x80;
        const ROUTING: u8 = 0x40;
        const KEY: u8 = 0x20;
        const SEQUENCE: u8 = 0x10;
        let &[flags, version, high, low] = rest.bytes.first_chunk()?;
        let kind = u16::from_be_bytes([high, low]);
        if version & 7 != 0 || flags & ROUTING != 0 {
            return Some(self.other_protocol());
        }
        let options = (flags & (CHECKSUM | KEY | SEQUENCE)).count_ones() as usize;
        self.tunnel((kind, rest.skip(4 + 4 * options)?))
    }

    #[inline(never)]
    pub(super) fn tunnel<'a>(&mut self, (kind, rest): Inner<'a>) -> Option<Decoded<'a>> {
        if rest.depth == MAX_DEPTH {
            return Some(self.too_deep());
        }
        self.counters.tunnels += 1;
        self.ether_type(kind, Rest { depth: rest.depth + 1, ..rest })
    }
}

/// Takes a VXLAN or Geneve header off a datagram. A port alone proves nothing: the header must be sound, and what it
/// carries must begin like a packet.
#[inline]
pub(super) fn over_udp(port: u16, rest: Rest<'_>) -> Option<Inner<'_>> {
    if VXLAN_PORTS.contains(&port) {
        vxlan(rest)
    } else if port == GENEVE_PORT {
        geneve(rest)
    } else {
        None
    }
}

fn vxlan(rest: Rest<'_>) -> Option<Inner<'_>> {
    const HAS_NETWORK: u8 = 0x08;
    let head = rest.bytes.first_chunk::<8>()?;
    if head[0] & HAS_NETWORK == 0 || head[7] != 0 {
        return None;
    }
    frame(rest.skip(8)?)
}

fn geneve(rest: Rest<'_>) -> Option<Inner<'_>> {
    let head = rest.bytes.first_chunk::<8>()?;
    let version = head[0] >> 6;
    if version != 0 || head[7] != 0 {
        return None;
    }
    let inner = rest.skip(8 + 4 * usize::from(head[0] & 0x3f))?;
    match u16::from_be_bytes([head[2], head[3]]) {
        ether::BRIDGED => frame(inner),
        kind @ (ether::IPV4 | ether::IPV6) => Some((kind, inner)),
        _ => None,
    }
}

fn frame(rest: Rest<'_>) -> Option<Inner<'_>> {
    let head = rest.bytes.first_chunk::<14>()?;
    let known = [ether::IPV4, ether::IPV6, ether::VLAN, ether::PROVIDER_VLAN, ether::ARP];
    known.contains(&u16::from_be_bytes([head[12], head[13]])).then_some((ether::BRIDGED, rest))
}
