//! The way of a connection's bytes to a dissector: recognised by one, shown to it, kept until it has had its fill.

use super::TcpFlow;
use crate::counters::Counter;
use crate::output::Output;
use crate::packet::Nanos;
use crate::protocol::registry::{JOINED, REGISTRY};
use crate::protocol::{Context, Dissector, End, Probe, Protocol, Step};
use crate::stream::{Gap, Mark, Side, View};

/// Bytes of one direction that are kept while no protocol is recognised yet.
const PROBE_BYTES: usize = 4096;
/// Why nothing more is said of a connection.
const UNKNOWN: &str = "its first bytes are of no protocol that is known";

pub(super) enum Stage {
    /// Not recognised yet.
    Probing,
    /// Given to a dissector.
    Active(Box<dyn Dissector>),
    /// Not recognised; each further segment is looked at on its own.
    Unknown(&'static str),
}

impl TcpFlow {
    pub(super) fn deliver(&mut self, side: Side, data: &[u8], mark: Mark, out: &mut Output) {
        let half = &mut self.halves[side as usize];
        half.bytes += data.len() as u64;
        half.next = mark.offset + data.len() as u64;
        if self.done {
            return;
        }
        match &mut self.stage {
            Stage::Active(dissector) => {
                if half.has_rest() {
                    half.keep(data, mark);
                    self.drive(side, out);
                } else {
                    // The usual case: nothing is left from before, nothing needs to be copied.
                    let view = View { bytes: data, offset: mark.offset, marks: std::slice::from_ref(&mark) };
                    let step = dissector.data(side, view, &mut Context { conn: &mut self.conn, out });
                    match step {
                        Step::Consumed(n) if n >= data.len() => {}
                        Step::Consumed(n) => {
                            half.keep(&data[n..], mark);
                            self.bound_rest(side, mark.time, out);
                        }
                        step => {
                            half.keep(data, mark);
                            self.take_step(side, step, out);
                        }
                    }
                }
            }
            Stage::Probing => {
                half.keep(data, mark);
                self.probe(side, out);
            }
            Stage::Unknown(_) => {
                out.counters.add(Counter::UnknownBytes, data.len() as u64);
                self.probe_alone(side, data, mark, out);
            }
        }
    }

    /// Shows the dissector the rest of one direction until it has had its fill.
    pub(super) fn drive(&mut self, side: Side, out: &mut Output) {
        let Self { halves, stage, conn, .. } = self;
        let Stage::Active(dissector) = stage else { return };
        let half = &mut halves[side as usize];
        if !half.has_rest() {
            return;
        }
        let step = dissector.data(side, half.rest(), &mut Context { conn, out });
        let time = self.last_time;
        self.take_step(side, step, out);
        self.bound_rest(side, time, out);
    }

    pub(super) fn take_step(&mut self, side: Side, step: Step, out: &mut Output) {
        match step {
            Step::Consumed(n) => self.halves[side as usize].consume(n),
            Step::Resume(n) => {
                self.halves[side as usize].consume(n);
                self.drive(side.peer(), out);
            }
            Step::Handover(n, dissector) => {
                self.halves[side as usize].consume(n);
                self.protocol = dissector.name();
                self.stage = Stage::Active(dissector);
                self.drive(Side::Client, out);
                self.drive(Side::Server, out);
            }
            Step::Reprobe(n) => {
                self.halves[side as usize].consume(n);
                self.stage = Stage::Probing;
                for side in [Side::Client, Side::Server] {
                    if matches!(self.stage, Stage::Probing) && self.halves[side as usize].has_rest() {
                        self.probe(side, out);
                    }
                }
            }
            Step::Reject(reason) => {
                out.counters.add(Counter::Rejected, 1);
                self.give_up(reason, out);
            }
        }
    }

    pub(super) fn give_up(&mut self, reason: &'static str, out: &mut Output) {
        self.stage = Stage::Unknown(reason);
        for half in &mut self.halves {
            out.counters.add(Counter::UnknownBytes, half.rest().bytes.len() as u64);
            half.clear_rest();
        }
    }

