//! TCP and UDP headers.

use super::{Ends, Rest, State};
use crate::packet::{Datagram, Decoded, Endpoint, Segment};

impl State {
    #[inline]
    pub(super) fn tcp<'a>(&mut self, ends: Ends, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let head = rest.bytes.first_chunk::<20>()?;
        let len = usize::from(head[12] >> 4) * 4;
        if len < 20 || len > rest.len() {
            return None;
        }
        // The snap length may end within the options, which nothing here needs.
        let rest = match rest.skip(len) {
            Some(rest) => rest,
            None => Rest { bytes: &[], missing: rest.len() - len, ..rest },
        };
        self.counters.tcp += 1;
        self.count_cut(rest);
        Some(Decoded::Tcp(Segment {
            src: Endpoint { addr: ends.src, port: u16::from_be_bytes([head[0], head[1]]) },
            dst: Endpoint { addr: ends.dst, port: u16::from_be_bytes([head[2], head[3]]) },
            seq: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            ack: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
            flags: head[13],
            window: u16::from_be_bytes([head[14], head[15]]),
            payload: rest.bytes,
            cut: rest.cut(),
            sight: self.sight,
        }))
    }

    #[inline]
    pub(super) fn udp<'a>(&mut self, ends: Ends, rest: Rest<'a>) -> Option<Decoded<'a>> {
        let head = rest.bytes.first_chunk::<8>()?;
        let rest = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
            // Large sends and jumbograms have no length that would fit.
            0 => rest,
            len if len < 8 || len > rest.len() => return None,
            len => rest.limit(len),
        };
        let rest = rest.skip(8)?;
        let src = Endpoint { addr: ends.src, port: u16::from_be_bytes([head[0], head[1]]) };
        let dst = Endpoint { addr: ends.dst, port: u16::from_be_bytes([head[2], head[3]]) };
        if let Some(tunnel) = super::tunnel::over_udp(dst.port, rest) {
            return self.tunnel(tunnel);
        }
        self.counters.udp += 1;
        self.count_cut(rest);
        Some(Decoded::Udp(Datagram { src, dst, payload: rest.bytes, cut: rest.cut(), sight: self.sight }))
    }

    #[inline]
    fn count_cut(&mut self, rest: Rest<'_>) {
        if rest.missing > 0 {
            self.counters.cut_payloads += 1;
            self.counters.cut_bytes += rest.missing as u64;
        }
    }
}
