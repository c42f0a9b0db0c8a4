//! A TCP connection: its life (RFC 9293 section 3.3.2, as a bystander sees it) and the way of its bytes to a dissector.

#[cfg(test)]
mod bounds;
mod dissect;
mod half;
mod order;
mod record;

use self::dissect::Stage;
use self::half::Half;
use crate::conn::Conn;
use crate::counters::Counter;
use crate::output::Output;
use crate::packet::{Endpoint, Nanos, Segment, Unreachable, flags};
use crate::protocol::{Context, End};
use crate::stream::{Mark, Side};

/// How far from what is expected a sequence number may be: the largest window there is would be 1 GiB (RFC 7323), the
/// largest in use some MiB.
const PLAUSIBLE: i64 = 64 << 20;
/// So many implausible segments in a row are no strays: most of the connection was not captured.
const STRAYS: u32 = 8;

pub(super) struct TcpFlow {
    conn: Conn,
    halves: [Half; 2],
    stage: Stage,
    first_time: Nanos,
    pub last_time: Nanos,
    syn_time: Option<Nanos>,
    handshake: Option<Nanos>,
    reset_by: Option<Side>,
    refused: Option<&'static str>,
    /// The dissector was told the end; what still comes is late.
    done: bool,
    retransmits: u32,
    gaps: u32,
    gap_bytes: u64,
    strays: u32,
    revision: u16,
    reported_packets: u64,
    /// Bytes held when last counted.
    counted: usize,
    /// Name of the dissector, also after it is gone.
    protocol: &'static str,
}

/// Who opened the connection, as well as one segment tells.
fn ends(segment: &Segment<'_>) -> (Endpoint, Endpoint) {
    let syn = segment.flags & flags::SYN != 0;
    let ack = segment.flags & flags::ACK != 0;
    // Ephemeral ports are the high ones (RFC 6335 section 6); a dissector that recognises requests knows better.
    let to_client = if syn { ack } else { segment.src.port < segment.dst.port };
    if to_client { (segment.dst, segment.src) } else { (segment.src, segment.dst) }
}

impl TcpFlow {
    pub fn new(segment: &Segment<'_>, time: Nanos, out: &Output) -> Self {
        let (client, server) = ends(segment);
        let mut conn = super::conn(client, server, time, true, out.config.origin);
        conn.midstream = segment.flags & flags::SYN == 0;
        Self {
            conn,
            halves: Default::default(),
            stage: Stage::Probing,
            first_time: time,
            last_time: time,
            syn_time: None,
            handshake: None,
            reset_by: None,
            refused: None,
            done: false,
            retransmits: 0,
            gaps: 0,
            gap_bytes: 0,
            strays: 0,
            revision: 0,
            reported_packets: 0,
            counted: 0,
            protocol: "unknown",
        }
    }

    /// Whether the segment opens another connection between the same ports.
    pub fn is_replaced_by(&self, segment: &Segment<'_>) -> bool {
        if segment.flags & (flags::SYN | flags::ACK) != flags::SYN {
            return false;
        }
        let same = segment.src == self.conn.client
            && self.syn_time.is_some()
            && self.halves[0].base == Some(segment.seq.wrapping_add(1));
        !same
    }

    /// Bytes that the flow held when last counted.
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// Counts the bytes that the flow holds.
    pub fn count(&mut self) -> usize {
        let dissector = match &self.stage {
            Stage::Active(dissector) => dissector.held(),
            _ => 0,
        };
        self.counted = self.halves[0].held() + self.halves[1].held() + dissector;
        self.counted
    }

    pub fn segment(&mut self, segment: &Segment<'_>, time: Nanos, out: &mut Output) {
        if self.conn.sightings.is_copy(segment, time) {
            out.counters.add(Counter::Copies, 1);
            return;
        }
        self.last_time = time;
        let side = if segment.src == self.conn.client { Side::Client } else { Side::Server };
        self.halves[side as usize].packets += 1;
        let mut seq = segment.seq;
        if segment.flags & flags::SYN != 0 {
            seq = seq.wrapping_add(1);
            self.syn(side, seq, segment.flags, time, out);
        }
        if self.done {
            self.late(side, segment, seq, out);
            return;
        }
        if segment.flags & flags::RST != 0 && self.halves[side as usize].base.is_none() {
            // The answer to a SYN: its sequence number says nothing.
            self.reset(side, time, out);
            return;
        }
        self.set_base(side, seq);
        let ack = self.acknowledge(side, segment);
        let offset = self.halves[side as usize].offset_of(seq);
        let next = self.halves[side as usize].next as i64;
        let ahead = offset - next.max(self.halves[side as usize].acked as i64);
        if ahead > PLAUSIBLE || offset - next < -PLAUSIBLE {
            self.strays += 1;
            if self.strays < STRAYS || ahead <= 0 {
                out.counters.add(Counter::OutOfWindow, 1);
                return;
            }
        }
        self.strays = 0;
        if segment.flags & flags::RST != 0 && offset < self.halves[side as usize].acked as i64 {
            // The receiver expects what is behind (RFC 9293 section 3.10.7.4): it is an old one, or a stranger's.
            out.counters.add(Counter::OutOfWindow, 1);
            return;
        }
        let len = segment.payload.len() as i64 + i64::from(segment.cut);
        if segment.flags & flags::FIN != 0 {
            self.halves[side as usize].fin.get_or_insert((offset + len).max(next) as u64);
        }
        if len > 0 {
            self.payload(side, segment, offset, Mark { offset: 0, time, ack }, out);
        }
        self.drain(time, false, out);
        if segment.flags & flags::RST != 0 {
            self.reset(side, time, out);
        }
    }

