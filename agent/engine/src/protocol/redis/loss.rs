//! What a loss leaves: commands without replies, replies without commands.

use super::record::{Command, Reply, Unanswered};
use super::trust::Order;
use super::{Answers, Redis, asked};
use crate::output::Outcome;
use crate::protocol::Context;
use crate::stream::{Side, View};

impl Redis {
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
