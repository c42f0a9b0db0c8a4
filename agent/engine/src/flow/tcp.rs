//! A TCP connection: its life (RFC 9293 section 3.3.2, as a bystander sees it) and the way of its bytes to a dissector.

use super::half::{Half, Waiting};
use crate::config::SECOND;
use crate::counters::Counter;
use crate::message::notes;
use crate::output::{ConnectionRow, Output};
use crate::packet::{Endpoint, Nanos, Segment, Unreachable, flags};
use crate::protocol::{Conn, Context, Dissector, End, Gap, Mark, Probe, REGISTRY, Side, Step, View};

/// Bytes of one direction that are kept while no protocol is recognised yet.
const PROBE_BYTES: usize = 4096;
/// How far from what is expected a sequence number may be: the largest window there is would be 1 GiB (RFC 7323), the
/// largest in use some MiB.
const PLAUSIBLE: i64 = 64 << 20;
/// So many implausible segments in a row are no strays: most of the connection was not captured.
const STRAYS: u32 = 8;

enum Stage {
    /// Not recognised yet.
    Probing,
    /// Given to a dissector.
    Active(Box<dyn Dissector>),
    /// Not recognised; each further segment is looked at on its own.
    Unknown(&'static str),
}

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

    /// Bytes that the flow holds.
    pub fn held(&self) -> usize {
        let dissector = match &self.stage {
            Stage::Active(dissector) => dissector.held(),
            _ => 0,
        };
        self.halves[0].held() + self.halves[1].held() + dissector
    }