    /// Unconsumed bytes beyond the bound are lost to the dissector.
    pub(super) fn bound_rest(&mut self, side: Side, time: Nanos, out: &mut Output) {
        let Self { halves, stage, conn, .. } = self;
        let half = &mut halves[side as usize];
        if half.rest().bytes.len() <= out.config.limits.unconsumed {
            return;
        }
        out.counters.add(Counter::Unconsumed, 1);
        if let Stage::Active(dissector) = stage {
            let gap = Gap { offset: half.next, len: 0, time, cut: false };
            dissector.gap(side, half.rest(), gap, &mut Context { conn, out });
        }
        half.clear_rest();
    }

    pub(super) fn probe(&mut self, side: Side, out: &mut Output) {
        let rest = self.halves[side as usize].rest();
        let bytes = rest.bytes;
        let mut undecided = false;
        for protocol in REGISTRY {
            match (protocol.probe)(bytes) {
                Probe::Match(role) if role == side || self.conn.midstream => {
                    self.recognised((protocol.new)(), role, side, out);
                    return;
                }
                Probe::More => undecided = true,
                Probe::Match(_) | Probe::No => {}
            }
        }
        if undecided && bytes.len() < PROBE_BYTES {
            return;
        }
        match self.joined(bytes) {
            Some((protocol, Probe::Match(role))) => return self.recognised((protocol.new)(), role, side, out),
            Some(_) if bytes.len() < PROBE_BYTES => {
                // What may be frames may as well be the end of a message, behind which another one begins.
                let last = rest.marks.last().and_then(|mark| mark.offset.checked_sub(rest.offset));
                let behind = &bytes[last.unwrap_or(0) as usize..];
                let begins = |protocol: &Protocol| matches!((protocol.probe)(behind), Probe::Match(_));
                if !REGISTRY.iter().any(begins) {
                    return;
                }
                let (mark, data) = (rest.mark(bytes.len() - behind.len()), behind.to_vec());
                self.give_up(UNKNOWN, out);
                return self.probe_alone(side, &data, mark, out);
            }
            _ => {}
        }
        self.give_up(UNKNOWN, out);
    }

    /// What a protocol that has no beginning of its own says of the bytes, unless it refuses them.
    fn joined(&self, bytes: &[u8]) -> Option<(&'static Protocol, Probe)> {
        let asked = JOINED.iter().filter(|_| self.conn.midstream);
        asked.map(|protocol| (protocol, (protocol.probe)(bytes))).find(|(_, said)| *said != Probe::No)
    }

    /// Looks at one segment of a connection that is not recognised.
    pub(super) fn probe_alone(&mut self, side: Side, data: &[u8], mark: Mark, out: &mut Output) {
        let begins = |protocol: &'static Protocol| match (protocol.probe)(data) {
            Probe::Match(role) if role == side || self.conn.midstream => Some((protocol, role)),
            _ => None,
        };
        let found = REGISTRY.iter().find_map(begins).or_else(|| match self.joined(data) {
            Some((protocol, Probe::Match(role))) => Some((protocol, role)),
            _ => None,
        });
        if let Some((protocol, role)) = found {
            self.halves[side as usize].keep(data, mark);
            self.conn.midstream = true;
            self.recognised((protocol.new)(), role, side, out);
        }
    }

    pub(super) fn recognised(&mut self, dissector: Box<dyn Dissector>, role: Side, side: Side, out: &mut Output) {
        if role != side {
            self.halves.swap(0, 1);
            self.conn.seq_base.swap(0, 1);
            self.conn.retransmitted_to.swap(0, 1);
            std::mem::swap(&mut self.conn.client, &mut self.conn.server);
        }
        self.protocol = dissector.name();
        self.stage = Stage::Active(dissector);
        self.drive(Side::Client, out);
        self.drive(Side::Server, out);
    }

    pub(super) fn end_dissector(&mut self, how: End, time: Nanos, out: &mut Output) {
        self.done = true;
        let stage = std::mem::replace(&mut self.stage, Stage::Unknown(""));
        match stage {
            Stage::Active(mut dissector) => {
                dissector.end(how, time, &mut Context { conn: &mut self.conn, out });
                self.protocol = dissector.name();
            }
            Stage::Probing => {}
            Stage::Unknown(reason) => self.stage = Stage::Unknown(reason),
        }
        for half in &mut self.halves {
            half.clear_rest();
            half.waiting.clear();
            half.waiting_bytes = 0;
        }
    }
}
