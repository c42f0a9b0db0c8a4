//! Which command a reply answers: replies have no number, so it is their order that tells, as long as nothing is lost.
//!
//! A lost command or reply would shift all pairs behind it. So after a loss, or on a connection that was joined, nothing
//! is paired until the order is certain again:
//!
//! - A *flight* is what a client sends at the start of a segment when it seems to wait for nothing: it has received all
//!   that the server sent, and the server had received, when it sent the last of that, all that the client sent before.
//!   Clients that send a pipeline and read its replies, or one command at a time, do so each time. That nothing was
//!   under way is not proven: the server may be slow.
//! - How often that appearance was false is counted while the order is certain ([`super::trust`]). The more it was true and
//!   the less it was false, the fewer flights are needed in a row, between each two of which as many replies came as
//!   commands were sent. Silence is worth many of them, and so are replies whose types fit no earlier commands.
//! - Then nothing is under way, and replies and commands are paired backwards from there as far as both are known.
//!
//! Each pair has to be possible, too: a reply acknowledges all of the command that it answers (its ACK number), and a
//! command that acknowledges a reply was not the one answered by it.

use super::command::Meaning;
use super::record::{Command, Held, Reply, Unanswered};
use super::stream::Class;
use super::trust::{Order, QUIET};
use super::{Answers, Redis, asked, kinds};
use crate::counters::Counter;
use crate::output::Outcome;
use crate::packet::Nanos;
use crate::protocol::{Context, Mark, Side, View};

/// Commands of one connection that wait: pipelines of ten thousand are usual.
const PIPELINE: usize = 16_384;
/// Commands, or replies, that are kept while the order is not certain.
const UNCERTAIN: usize = 2048;
/// Bytes of such replies.
const UNCERTAIN_BYTES: usize = 1 << 20;
/// Subscriptions that wait for their confirmation while the order is not certain.
const SUBSCRIBING: usize = 16;

impl Redis {
    /// A client's segment begins with a command.
    pub(super) fn flight(&mut self, mark: Mark, cx: &mut Context<'_>) {
        let trust = &mut self.trust;
        // Nothing came from the server yet, or before the connection was known to speak Redis.
        let server_end = *trust.server_end.get_or_insert(mark.ack);
        let silence = if trust.last_time == 0 { 0 } else { mark.time - trust.last_time };
        trust.last_time = trust.last_time.max(mark.time);
        if mark.ack != server_end || trust.server_ack.is_some_and(|ack| ack != mark.offset) {
            return;
        }
        trust.server_ack = Some(mark.offset);
        let server = &self.halves[Side::Server as usize];
        let is_whole = !server.is_lost && server.begin.is_none() && server.whole_to == server_end;
        match trust.order {
            Order::Certain if is_whole && mark.offset > 0 => {
                if self.waiting.is_empty() && self.dropped == 0 {
                    trust.right = trust.right.saturating_add(1);
                } else {
                    trust.wrong = trust.wrong.saturating_add(1);
                }
                return;
            }
            Order::Certain => return,
            Order::Ending if !self.waiting.is_empty() => return,
            Order::Ending | Order::Lost => trust.order = Order::Lost,
        }
        let is_quiet = silence >= QUIET && !self.commands.iter().any(|c| c.is_blocking);
        if !is_whole {
            // If nothing is under way, the next reply begins here.
            self.flush(cx);
            let server = &mut self.halves[Side::Server as usize];
            server.clear();
            server.is_lost = false;
            server.whole_to = server_end;
            self.trust.score = 1;
            self.trust.refuted = 0;
        } else if self.trust.score == 0 {
            self.trust.score = 1;
            self.trust.refuted = 0;
        } else if self.trust.round[0] == self.trust.round[1] && self.types_fit() {
            self.trust.score = self.trust.score.saturating_add(self.trust.weight(silence));
        } else {
            // One of the two was none: something was under way.
            self.trust.wrong = self.trust.wrong.saturating_add(1);
            self.trust.score = 1;
            self.trust.refuted = 0;
        }
        let no_other_fits = self.trust.refuted == u16::MAX && self.trust.wrong == 0;
        if is_quiet || no_other_fits || self.trust.needed().is_some_and(|needed| self.trust.score >= needed) {
            self.settle(cx);
        }
        self.trust.restart(mark);
    }

    /// Whether the replies of a round are of the types that its commands give; which shifts they refute is noted.
    fn types_fit(&mut self) -> bool {
        let (commands, replies) = (self.commands.len(), self.replies.len());
        let size = (self.trust.round[0] as usize).min(commands).min(replies);
        for back in 1..=size {
            let reply = self.replies[replies - back].raw.first().copied().unwrap_or_default();
            let at = commands - back;
            if !kinds::fits(self.commands[at].kind, reply) {
                return false;
            }
            for shift in 1..=at.min(16) {
                if !kinds::fits(self.commands[at - shift].kind, reply) {
                    self.trust.refuted |= 1 << (shift - 1);
                }
            }
        }
        true
    }

