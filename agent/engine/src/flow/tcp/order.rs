//! In order: what comes early waits for what precedes it, and what never comes is lost.

use super::TcpFlow;
use super::dissect::Stage;
use super::half::Waiting;
use crate::counters::Counter;
use crate::output::Output;
use crate::packet::{Nanos, Segment};
use crate::protocol::{Context, End};
use crate::stream::{Gap, Mark, Side};

impl TcpFlow {
    pub(super) fn payload(&mut self, side: Side, segment: &Segment<'_>, offset: i64, mark: Mark, out: &mut Output) {
        let half = &self.halves[side as usize];
        let (next, cut) = (half.next as i64, i64::from(segment.cut));
        let mut data = segment.payload;
        let end = offset + data.len() as i64 + cut;
        if end <= next {
            if end - offset == 1 && offset == next - 1 {
                out.counters.add(Counter::Probes, 1);
            } else {
                self.repeated(side, end, out);
            }
            return;
        }
        if offset < next {
            self.repeated(side, next, out);
            data = &data[((next - offset) as usize).min(data.len())..];
        }
        let mark = Mark { offset: offset.max(next) as u64, ..mark };
        let peer_next = self.halves[side.peer() as usize].next;
        let half_is_clear = self.halves[side as usize].waiting.is_empty();
        if mark.offset as i64 == next && half_is_clear && mark.ack <= peer_next {
            if !data.is_empty() {
                self.deliver(side, data, mark, out);
            }
            if cut > 0 && !self.done {
                self.lose(side, end as u64 - self.halves[side as usize].next, mark.time, true, out);
            }
            return;
        }
        out.counters.add(Counter::OutOfOrder, 1);
        let half_full = {
            let half = &mut self.halves[side as usize];
            let new = half.wait(mark, data);
            if new == 0 && !data.is_empty() {
                self.retransmits += 1;
                out.counters.add(Counter::Retransmitted, 1);
            }
            half.waiting_bytes > out.config.limits.reorder_bytes
        };
        if half_full {
            out.counters.add(Counter::ReorderDropped, 1);
            self.drain(mark.time, true, out);
        }
    }

    pub(super) fn repeated(&mut self, side: Side, to: i64, out: &mut Output) {
        self.retransmits += 1;
        out.counters.add(Counter::Retransmitted, 1);
        let marked = &mut self.conn.retransmitted_to[side as usize];
        *marked = (*marked).max(to.max(0) as u64);
    }

    /// Delivers what no longer has to wait; with `force`, everything, what is missing being lost.
    pub(super) fn drain(&mut self, now: Nanos, force: bool, out: &mut Output) {
        loop {
            let mut progress = false;
            for side in [Side::Client, Side::Server] {
                while let Some(front) = self.halves[side as usize].waiting.front() {
                    let peer_next = self.halves[side.peer() as usize].next;
                    if front.mark.offset > self.halves[side as usize].next || front.mark.ack > peer_next {
                        break;
                    }
                    self.deliver_front(side, out);
                    progress = true;
                }
            }
            self.fins(now, out);
            if !progress && !self.give_up_hole(now, force, out) {
                return;
            }
        }
    }

    pub(super) fn deliver_front(&mut self, side: Side, out: &mut Output) {
        let half = &mut self.halves[side as usize];
        if let Some(waiting) = half.waiting.pop_front() {
            half.waiting_bytes -= waiting.held();
            let Waiting { mut mark, data } = waiting;
            let known = (half.next.saturating_sub(mark.offset) as usize).min(data.len());
            mark.offset += known as u64;
            if known < data.len() {
                self.deliver(side, &data[known..], mark, out);
            }
        }
    }

    /// Decides that a missing piece won't come any more; says whether there was one.
    pub(super) fn give_up_hole(&mut self, now: Nanos, force: bool, out: &mut Output) -> bool {
        for side in [Side::Client, Side::Server] {
            let half = &self.halves[side as usize];
            let Some(front) = half.waiting.front() else { continue };
            let waited = now - front.mark.time;
            let limits = &out.config.limits;
            if front.mark.offset > half.next {
                let acked = half.acked > half.next;
                if force || waited >= if acked { limits.acked_wait } else { limits.reorder_wait } {
                    self.lose(side, front.mark.offset - half.next, now, false, out);
                    return true;
                }
            } else if force || waited >= limits.acked_wait {
                // It acknowledges bytes of the peer that never came.
                let (peer_side, ack) = (side.peer(), front.mark.ack);
                let peer = &self.halves[peer_side as usize];
                let until = peer.waiting.front().map_or(ack, |w| w.mark.offset.min(ack));
                if until > peer.next {
                    self.lose(peer_side, until - peer.next, now, false, out);
                } else {
                    self.deliver_front(side, out);
                }
                return true;
            }
        }
        false
    }

    /// What was acknowledged, or lies before a FIN, and was never seen, is lost: nothing comes any more.
    pub(super) fn lose_ends(&mut self, out: &mut Output) {
        for side in [Side::Client, Side::Server] {
            let half = &self.halves[side as usize];
            let end = half.acked.max(half.fin.unwrap_or(0));
            if end > half.next {
                self.lose(side, end - half.next, self.last_time, false, out);
            }
        }
        self.fins(self.last_time, out);
    }

    pub(super) fn lose(&mut self, side: Side, len: u64, time: Nanos, cut: bool, out: &mut Output) {
        self.gaps += 1;
        self.gap_bytes += len;
        out.counters.add(Counter::Gaps, 1);
        out.counters.add(Counter::GapBytes, len);
        let Self { halves, stage, conn, .. } = self;
        let half = &mut halves[side as usize];
        let gap = Gap { offset: half.next, len, time, cut };
        match stage {
            Stage::Active(dissector) => dissector.gap(side, half.rest(), gap, &mut Context { conn, out }),
            // What comes behind the hole may still tell, but may begin anywhere.
            Stage::Probing => conn.midstream = true,
            Stage::Unknown(_) => {}
        }
        half.clear_rest();
        half.next += len;
    }

    /// Tells the dissector of directions that have ended.
    pub(super) fn fins(&mut self, time: Nanos, out: &mut Output) {
        for side in [Side::Client, Side::Server] {
            let Self { halves, stage, conn, .. } = self;
            let half = &mut halves[side as usize];
            let at_end = half.fin.is_some_and(|fin| half.next >= fin) && half.waiting.is_empty();
            if half.ended || !at_end {
                continue;
            }
            half.ended = true;
            if let Stage::Active(dissector) = stage {
                dissector.fin(side, half.rest(), time, &mut Context { conn, out });
            }
            half.clear_rest();
        }
        if !self.done && self.halves.iter().all(|half| half.ended) {
            self.end_dissector(End::Closed, time, out);
        }
    }
}
