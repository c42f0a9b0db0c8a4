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

use super::Redis;
use super::record::{Command, Reply};
use super::trust::{Order, QUIET};
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::stream::{Mark, Side};

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
                    return;
                }
                if !trust.always_waits() || self.waiting.iter().any(|command| command.is_blocking) {
                    trust.wrong = trust.wrong.saturating_add(1);
                    return;
                }
                // It has all its replies, as ever, and there are fewer than it asked for: one is damaged.
                self.trust.lossy = true;
                self.distrust(cx);
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
            let reply = &self.replies[replies - back].raw;
            let at = commands - back;
            if !self.commands[at].may_be_answered(reply) {
                return false;
            }
            for shift in 1..=at.min(16) {
                if !self.commands[at - shift].may_be_answered(reply) {
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
        let possible = (self.commands.iter().skip(alone))
            .zip(self.replies.iter().skip(unasked))
            .all(|(command, reply)| is_possible(command, &reply.reply()) && command.may_be_answered(&reply.raw));
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
}

/// Whether a reply may be the answer to a command, by what each acknowledges.
pub(super) fn is_possible(command: &Command, reply: &Reply<'_>) -> bool {
    command.end <= reply.first.ack && command.ack <= reply.first.offset
}
