//! Packets to TCP segments, UDP datagrams and words of failure: link layers, IP, and the tunnels of pod networks.
//!
//! A walk from header to header, each step taking its header off the front of what is left. Nothing is believed beyond
//! the captured bytes; how much of a payload the snap length cut off follows from the IP header's length.
//!
//! `Option` means the same in all steps: `None`, the header is not what it should be, or not whole.

mod counters;
mod icmp;
mod ip;
mod link;
mod transport;
mod tunnel;

pub use self::counters::Counters;
use crate::fragment::{Fragments, Whole};
use crate::packet::{Addr, Decoded, Nanos, Packet, Sight};

/// Headers around headers that are followed (tags, extension headers, tunnels): an overlay in two VLANs has four.
const MAX_DEPTH: u32 = 24;

/// The decode stage. It holds the fragments of datagrams that are not whole yet.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// A datagram put together, which what was decoded from it points into.
    outer: Vec<u8>,
    /// The same, when it was itself in fragments inside of a tunnel.
    inner: Vec<u8>,
}

/// What the steps share.
#[derive(Debug, Default)]
struct State {
    /// When the packet was captured.
    now: Nanos,
    /// Where it was seen.
    sight: Sight,
    fragments: Fragments,
    /// A datagram that this packet made whole, with its ends.
    whole: Option<(Whole, Ends)>,
    counters: Counters,
}

/// The addresses of an IP packet.
#[derive(Clone, Copy, Debug)]
struct Ends {
    src: Addr,
    dst: Addr,
}

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
struct Rest<'a> {
    bytes: &'a [u8],
    /// How many more there were on the wire.
    missing: usize,
    /// How many headers around headers there were.
    depth: u32,
}

impl<'a> Rest<'a> {
    /// Without its first `n` bytes.
    #[inline]
    fn skip(self, n: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(n..)?, ..self })
    }

    /// The first `n` bytes, as a header tells: what follows them is padding.
    #[inline]
    fn limit(self, n: usize) -> Self {
        match self.bytes.get(..n) {
            Some(bytes) => Self { bytes, missing: 0, ..self },
            None => Self { missing: n - self.bytes.len(), ..self },
        }
    }

    /// Its whole length on the wire.
    #[inline]
    fn len(self) -> usize {
        self.bytes.len() + self.missing
    }

    #[inline]
    fn cut(self) -> u32 {
        self.missing.try_into().unwrap_or(u32::MAX)
    }
}

impl Decoder {
    /// Decodes one packet. What it gives lives in the packet, or in the decoder if it came in fragments.
    #[inline]
    pub fn decode<'a>(&'a mut self, packet: &Packet<'a>) -> Decoded<'a> {
        let Self { state, outer, inner } = self;
        let missing = (packet.wire_len as usize).saturating_sub(packet.data.len());
        state.now = packet.time;
        state.sight = packet.sight;
        state.counters.packets += 1;
        state.counters.bytes += u64::from(packet.wire_len);
        let rest = Rest { bytes: packet.data, missing, depth: 0 };
        let decoded = state.link(packet.link, rest).unwrap_or_else(|| state.malformed(missing));
        let Some((whole, ends)) = state.whole.take() else { return decoded };
        *outer = whole.bytes;
        let decoded = state.again(whole.protocol, ends, outer);
        let Some((whole, ends)) = state.whole.take() else { return decoded };
        *inner = whole.bytes;
        let decoded = state.again(whole.protocol, ends, inner);
        if state.whole.take().is_some() { state.too_deep() } else { decoded }
    }

    /// What was seen and dropped, as (stage, name, value).
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.state.counters.iter().chain(self.state.fragments.counters.iter())
    }
}

impl State {
    /// Goes on with a datagram that was put together.
    #[cold]
    fn again<'a>(&mut self, protocol: u8, ends: Ends, bytes: &'a [u8]) -> Decoded<'a> {
        self.protocol(protocol, ends, Rest { bytes, missing: 0, depth: 0 }).unwrap_or_else(|| self.malformed(0))
    }

    #[cold]
    fn malformed(&mut self, missing: usize) -> Decoded<'static> {
        *(if missing > 0 { &mut self.counters.cut_headers } else { &mut self.counters.malformed }) += 1;
        Decoded::Malformed
    }

    #[cold]
    fn too_deep(&mut self) -> Decoded<'static> {
        self.counters.too_deep += 1;
        Decoded::Other
    }
}

#[cfg(test)]
mod tests;
