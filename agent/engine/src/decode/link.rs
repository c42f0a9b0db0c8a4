//! Link layers: from the first byte of a packet to its IP header.

use super::{Header, Rest, Walk};
use crate::packet::LinkType;

/// EtherTypes (IANA).
pub(super) mod ether {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const IPV6: u16 = 0x86dd;
    pub(crate) const PROVIDER_VLAN: u16 = 0x88a8;
    pub(crate) const OLD_PROVIDER_VLAN: u16 = 0x9100;
    /// An Ethernet frame inside of a tunnel.
    pub(crate) const BRIDGED: u16 = 0x6558;
}

/// The first step into a packet.
#[inline]
pub(super) fn enter(link: LinkType, rest: Rest<'_>) -> Walk<'_> {
    match link {
        LinkType::ETHERNET => Walk::On(Header::Ethernet, rest),
        _ => rare(link, rest).unwrap_or(Walk::Bad),
    }
}

#[inline(never)]
fn rare(link: LinkType, rest: Rest<'_>) -> Option<Walk<'_>> {
    match link {
        LinkType::LINUX_SLL => {
            let head = rest.bytes.first_chunk::<16>()?;
            Some(Walk::On(Header::Ether(u16::from_be_bytes([head[14], head[15]])), rest.skip(16)?))
        }
        LinkType::LINUX_SLL2 => {
            let head = rest.bytes.first_chunk::<20>()?;
            Some(Walk::On(Header::Ether(u16::from_be_bytes([head[0], head[1]])), rest.skip(20)?))
        }
        LinkType::RAW | LinkType::RAW_DLT | LinkType::IPV4 | LinkType::IPV6 => match rest.bytes.first()? >> 4 {
            4 => Some(Walk::On(Header::Ipv4, rest)),
            6 => Some(Walk::On(Header::Ipv6, rest)),
            _ => None,
        },
        LinkType::NULL | LinkType::LOOP => {
            // In the byte order of whoever captured it; families are small numbers, so the order can be seen.
            let family = match u32::from_be_bytes(*rest.bytes.first_chunk()?) {
                family @ 0..=0xffff => family,
                family => family.swap_bytes(),
            };
            let rest = rest.skip(4)?;
            match family {
                2 => Some(Walk::On(Header::Ipv4, rest)),
                // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
                10 | 24 | 28 | 30 => Some(Walk::On(Header::Ipv6, rest)),
                _ => Some(Walk::Skip(|counters| &mut counters.other_network)),
            }
        }
        _ => Some(Walk::Skip(|counters| &mut counters.other_link)),
    }
}

#[inline]
pub(super) fn ethernet(rest: Rest<'_>) -> Option<Walk<'_>> {
    let head = rest.bytes.first_chunk::<14>()?;
    ether_type(u16::from_be_bytes([head[12], head[13]]), rest.skip(14)?)
}

#[inline]
pub(super) fn ether_type(kind: u16, rest: Rest<'_>) -> Option<Walk<'_>> {
    match kind {
        ether::IPV4 => Some(Walk::On(Header::Ipv4, rest)),
        ether::IPV6 => Some(Walk::On(Header::Ipv6, rest)),
        ether::VLAN | ether::PROVIDER_VLAN | ether::OLD_PROVIDER_VLAN => {
            let tag = rest.bytes.first_chunk::<4>()?;
            Some(Walk::On(Header::Ether(u16::from_be_bytes([tag[2], tag[3]])), rest.skip(4)?))
        }
        ether::BRIDGED => Some(Walk::On(Header::Ethernet, rest)),
        _ => Some(Walk::Skip(|counters| &mut counters.other_network)),
    }
}
