//! Tunnels that pod networks and clouds put packets into: GRE, VXLAN, Geneve.

use super::link::ether;
use super::{Header, Rest};

/// VXLAN as assigned (RFC 7348), and as Linux uses it by default (flannel, Cilium).
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
/// Geneve (RFC 8926).
const GENEVE_PORT: u16 = 6081;

/// Takes a GRE header off (RFC 2784, RFC 2890); `Some(None)`: a kind of GRE that carries no packet of ours.
pub(super) fn gre(rest: Rest<'_>) -> Option<Option<(Header, Rest<'_>)>> {
    const CHECKSUM: u8 = 0x80;
    const ROUTING: u8 = 0x40;
    const KEY: u8 = 0x20;
    const SEQUENCE: u8 = 0x10;
    let &[flags, version, high, low] = rest.bytes.first_chunk()?;
    let kind = u16::from_be_bytes([high, low]);
    if version & 7 != 0 || flags & ROUTING != 0 || !matches!(kind, ether::IPV4 | ether::IPV6 | ether::BRIDGED) {
        return Some(None);
    }
    let options = (flags & (CHECKSUM | KEY | SEQUENCE)).count_ones() as usize;
    Some(Some((Header::Ether(kind), rest.skip(4 + 4 * options)?)))
}

/// Takes a VXLAN or Geneve header off a datagram. A port alone proves nothing: the header must be sound, and what it
/// carries must begin like a packet.
#[inline]
pub(super) fn over_udp(port: u16, rest: Rest<'_>) -> Option<(Header, Rest<'_>)> {
    if VXLAN_PORTS.contains(&port) {
        vxlan(rest)
    } else if port == GENEVE_PORT {
        geneve(rest)
    } else {
        None
    }
}

fn vxlan(rest: Rest<'_>) -> Option<(Header, Rest<'_>)> {
    const HAS_NETWORK: u8 = 0x08;
    let head = rest.bytes.first_chunk::<8>()?;
    if head[0] & HAS_NETWORK == 0 || head[7] != 0 {
        return None;
    }
    frame(rest.skip(8)?)
}

fn geneve(rest: Rest<'_>) -> Option<(Header, Rest<'_>)> {
    let head = rest.bytes.first_chunk::<8>()?;
    let version = head[0] >> 6;
    if version != 0 || head[7] != 0 {
        return None;
    }
    let inner = rest.skip(8 + 4 * usize::from(head[0] & 0x3f))?;
    match u16::from_be_bytes([head[2], head[3]]) {
        ether::BRIDGED => frame(inner),
        kind @ (ether::IPV4 | ether::IPV6) => Some((Header::Ether(kind), inner)),
        _ => None,
    }
}

fn frame(rest: Rest<'_>) -> Option<(Header, Rest<'_>)> {
    const ARP: u16 = 0x0806;
    let head = rest.bytes.first_chunk::<14>()?;
    let known = [ether::IPV4, ether::IPV6, ether::VLAN, ether::PROVIDER_VLAN, ARP];
    known.contains(&u16::from_be_bytes([head[12], head[13]])).then_some((Header::Ethernet, rest))
}