    pub fn segment(&mut self, segment: &Segment<'_>, time: Nanos, out: &mut Output) {
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

    fn payload(&mut self, side: Side, segment: &Segment<'_>, offset: i64, mark: Mark, out: &mut Output) {
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

    fn repeated(&mut self, side: Side, to: i64, out: &mut Output) {
        self.retransmits += 1;
        out.counters.add(Counter::Retransmitted, 1);
        let marked = &mut self.conn.retransmitted_to[side as usize];
        *marked = (*marked).max(to.max(0) as u64);
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

    /// Delivers what no longer has to wait; with `force`, everything, what is missing being lost.
    fn drain(&mut self, now: Nanos, force: bool, out: &mut Output) {
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

    fn deliver_front(&mut self, side: Side, out: &mut Output) {
        let half = &mut self.halves[side as usize];
        if let Some(Waiting { mut mark, data }) = half.waiting.pop_front() {
            half.waiting_bytes -= data.len();
            let known = (half.next.saturating_sub(mark.offset) as usize).min(data.len());
            mark.offset += known as u64;
            if known < data.len() {
                self.deliver(side, &data[known..], mark, out);
            }
        }
    }

    /// Decides that a missing piece won't come any more; says whether there was one.
    fn give_up_hole(&mut self, now: Nanos, force: bool, out: &mut Output) -> bool {
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
    fn lose_ends(&mut self, out: &mut Output) {
        for side in [Side::Client, Side::Server] {
            let half = &self.halves[side as usize];
            let end = half.acked.max(half.fin.unwrap_or(0));
            if end > half.next {
                self.lose(side, end - half.next, self.last_time, false, out);
            }
        }
        self.fins(self.last_time, out);
    }

    fn lose(&mut self, side: Side, len: u64, time: Nanos, cut: bool, out: &mut Output) {
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

    fn deliver(&mut self, side: Side, data: &[u8], mark: Mark, out: &mut Output) {
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
    fn drive(&mut self, side: Side, out: &mut Output) {
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

    fn take_step(&mut self, side: Side, step: Step, out: &mut Output) {
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

    fn give_up(&mut self, reason: &'static str, out: &mut Output) {
        self.stage = Stage::Unknown(reason);
        for half in &mut self.halves {
            out.counters.add(Counter::UnknownBytes, half.rest().bytes.len() as u64);
            half.clear_rest();
        }
    }

    /// Unconsumed bytes beyond the bound are lost to the dissector.
    fn bound_rest(&mut self, side: Side, time: Nanos, out: &mut Output) {
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

    fn probe(&mut self, side: Side, out: &mut Output) {
        let bytes = self.halves[side as usize].rest().bytes;
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
        if !undecided || bytes.len() >= PROBE_BYTES {
            self.give_up("its first bytes are of no protocol that is known", out);
        }
    }

    /// Looks at one segment of a connection that is not recognised.
    fn probe_alone(&mut self, side: Side, data: &[u8], mark: Mark, out: &mut Output) {
        for protocol in REGISTRY {
            if let Probe::Match(role) = (protocol.probe)(data)
                && (role == side || self.conn.midstream)
            {
                self.halves[side as usize].keep(data, mark);
                self.conn.midstream = true;
                self.recognised((protocol.new)(), role, side, out);
                return;
            }
        }
    }

    fn recognised(&mut self, dissector: Box<dyn Dissector>, role: Side, side: Side, out: &mut Output) {
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

    /// Tells the dissector of directions that have ended.
    fn fins(&mut self, time: Nanos, out: &mut Output) {
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

    fn end_dissector(&mut self, how: End, time: Nanos, out: &mut Output) {
        self.done = true;
        let stage = std::mem::replace(&mut self.stage, Stage::Unknown(""));
        match stage {
            Stage::Active(mut dissector) => dissector.end(how, time, &mut Context { conn: &mut self.conn, out }),
            Stage::Probing => {}
            Stage::Unknown(reason) => self.stage = Stage::Unknown(reason),
        }
        for half in &mut self.halves {
            half.clear_rest();
            half.waiting.clear();
            half.waiting_bytes = 0;
        }
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

    /// Puts out a revision of the connection record if there is news.
    pub fn report(&mut self, now: Nanos, out: &mut Output) {
        if let Stage::Active(dissector) = &mut self.stage {
            dissector.report(now, &mut Context { conn: &mut self.conn, out });
        }
        let packets = self.halves[0].packets + self.halves[1].packets;
        // A connection that is over in a moment needs but one record.
        if packets != self.reported_packets && now - self.first_time >= SECOND {
            self.put_out(out);
        }
    }

    fn state(&self) -> &'static str {
        if self.refused.is_some() {
            "refused"
        } else if self.reset_by.is_some() {
            "reset"
        } else if self.halves.iter().all(|half| half.ended) {
            "closed"
        } else if self.syn_time.is_some() && self.halves[1].packets == 0 {
            "unanswered"
        } else {
            "open"
        }
    }

    fn put_out(&mut self, out: &mut Output) {
        self.reported_packets = self.halves[0].packets + self.halves[1].packets;
        let state = self.state();
        let silent = self.halves.iter().all(|half| half.bytes == 0);
        let reason = match (self.refused, state, &self.stage) {
            (Some(refused), ..) => refused,
            (_, "unanswered", _) => "no answer to the SYN: dropped on the way, or no such host",
            _ if self.protocol != "unknown" => "",
            _ if silent => "no data was sent",
            (_, _, Stage::Unknown(reason)) if !reason.is_empty() => reason,
            _ => "too few bytes to recognise a protocol",
        };
        out.connection(&ConnectionRow {
            id: self.conn.id,
            revision: self.revision,
            time: self.first_time,
            last_time: self.last_time.max(self.first_time),
            transport: "tcp",
            client: self.conn.client,
            server: self.conn.server,
            protocol: self.protocol,
            reason,
            state,
            handshake: self.handshake,
            bytes: [self.halves[0].bytes, self.halves[1].bytes],
            packets: [self.halves[0].packets, self.halves[1].packets],
            retransmits: self.retransmits,
            gaps: self.gaps,
            gap_bytes: self.gap_bytes,
            exchanges: self.conn.exchanges,
            server_name: self.conn.sni.as_deref().unwrap_or_default(),
            alpn: self.conn.alpn.as_deref().unwrap_or_default(),
            notes: if self.conn.midstream { notes::PARTIAL } else { 0 }
                | if self.gaps > 0 { notes::GAP } else { 0 }
                | if self.retransmits > 0 { notes::RETRANSMITTED } else { 0 },
        });
        self.revision = self.revision.saturating_add(1);
    }
}
