//! Commands as they are sent: their record's first half, and what they change for those that follow.

use super::command::{self, Arguments, Meaning};
use super::record::{Command, Unanswered};
use super::resp::{Token, Tokens};
use super::secret::{self, Hidden};
use super::{Answers, Redis, render};
use crate::counters::Counter;
use crate::message::notes;
use crate::output::Outcome;
use crate::protocol::Context;
use crate::stream::{Mark, Side};

/// Transactions longer than this are redacted as if what was asked were not known.
const TRANSACTION: usize = 4096;

/// The first arguments of what is kept of a command.
pub(super) fn arguments(raw: &[u8]) -> Arguments<'_> {
    let mut arguments = Arguments::new();
    for token in Tokens::new(raw) {
        match token {
            Token::Open(_, Some(count)) => arguments.count = count as usize,
            Token::Bulk(_, text) => arguments.push(text),
            _ => {}
        }
    }
    arguments
}

impl Redis {
    /// A command was sent.
    pub(super) fn asked(&mut self, raw: &[u8], first: Mark, end: Mark, size: u64, bits: u32, cx: &mut Context<'_>) {
        let arguments = arguments(raw);
        if arguments.count == 0 {
            return; // the server passes over it
        }
        let mut message = cx.out.message();
        let (known, operation, target) = command::describe(&arguments, &mut message.text);
        message.first = first;
        message.last_time = end.time;
        message.end_offset = end.offset;
        message.body.bytes = size;
        message.body.shown = true;
        message.notes = bits
            | if self.exchanges > 0 { notes::REUSED } else { 0 }
            | if self.waiting.is_empty() { 0 } else { notes::PIPELINED };
        let limit = cx.out.config.body_limit;
        if limit > 0 && cx.out.config.heads {
            let made = render::command(raw, (known, &arguments), &cx.out.redactor, limit, &mut message.body.data);
            if made.cut || (bits & notes::GAP == 0 && size > raw.len() as u64) {
                message.notes |= notes::REQUEST_CUT;
                cx.out.counters.add(Counter::BodiesCut, 1);
            }
            if made.redacted {
                message.notes |= notes::REDACTED;
            }
        }
        self.exchanges = self.exchanges.saturating_add(1);
        let mut command = Command {
            id: cx.out.exchange_id(cx.conn, first.time, Side::Client, first.offset, 0),
            message,
            operation,
            target,
            meaning: known.meaning,
            hidden: secret::in_reply(known, &arguments, &cx.out.redactor),
            is_blocking: known.is_blocking,
            kind: known.kind,
            channels: arguments.count.saturating_sub(1) as u32,
            end: end.offset,
            ack: end.ack,
            revision: 0,
        };
        if let Some(hidden) = &mut self.transaction
            && !matches!(known.meaning, Meaning::Exec | Meaning::Discard | Meaning::Reset)
        {
            // It is queued: what it means comes with EXEC.
            if hidden.len() < TRANSACTION {
                hidden.push(std::mem::take(&mut command.hidden));
            }
            command.meaning = Meaning::Plain;
            command.kind = 0;
        } else if known.meaning == Meaning::Replicate {
            self.is_replica = true;
            let how = Unanswered { outcome: Outcome::Ok, error: "", notes: notes::STREAM };
            return self.put_unanswered(command, how, cx);
        } else if self.changes(&mut command, &arguments) {
            return self.put_without_reply(command, cx);
        }
        match self.answers {
            Answers::On => self.ask(command, cx),
            Answers::Off => self.put_without_reply(command, cx),
            Answers::Skip => {
                self.answers = Answers::On;
                self.put_without_reply(command, cx);
            }
        }
    }

    /// What a command changes for those that follow; says whether it asks for no reply to itself.
    fn changes(&mut self, command: &mut Command, arguments: &Arguments<'_>) -> bool {
        match command.meaning {
            Meaning::Multi => self.transaction = Some(Vec::new()),
            Meaning::Exec => {
                let hidden = self.transaction.take().filter(|each| each.len() < TRANSACTION);
                command.hidden = match hidden {
                    Some(each) if each.iter().all(|one| *one == Hidden::Nothing) => Hidden::Nothing,
                    Some(each) => Hidden::Each(each.into()),
                    None => Hidden::Unknown,
                };
            }
            Meaning::Discard => self.transaction = None,
            Meaning::Reset => {
                self.transaction = None;
                self.answers = Answers::On;
            }
            Meaning::Client if arguments.is(1, b"REPLY") => {
                if arguments.is(2, b"OFF") {
                    self.answers = Answers::Off;
                    return true;
                }
                if arguments.is(2, b"SKIP") && self.answers != Answers::Off {
                    self.answers = Answers::Skip;
                    return true;
                }
                if arguments.is(2, b"ON") {
                    self.answers = Answers::On;
                }
            }
            _ => {}
        }
        false
    }

    /// The client asked for no reply.
    fn put_without_reply(&mut self, command: Command, cx: &mut Context<'_>) {
        self.put_unanswered(command, Unanswered { outcome: Outcome::Ok, error: "", notes: 0 }, cx);
    }
}