    /// Nothing is under way: what is known is paired backwards from here.
    fn settle(&mut self, cx: &mut Context<'_>) {
        let pairs = self.commands.len().min(self.replies.len());
        let (alone, unasked) = (self.commands.len() - pairs, self.replies.len() - pairs);
        let possible =
            (self.commands.iter().skip(alone)).zip(self.replies.iter().skip(unasked)).all(|(command, reply)| {
                is_possible(command, &reply.reply())
                    && kinds::fits(command.kind, reply.raw.first().copied().unwrap_or_default())
            });
        if !possible {
            self.trust.wrong = self.trust.wrong.saturating_add(1);
            self.trust.score = 1;
            return self.flush(cx);
        }
        let mut commands = std::mem::take(&mut self.commands);
        let mut replies = std::mem::take(&mut self.replies);
        self.held = 0;
        for command in commands.drain(..alone) {
            self.put_lost(command, cx);
        }
        for reply in replies.drain(..unasked) {
            self.put_unasked(&reply.reply(), cx);
        }
        for (command, reply) in commands.into_iter().zip(replies) {
            self.put_answered(command, &reply.reply(), cx);
        }
        self.trust.order = Order::Certain;
        self.trust.score = 0;
    }

    /// The connection was closed in order: the last replies are those to the last commands, if that fits.
    pub(super) fn closed(&mut self, time: Nanos, cx: &mut Context<'_>) {
        let server = &self.halves[Side::Server as usize];
        let is_whole = !server.is_lost && server.begin.is_none() && Some(server.whole_to) == self.trust.server_end;
        let client_end = self.halves[Side::Client as usize].whole_to;
        if !self.trust.is_known()
            && is_whole
            && self.trust.score > 0
            && self.trust.round[0] == self.trust.round[1]
            && self.trust.server_ack.is_some_and(|ack| ack >= client_end)
            && self.halves[Side::Client as usize].begin.is_none()
        {
            let is_quiet = time - self.trust.last_time >= QUIET;
            if is_quiet || self.trust.needed().is_some_and(|needed| self.trust.score + 1 >= needed) {
                self.settle(cx);
            }
        }
    }

    /// A command waits for its reply.
    pub(super) fn ask(&mut self, command: Command, cx: &mut Context<'_>) {
        match self.trust.order {
            Order::Certain => {
                if self.waiting.len() >= PIPELINE
                    && let Some(oldest) = self.waiting.pop_front()
                {
                    cx.out.counters.add(Counter::PendingDropped, 1);
                    self.held -= oldest.held().min(self.held);
                    self.dropped += 1;
                    let error = "too many commands of its connection waited";
                    let how = Unanswered { outcome: Outcome::Incomplete, error, notes: 0 };
                    self.put_unanswered(oldest, how, cx);
                }
                self.held += command.held();
                self.waiting.push_back(command);
            }
            Order::Ending | Order::Lost if matches!(command.meaning, Meaning::Subscribe | Meaning::Unsubscribe) => {
                // It gives any number of replies, which name what they confirm.
                self.flush(cx);
                self.trust.score = 0;
                if self.subscribing.len() >= SUBSCRIBING {
                    let oldest = self.subscribing.remove(0);
                    self.put_lost(oldest, cx);
                }
                self.subscribing.push(command);
            }
            Order::Ending | Order::Lost => {
                self.trust.round[0] = self.trust.round[0].saturating_add(1);
                self.held += command.held();
                self.commands.push_back(command);
                if self.commands.len() > UNCERTAIN
                    && let Some(oldest) = self.commands.pop_front()
                {
                    self.held -= oldest.held().min(self.held);
                    self.put_lost(oldest, cx);
                }
            }
        }
    }

    /// A reply came.
    pub(super) fn answer(&mut self, reply: &Reply<'_>, cx: &mut Context<'_>) {
        if self.trust.is_known() {
            if self.dropped > 0 {
                self.dropped -= 1;
                return self.put_unasked(reply, cx);
            }
            match self.waiting.front() {
                Some(command) if is_possible(command, reply) => {
                    if let Some(command) = self.take_first() {
                        self.put_answered(command, reply, cx);
                    }
                    return;
                }
                None if self.trust.order == Order::Certain => {
                    // Nobody asked: the order was not what it seemed, or the server says goodbye.
                    self.doubt(cx);
                    return self.put_unasked(reply, cx);
                }
                _ => self.doubt(cx),
            }
        }
        let trust = &mut self.trust;
        trust.round[1] = trust.round[1].saturating_add(1);
        trust.latency.get_or_insert(reply.first.time - trust.flight);
        let held = Held::new(reply);
        self.held += held.held();
        self.replies.push_back(held);
        let mut bytes: usize = if self.replies.len() > UNCERTAIN { usize::MAX } else { 0 };
        if bytes == 0 && self.held > UNCERTAIN_BYTES {
            bytes = self.replies.iter().map(Held::held).sum();
        }
        while bytes > UNCERTAIN_BYTES
            && let Some(oldest) = self.replies.pop_front()
        {
            bytes = if bytes == usize::MAX { 0 } else { bytes - oldest.held() };
            self.held -= oldest.held().min(self.held);
            self.put_unasked(&oldest.reply(), cx);
        }
    }