    fn syn(&mut self, side: Side, first: u32, flags: u8, time: Nanos, out: &mut Output) {
        let half = &mut self.halves[side as usize];
        match half.base {
            Some(base) if base == first => {
                self.retransmits += 1;
                out.counters.add(Counter::Retransmitted, 1);
            }
            // Learnt from the peer's acknowledgement, or nothing but the SYN counts for where the stream begins.
            _ if half.next == 0 => self.set_new_base(side, first),
            _ => {}
        }
        if flags & flags::ACK == 0 {
            self.syn_time.get_or_insert(time);
        } else if let (Some(syn), None) = (self.syn_time, self.handshake) {
            self.handshake = Some((time - syn).max(0));
        }
    }

    fn set_new_base(&mut self, side: Side, first: u32) {
        self.halves[side as usize].base = Some(first);
        self.conn.seq_base[side as usize] = first;
    }

    fn set_base(&mut self, side: Side, seq: u32) {
        if self.halves[side as usize].base.is_none() {
            self.set_new_base(side, seq);
        }
    }

    /// Takes a segment's acknowledgement; gives it as an offset in the peer's stream.
    fn acknowledge(&mut self, side: Side, segment: &Segment<'_>) -> u64 {
        let sent_ack = self.halves[side as usize].sent_ack;
        if segment.flags & flags::ACK == 0 {
            return sent_ack;
        }
        self.set_base(side.peer(), segment.ack);
        let peer = &mut self.halves[side.peer() as usize];
        let offset = peer.offset_of(segment.ack);
        if offset < 0 || offset > peer.next as i64 + PLAUSIBLE {
            return sent_ack;
        }
        // FIN takes a number of its own.
        let offset = peer.fin.map_or(offset as u64, |fin| fin.min(offset as u64));
        peer.acked = peer.acked.max(offset);
        let half = &mut self.halves[side as usize];
        half.sent_ack = half.sent_ack.max(offset);
        offset
    }

    /// A segment after the end.
    fn late(&mut self, side: Side, segment: &Segment<'_>, seq: u32, out: &mut Output) {
        if !segment.payload.is_empty()
            && self.halves[side as usize].offset_of(seq) < self.halves[side as usize].next as i64
        {
            self.retransmits += 1;
            out.counters.add(Counter::Retransmitted, 1);
        }
    }

    fn reset(&mut self, side: Side, time: Nanos, out: &mut Output) {
        if self.done {
            return;
        }
        self.drain(time, true, out);
        if self.done {
            return;
        }
        self.reset_by = Some(side);
        if side == Side::Server && self.syn_time.is_some() && self.halves[1].base.is_none() {
            self.refused = Some("the server's host reset the connection attempt: nothing listens on that port");
        }
        self.end_dissector(End::Reset(side), time, out);
    }

    pub fn unreachable(&mut self, about: &Unreachable, time: Nanos, out: &mut Output) {
        if about.src == self.conn.client && self.halves[1].packets == 0 && !self.done {
            self.refused = Some(about.reason);
            self.last_time = time;
            self.end_dissector(End::Reset(Side::Server), time, out);
        }
    }

    /// Time has passed. Says whether the flow stays.
    pub fn tick(&mut self, now: Nanos, out: &mut Output) -> bool {
        if !self.done {
            self.drain(now, false, out);
            if let Stage::Active(dissector) = &mut self.stage {
                dissector.tick(now, &mut Context { conn: &mut self.conn, out });
            }
        }
        let idle = now - self.last_time;
        let bound = if self.done { out.config.limits.linger } else { out.config.limits.tcp_idle };
        if idle < bound {
            return true;
        }
        self.finish(End::Idle, out);
        false
    }

    /// Everything still pending becomes a record, and the connection one.
    pub fn finish(&mut self, how: End, out: &mut Output) {
        if !self.done {
            self.drain(self.last_time, true, out);
            self.lose_ends(out);
        }
        if !self.done {
            self.end_dissector(how, self.last_time, out);
        }
        self.put_out(out);
    }
}
