//! Link layers: from the first byte of a packet to its IP header.

use super::{MAX_DEPTH, Rest, State};
use crate::packet::{Decoded, Direction, LinkType, Sight};

/// EtherTypes (IANA).
pub(super) mod ether {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const IPV6: u16 = 0x86dd;
    pub(crate) const PROVIDER_VLAN: u16 = 0x88a8;
    pub(crate) const OLD_PROVIDER_VLAN: u16 = 0x9100;
    /// An Ethernet frame inside of a tunnel.
    pub(crate) const BRIDGED: u16 = 0x6558;
}

impl State {
    #[inline]
    pub(super) fn link<'a>(&mut self, link: LinkType, rest: Rest<'a>) -> Option<Decoded<'a>> {
        if link == LinkType::ETHERNET { self.ethernet(rest) } else { self.rare_link(link, rest) }
    }

    #[inline]
    pub(super) fn ethernet<'a>(&mut self, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let head = rest.bytes.first_chunk::<14>()?;
        self.ether_type(u16::from_be_bytes([head[12], head[13]]), rest.skip(14)?)
    }

    #[inline]
    pub(super) fn ether_type<'a>(&mut self, kind: u16, rest: Rest<'a>) -> Option<Decoded<'a>> {
        match kind {
            ether::IPV4 => self.ipv4(rest),
            ether::IPV6 => self.ipv6(rest),
            _ => self.rare_ether_type(kind, rest),
        }
    }

    #[inline(never)]
    fn rare_ether_type<'a>(&mut self, kind: u16, rest: Rest<'a>) -> Option<Decoded<'a>> {
        if rest.depth == MAX_DEPTH {
            return Some(self.too_deep());
        }
        let rest = Rest { depth: rest.depth + 1, ..rest };
        match kind {
            ether::VLAN | ether::PROVIDER_VLAN | ether::OLD_PROVIDER_VLAN => {
                let tag = rest.bytes.first_chunk::<4>()?;
                self.ether_type(u16::from_be_bytes([tag[2], tag[3]]), rest.skip(4)?)
            }
            ether::BRIDGED => self.ethernet(rest),
            _ => Some(self.other_network()),
        }
    }

    #[inline(never)]
    fn rare_link<'a>(&mut self, link: LinkType, rest: Rest<'a>) -> Option<Decoded<'a>> {
        match link {
            LinkType::LINUX_SLL => {
                let head = rest.bytes.first_chunk::<16>()?;
                self.sight.direction = direction(head[1]);
                self.ether_type(u16::from_be_bytes([head[14], head[15]]), rest.skip(16)?)
            }
            LinkType::LINUX_SLL2 => {
                let head = rest.bytes.first_chunk::<20>()?;
                let interface = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
                self.sight = Sight { interface, direction: direction(head[10]) };
                self.ether_type(u16::from_be_bytes([head[0], head[1]]), rest.skip(20)?)
            }
            LinkType::RAW | LinkType::RAW_DLT | LinkType::IPV4 | LinkType::IPV6 => match rest.bytes.first()? >> 4 {
                4 => self.ipv4(rest),
                6 => self.ipv6(rest),
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
                    2 => self.ipv4(rest),
                    // AF_INET6 of Linux; of NetBSD and OpenBSD; of FreeBSD; of macOS.
                    10 | 24 | 28 | 30 => self.ipv6(rest),
                    _ => Some(self.other_network()),
                }
            }
            _ => {
                self.counters.other_link += 1;
                Some(Decoded::Other)
            }
        }
    }

    fn other_network(&mut self) -> Decoded<'static> {
        self.counters.other_network += 1;
        Decoded::Other
    }
}

/// From the packet type of a cooked header (LINKTYPE_LINUX_SLL): 4 was sent by us, 3 is of others to others.
fn direction(kind: u8) -> Direction {
    match kind {
        0..=2 => Direction::In,
        4 => Direction::Out,
        _ => Direction::Unknown,
    }
}