    pub(super) fn take_first(&mut self) -> Option<Command> {
        let command = self.waiting.pop_front()?;
        self.held -= command.held().min(self.held);
        if self.waiting.is_empty() {
            self.held = 0;
            // A deep pipeline's room is not kept by an idle connection.
            if self.waiting.capacity() > 64 {
                self.waiting = std::collections::VecDeque::new();
            }
            if self.trust.order == Order::Ending {
                self.trust.order = Order::Lost;
            }
        }
        Some(command)
    }

    /// The order is not certain any more, though nothing was lost since.
    fn doubt(&mut self, cx: &mut Context<'_>) {
        if std::mem::replace(&mut self.trust.order, Order::Lost) == Order::Certain {
            self.commands.append(&mut self.waiting);
        } else {
            for command in std::mem::take(&mut self.waiting) {
                self.put_lost(command, cx);
            }
        }
        self.trust.score = 0;
        self.dropped = 0;
    }

    /// A command is answered: what follows from that, and its record.
    fn put_answered(&mut self, command: Command, reply: &Reply<'_>, cx: &mut Context<'_>) {
        let is_error = matches!(reply.raw.first(), Some(b'-' | b'!'));
        match command.meaning {
            Meaning::Monitor if !is_error => return self.begin_stream(command, Class::Monitor, reply, cx),
            Meaning::Multi if is_error => self.transaction = None,
            Meaning::Reset if !is_error => self.end_streams(Outcome::Ok, "", cx),
            _ => {}
        }
        self.has_paired = true;
        self.put_pair(command, reply, cx);
    }

    /// From here on it is not known how many values there are; `rest` is left of one, `why` is noted of it.
    pub(super) fn lose(&mut self, side: Side, rest: View<'_>, why: u32, cx: &mut Context<'_>) {
        self.trust.lossy = true;
        self.trust.score = 0;
        let limit = cx.out.config.body_limit;
        let half = &mut self.halves[side as usize];
        let begun = half.begin.filter(|_| !half.is_lost);
        half.keep(rest.bytes, limit);
        let raw = std::mem::take(&mut half.raw);
        let size = half.size;
        half.clear();
        half.is_lost = true;
        let mut last = match rest.bytes.len() {
            0 => begun.unwrap_or_default(),
            len => rest.mark(len - 1),
        };
        last.offset = rest.offset + rest.bytes.len() as u64;
        match side {
            Side::Client => {
                self.transaction = None;
                self.answers = Answers::On;
                // How many are lost between these and what comes is not known.
                for command in std::mem::take(&mut self.commands) {
                    self.put_lost(command, cx);
                }
                if let Some(first) = begun
                    && !asked::arguments(&raw).get(0).is_empty()
                    && raw.first() == Some(&b'*')
                {
                    self.asked(&raw, first, last, size, why, cx);
                    for command in std::mem::take(&mut self.commands) {
                        self.put_lost(command, cx);
                    }
                }
                self.trust.order = match self.trust.order {
                    Order::Certain | Order::Ending if !self.waiting.is_empty() => Order::Ending,
                    _ => Order::Lost,
                };
            }
            Side::Server => {
                self.confirming = None;
                if let Some(first) = begun
                    && !raw.is_empty()
                    && self.trust.is_known()
                    && self.dropped == 0
                    && self.waiting.front().is_some_and(|command| command.end <= first.ack)
                    && let Some(command) = self.take_first()
                {
                    let (last_time, end) = (last.time, last.offset);
                    let reply = Reply { first, last_time, end, size, raw: &raw, ended: false, notes: why };
                    self.put_pair(command, &reply, cx);
                }
                for command in std::mem::take(&mut self.waiting) {
                    self.put_lost(command, cx);
                }
                for reply in std::mem::take(&mut self.replies) {
                    self.put_unasked(&reply.reply(), cx);
                }
                self.dropped = 0;
                self.trust.order = Order::Lost;
                self.held = self.commands.iter().map(Command::held).sum();
            }
        }
    }

    /// What waits for certainty is put out without it.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) {
        for command in std::mem::take(&mut self.subscribing) {
            self.put_lost(command, cx);
        }
        for command in std::mem::take(&mut self.commands) {
            self.put_lost(command, cx);
        }
        for reply in std::mem::take(&mut self.replies) {
            self.put_unasked(&reply.reply(), cx);
        }
        self.held = self.waiting.iter().map(Command::held).sum();
    }

    /// Puts out a command whose reply is lost, or can't be told from others.
    pub(super) fn put_lost(&mut self, command: Command, cx: &mut Context<'_>) {
        let error = "its reply was lost, or can't be told from others";
        let how = Unanswered { outcome: Outcome::Incomplete, error, notes: self.lost_note() };
        self.put_unanswered(command, how, cx);
    }
}

/// Whether a reply may be the answer to a command, by what each acknowledges.
pub(super) fn is_possible(command: &Command, reply: &Reply<'_>) -> bool {
    command.end <= reply.first.ack && command.ack <= reply.first.offset
}
