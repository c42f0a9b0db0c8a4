//! What of the decoded traffic goes on: not our own, only wanted ports, and under pressure only some connections.
//!
//! The kernel's filter has done most of the first two already; what it could not see (inside of tunnels, behind extension
//! headers) is decided here. Connections that are left out are counted with the exchanges that they would have given,
//! so that what is there and what is counted make up what was offered.

use std::net::SocketAddr;

use crate::counters::{Counter, Counters};
use crate::packet::{Decoded, Endpoint, Segment};
use crate::protocol::Probe;
use crate::protocol::registry::{DATAGRAM_REGISTRY, REGISTRY};
use crate::stream::Side;

/// What is wanted of the traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Ends whose TCP and UDP traffic is left out, to and from them; an unspecified address (0.0.0.0, ::) stands for any.
    pub exclude: Vec<SocketAddr>,
    /// Only TCP and UDP from or to these ports; empty: all.
    pub ports: Vec<u16>,
}

impl Wanted {
    fn allows(&self, src: Endpoint, dst: Endpoint) -> bool {
        let excluded = |end: Endpoint| {
            self.exclude.iter().any(|ex| {
                let any = ex.ip().is_unspecified() && ex.is_ipv4() == end.addr.ip().is_ipv4();
                ex.port() == end.port && (any || end.addr.ip() == ex.ip())
            })
        };
        let of_port = self.ports.is_empty() || self.ports.contains(&src.port) || self.ports.contains(&dst.port);
        of_port && !excluded(src) && !excluded(dst)
    }
}

/// Connections left out that are followed, to count their exchanges; beyond, all are forgotten at once, which costs the
/// count up to one exchange for each.
const FOLLOWED: usize = 131_072;
/// Segments with data that are looked at to recognise a protocol.
const PROBES: u8 = 4;

/// Decides what goes on.
#[derive(Default)]
pub struct Gate {
    wanted: Wanted,
    /// Of so many connections one is kept; 0 or 1: all.
    one_in: u32,
    left_out: hashbrown::HashMap<u64, LeftOut, foldhash::fast::RandomState>,
}

/// A connection that is left out.
struct LeftOut {
    /// Whether it is the lower end that sent first; this end asks, the other answers.
    asker_is_low: bool,
    last_was_low: bool,
    /// Looks left at whether it would give exchanges; `None`: it would.
    probes: Option<u8>,
    /// Turns so far in which the asker spoke.
    turns: u64,
}

impl Gate {
    /// Sets what is wanted.
    pub fn set_wanted(&mut self, wanted: Wanted) {
        self.wanted = wanted;
    }

    /// Sets that of so many connections one is kept, always the same at the same number; 1: all.
    pub fn set_one_in(&mut self, one_in: u32) {
        self.one_in = one_in;
        self.left_out.clear();
    }

    /// Whether connections are left out.
    pub fn samples(&self) -> bool {
        self.one_in > 1
    }

    /// Whether the connection between two ends is kept.
    pub fn keeps(&self, one: Endpoint, other: Endpoint) -> bool {
        self.one_in <= 1 || number(one, other).is_multiple_of(u64::from(self.one_in))
    }

    /// Whether a packet goes on.
    #[inline]
    pub fn passes(&mut self, decoded: &Decoded<'_>, counters: &mut Counters) -> bool {
        if self.one_in <= 1 && self.wanted.exclude.is_empty() && self.wanted.ports.is_empty() {
            return true;
        }
        match decoded {
            Decoded::Tcp(segment) => self.passes_segment(segment, counters),
            Decoded::Udp(datagram) => {
                self.wanted.allows(datagram.src, datagram.dst)
                    && (self.keeps(datagram.src, datagram.dst) || {
                        counters.add(Counter::ShedPackets, 1);
                        let asks = datagram.src.port > datagram.dst.port;
                        let known = |probe: fn(&[u8]) -> Probe| matches!(probe(datagram.payload), Probe::Match(_));
                        if asks && DATAGRAM_REGISTRY.iter().any(|protocol| known(protocol.probe)) {
                            counters.add(Counter::ShedExchanges, 1);
                        }
                        false
                    })
            }
            _ => true,
        }
    }

    fn passes_segment(&mut self, segment: &Segment<'_>, counters: &mut Counters) -> bool {
        let (src, dst) = (segment.src, segment.dst);
        if !self.wanted.allows(src, dst) {
            return false;
        }
        let number = number(src, dst);
        if self.one_in <= 1 || number.is_multiple_of(u64::from(self.one_in)) {
            return true;
        }
        counters.add(Counter::ShedPackets, 1);
        if segment.payload.is_empty() {
            return false;
        }
        if self.left_out.len() >= FOLLOWED {
            self.left_out.clear();
        }
        let low = src < dst;
        let connection = self.left_out.entry(number).or_insert_with(|| {
            counters.add(Counter::ShedConnections, 1);
            LeftOut { asker_is_low: low, last_was_low: !low, probes: Some(PROBES), turns: 0 }
        });
        connection.segment(low, segment.payload, counters);
        false
    }
}

impl LeftOut {
    /// An exchange begins where the asker speaks after the answerer did.
    fn segment(&mut self, low: bool, payload: &[u8], counters: &mut Counters) {
        let turns = low != self.last_was_low && low == self.asker_is_low;
        self.last_was_low = low;
        self.turns += u64::from(turns);
        let Some(left) = self.probes else {
            counters.add(Counter::ShedExchanges, u64::from(turns));
            return;
        };
        if left == 0 {
            return;
        }
        self.probes = Some(left - 1);
        for protocol in REGISTRY {
            if let Probe::Match(side) = (protocol.probe)(payload) {
                if protocol.name == "tls" {
                    self.probes = Some(0); // its exchanges can't be seen anyway
                } else {
                    self.probes = None;
                    self.asker_is_low = low == (side == Side::Client);
                    counters.add(Counter::ShedExchanges, self.turns.max(1));
                }
                return;
            }
        }
    }
}

/// The same for both directions, and in every engine, so that the two ends of a call are kept or left out together.
fn number(one: Endpoint, other: Endpoint) -> u64 {
    let (low, high) = if one <= other { (one, other) } else { (other, one) };
    let parts = |end: Endpoint| [(end.addr.0 >> 64) as u64, end.addr.0 as u64, u64::from(end.port)];
    let ([a, b, c], [d, e, f]) = (parts(low), parts(high));
    crate::id::mix(&[a, b, c, d, e, f])
}
