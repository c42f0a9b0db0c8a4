//! IPv4 and IPv6: from their headers, extension headers and fragments to the transport header.

use etherparse::{IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice};

use super::{Ends, MAX_DEPTH, Rest, State};
use crate::fragment::{Key, Piece};
use crate::packet::{Addr, Decoded};

/// IP protocol numbers (IANA).
pub(super) mod number {
    pub(crate) const HOP_BY_HOP: u8 = 0;
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const IPV4: u8 = 4;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const IPV6: u8 = 41;
    pub(crate) const ROUTING: u8 = 43;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const GRE: u8 = 47;
    pub(crate) const AUTHENTICATION: u8 = 51;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const DESTINATION_OPTIONS: u8 = 60;
}

impl State {
    #[inline]
    pub(super) fn ipv4<'a>(&mut self, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let header = Ipv4HeaderSlice::from_slice(rest.bytes).ok()?;
        let head = header.slice().len();
        // Large sends are captured before the network card splits them; beyond 64 KiB the kernel writes no length.
        let rest = match usize::from(header.total_len()) {
            0 => rest,
            total if total < head => return None,
            total => rest.limit(total),
        };
        let rest = rest.skip(head)?;
        let ends = Ends { src: Addr::v4(header.source()), dst: Addr::v4(header.destination()) };
        let protocol = header.protocol().0;
        if !header.is_fragmenting_payload() {
            return self.protocol(protocol, ends, rest);
        }
        let offset = usize::from(header.fragments_offset().value()) * 8;
        let piece = Piece { protocol, offset, more: header.more_fragments(), bytes: rest.bytes };
        Some(self.fragment(header.identification().into(), Some(protocol), ends, piece, rest.missing))
    }

    #[inline]
    pub(super) fn ipv6<'a>(&mut self, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let header = Ipv6HeaderSlice::from_slice(rest.bytes).ok()?;
        let rest = rest.skip(header.slice().len())?;
        // As with IPv4: no length is written for what is larger than 64 KiB.
        let rest = match usize::from(header.payload_length()) {
            0 => rest,
            len => rest.limit(len),
        };
        let ends = Ends { src: Addr::v6(header.source()), dst: Addr::v6(header.destination()) };
        self.protocol(header.next_header().0, ends, rest)
    }

    #[inline]
    pub(super) fn protocol<'a>(&mut self, protocol: u8, ends: Ends, rest: Rest<'a>) -> Option<Decoded<'a>> {
        match protocol {
            number::TCP => self.tcp(ends, rest),
            number::UDP => self.udp(ends, rest),
            _ => self.rare_protocol(protocol, ends, rest),
        }
    }

    #[inline(never)]
    fn rare_protocol<'a>(&mut self, protocol: u8, ends: Ends, rest: Rest<'a>) -> Option<Decoded<'a>> {
        if rest.depth == MAX_DEPTH {
            return Some(self.too_deep());
        }
        let rest = Rest { depth: rest.depth + 1, ..rest };
        let (next, head) = match protocol {
            number::HOP_BY_HOP | number::ROUTING | number::DESTINATION_OPTIONS => {
                let header = Ipv6RawExtHeaderSlice::from_slice(rest.bytes).ok()?;
                (header.next_header().0, header.slice().len())
            }
            number::AUTHENTICATION => {
                let header = IpAuthHeaderSlice::from_slice(rest.bytes).ok()?;
                (header.next_header().0, header.slice().len())
            }
            number::FRAGMENT => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest.bytes).ok()?;
                let (next, head) = (header.next_header().0, header.slice().len());
                if header.is_fragmenting_payload() {
                    let rest = rest.skip(head)?;
                    let offset = usize::from(header.fragment_offset().value()) * 8;
                    let piece = Piece { protocol: next, offset, more: header.more_fragments(), bytes: rest.bytes };
                    return Some(self.fragment(header.identification(), None, ends, piece, rest.missing));
                }
                (next, head)
            }
            number::IPV4 => {
                self.counters.tunnels += 1;
                return self.ipv4(rest);
            }
            number::IPV6 => {
                self.counters.tunnels += 1;
                return self.ipv6(rest);
            }
            number::GRE => return self.gre(rest),
            number::ICMP => return self.icmp(rest),
            number::ICMPV6 => return self.icmpv6(rest),
            _ => return Some(self.other_protocol()),
        };
        self.protocol(next, ends, rest.skip(head)?)
    }

    pub(super) fn other_protocol(&mut self) -> Decoded<'static> {
        self.counters.other_protocol += 1;
        Decoded::Other
    }

    #[cold]
    fn fragment(
        &mut self,
        id: u32,
        protocol: Option<u8>,
        ends: Ends,
        piece: Piece<'_>,
        missing: usize,
    ) -> Decoded<'static> {
        let key = Key { src: ends.src, dst: ends.dst, id, protocol };
        if missing > 0 {
            self.counters.cut_fragments += 1;
        } else if let Some(whole) = self.fragments.add(key, piece, self.now) {
            self.whole = Some((whole, ends));
            return Decoded::Fragment;
        }
        self.counters.fragments_held += 1;
        Decoded::Fragment
    }
}
