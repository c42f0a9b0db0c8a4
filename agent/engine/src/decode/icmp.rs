//! ICMP and ICMPv6: only the word that a packet could not be delivered, which says why a call fails.

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::ip::number;
use super::{Rest, State};
use crate::packet::{Addr, Decoded, Endpoint, Unreachable};

/// Type 3 by its code (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1). Code 4 asks for smaller packets:
/// no failure.
const REASONS_V4: [&str; 16] = [
    "network unreachable",
    "host unreachable",
    "protocol unreachable",
    "port unreachable",
    "",
    "source route failed",
    "network unknown",
    "host unknown",
    "source host isolated",
    "network administratively prohibited",
    "host administratively prohibited",
    "network unreachable for type of service",
    "host unreachable for type of service",
    "administratively prohibited",
    "host precedence violation",
    "precedence cutoff",
];

/// Type 1 by its code (RFC 4443 section 3.1).
const REASONS_V6: [&str; 7] = [
    "no route to destination",
    "administratively prohibited",
    "beyond scope of source address",
    "address unreachable",
    "port unreachable",
    "source address failed policy",
    "route rejected",
];

impl State {
    pub(super) fn icmp<'a>(&mut self, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let &[kind, code, ..] = rest.bytes.first_chunk::<8>()?;
        let reason = match REASONS_V4.get(usize::from(code)) {
            Some(&reason) if kind == 3 && !reason.is_empty() => reason,
            _ => return Some(self.other_protocol()),
        };
        let quoted = &rest.bytes[8..];
        let header = Ipv4HeaderSlice::from_slice(quoted).ok()?;
        if header.fragments_offset().value() > 0 {
            return Some(self.other_protocol());
        }
        let (src, dst) = (Addr::v4(header.source()), Addr::v4(header.destination()));
        self.unreachable(header.protocol().0, src, dst, &quoted[header.slice().len()..], reason)
    }

    pub(super) fn icmpv6<'a>(&mut self, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let &[kind, code, ..] = rest.bytes.first_chunk::<8>()?;
        let reason = match REASONS_V6.get(usize::from(code)) {
            Some(&reason) if kind == 1 => reason,
            _ => return Some(self.other_protocol()),
        };
        let quoted = &rest.bytes[8..];
        let header = Ipv6HeaderSlice::from_slice(quoted).ok()?;
        let (src, dst) = (Addr::v6(header.source()), Addr::v6(header.destination()));
        self.unreachable(header.next_header().0, src, dst, &quoted[header.slice().len()..], reason)
    }

    /// Both protocols begin with the two ports, and these are always quoted.
    fn unreachable<'a>(
        &mut self,
        protocol: u8,
        src: Addr,
        dst: Addr,
        quoted: &[u8],
        reason: &'static str,
    ) -> Option<Decoded<'a>> {
        if !matches!(protocol, number::TCP | number::UDP) {
            return Some(self.other_protocol());
        }
        let ports = quoted.first_chunk::<4>()?;
        self.counters.unreachable += 1;
        Some(Decoded::Unreachable(Unreachable {
            protocol,
            src: Endpoint { addr: src, port: u16::from_be_bytes([ports[0], ports[1]]) },
            dst: Endpoint { addr: dst, port: u16::from_be_bytes([ports[2], ports[3]]) },
            reason,
        }))
    }
}
