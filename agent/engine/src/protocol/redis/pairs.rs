//! Commands that wait and the replies to them: paired at once while the order is certain, kept until it is again.

use super::Redis;
use super::command::Meaning;
use super::push::Class;
use super::record::{Command, Held, Reply, Unanswered};
use super::sync::is_possible;
use super::trust::Order;
use crate::counters::Counter;
use crate::output::Outcome;
use crate::protocol::Context;

/// Commands of one connection that wait: pipelines of ten thousand are usual.
const PIPELINE: usize = 16_384;
/// Commands, or replies, that are kept while the order is not certain.
const UNCERTAIN: usize = 2048;
/// Bytes of such replies.
const UNCERTAIN_BYTES: usize = 1 << 20;
/// Subscriptions that wait for their confirmation while the order is not certain.
const SUBSCRIBING: usize = 16;

impl Redis {
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
                Some(command) if is_possible(command, reply) && command.may_be_answered(reply.raw) => {
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
        if self.trust.order == Order::Certain {
            self.commands.append(&mut self.waiting);
        }
        self.distrust(cx);
    }

    /// The order is not certain any more, and what waits is not answered by what comes.
    pub(super) fn distrust(&mut self, cx: &mut Context<'_>) {
        self.trust.order = Order::Lost;
        for command in std::mem::take(&mut self.waiting) {
            self.put_lost(command, cx);
        }
        self.trust.score = 0;
        self.dropped = 0;
    }

    /// A command is answered: what follows from that, and its record.
    pub(super) fn put_answered(&mut self, command: Command, reply: &Reply<'_>, cx: &mut Context<'_>) {
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
}
