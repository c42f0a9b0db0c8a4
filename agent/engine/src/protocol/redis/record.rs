//! From commands and their replies to records.

use std::borrow::Cow;

use super::command::Meaning;
use super::resp::{Token, Tokens};
use super::secret::Hidden;
use super::{Redis, kinds, render};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::{Exchange, Messages, Outcome};
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::stream::{Mark, Side};

/// A command and what is known of it.
pub(super) struct Command {
    pub id: [u8; 16],
    pub message: Box<Message>,
    pub operation: (u32, u32),
    pub target: (u32, u32),
    pub meaning: Meaning,
    pub hidden: Hidden,
    pub is_blocking: bool,
    /// See [`super::kinds`].
    pub kind: u8,
    /// Channels that it subscribes to or leaves; how many replies that gives.
    pub channels: u32,
    /// Stream offset behind its last byte.
    pub end: u64,
    /// How much of the server's stream the client had received when it sent that.
    pub ack: u64,
    pub revision: u16,
}

impl Command {
    /// Whether a reply is of a type that this command gets.
    pub fn may_be_answered(&self, reply: &[u8]) -> bool {
        let is_queued = !matches!(self.meaning, Meaning::Multi | Meaning::Exec | Meaning::Discard);
        kinds::fits(self.kind, is_queued, reply)
    }

    pub fn held(&self) -> usize {
        size_of::<Self>() + size_of::<Message>() + self.message.text.capacity() + self.message.body.data.capacity()
    }
}

/// A reply, as far as it was kept.
#[derive(Clone, Copy)]
pub(super) struct Reply<'a> {
    pub first: Mark,
    pub last_time: Nanos,
    /// Stream offset behind its last byte.
    pub end: u64,
    /// Bytes on the wire.
    pub size: u64,
    pub raw: &'a [u8],
    /// Whether it ended.
    pub ended: bool,
    pub notes: u32,
}

/// A reply of which it is not known yet what it answers.
pub(super) struct Held {
    pub first: Mark,
    pub last_time: Nanos,
    pub end: u64,
    pub size: u64,
    pub raw: Vec<u8>,
    pub notes: u32,
}

impl Held {
    pub fn new(reply: &Reply<'_>) -> Self {
        let Reply { first, last_time, end, size, raw, notes, .. } = *reply;
        Self { first, last_time, end, size, raw: raw.to_vec(), notes }
    }

    pub fn reply(&self) -> Reply<'_> {
        let Self { first, last_time, end, size, notes, .. } = *self;
        Reply { first, last_time, end, size, raw: &self.raw, ended: true, notes }
    }

    pub fn held(&self) -> usize {
        size_of::<Self>() + self.raw.capacity()
    }
}

/// What a reply says: its word for the status, and how the command ended.
pub(super) struct Said<'a> {
    pub word: &'a [u8],
    pub outcome: Outcome,
    pub error: Cow<'a, str>,
}

/// Errors that are the server's: it can't do now what is asked.
const OF_SERVER: &[&[u8]] = &[
    b"BUSY",
    b"CLUSTERDOWN",
    b"INPROG",
    b"IOERR",
    b"LOADING",
    b"MASTERDOWN",
    b"MISCONF",
    b"NOGOODSLAVE",
    b"NOMASTERLINK",
    b"NOQUORUM",
    b"NOREPLICAS",
    b"OOM",
    b"READONLY",
    b"TRYAGAIN",
    b"UNBLOCKED",
];

/// The first word of an error, and whose fault it is.
fn error(text: &[u8]) -> Said<'_> {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let is_code =
        end > 0 && text[..end].iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-' | b'0'..=b'9'));
    let word = if is_code { &text[..end.min(32)] } else { b"ERR" };
    let full = text.starts_with(b"ERR max number of clients");
    let outcome = if full || OF_SERVER.contains(&word) { Outcome::ServerError } else { Outcome::ClientError };
    Said { word, outcome, error: String::from_utf8_lossy(&text[..text.len().min(512)]) }
}

/// What a reply says to a command of this meaning.
pub(super) fn said(raw: &[u8], meaning: Meaning) -> Said<'_> {
    let mut tokens = Tokens::new(raw);
    let mut first = tokens.next();
    while let Some(Token::Open(b'|', Some(pairs))) = first {
        skip(&mut tokens, pairs.saturating_mul(2));
        first = tokens.next();
    }
    let ok = |word| Said { word, outcome: Outcome::Ok, error: Cow::Borrowed("") };
    match first {
        Some(Token::Line(b'-', text) | Token::Bulk(b'!', text)) => error(text),
        Some(Token::Line(b'+', b"QUEUED")) => ok(b"QUEUED"),
        Some(Token::Null | Token::Line(b'_', _)) if meaning == Meaning::Exec => Said {
            word: b"ABORTED",
            outcome: Outcome::ClientError,
            error: Cow::Borrowed("the transaction was aborted: a key that it watches was changed"),
        },
        Some(Token::Open(b'*', Some(count))) if meaning == Meaning::Exec => transaction(&mut tokens, count),
        _ => ok(b"OK"),
    }
}

/// The first error in the replies of a transaction.
fn transaction<'a>(tokens: &mut Tokens<'a>, count: u64) -> Said<'a> {
    let (mut first, mut failed) = (None, 0);
    for _ in 0..count {
        let Some(token) = tokens.next() else { break };
        match token {
            Token::Line(b'-', text) | Token::Bulk(b'!', text) => {
                failed += 1;
                first = first.or(Some(text));
            }
            Token::Open(b'%', Some(pairs)) => skip(tokens, pairs.saturating_mul(2)),
            Token::Open(_, Some(values)) => skip(tokens, values),
            _ => {}
        }
    }
    let Some(text) = first else {
        return Said { word: b"OK", outcome: Outcome::Ok, error: Cow::Borrowed("") };
    };
    let said = error(text);
    Said { error: format!("{failed} of {count} commands failed: {}", said.error).into(), ..said }
}

/// Passes over so many values.
fn skip(tokens: &mut Tokens<'_>, mut values: u64) {
    while values > 0 {
        let Some(token) = tokens.next() else { return };
        values -= 1;
        match token {
            Token::Open(b'%', Some(pairs)) => values = values.saturating_add(2 * pairs),
            Token::Open(b'|', Some(pairs)) => values = values.saturating_add(2 * pairs + 1),
            Token::Open(_, Some(count)) => values = values.saturating_add(count),
            _ => {}
        }
    }
}

/// How a command ended that was not answered.
#[derive(Clone, Copy)]
pub(super) struct Unanswered<'a> {
    pub outcome: Outcome,
    pub error: &'a str,
    pub notes: u32,
}

impl Redis {
    /// The response as a message: its text is what `redis-cli` would show.
    pub(super) fn response(&self, reply: &Reply<'_>, hidden: &Hidden, cx: &mut Context<'_>) -> Box<Message> {
        let mut message = cx.out.message();
        message.first = reply.first;
        message.last_time = reply.last_time;
        message.end_offset = reply.end;
        message.body.bytes = reply.size;
        message.body.shown = true;
        message.notes = reply.notes;
        let limit = cx.out.config.body_limit;
        if limit > 0 && cx.out.config.heads {
            let made = render::reply(reply.raw, hidden, &cx.out.redactor, limit, &mut message.body.data);
            if made.cut || (reply.ended && reply.size > reply.raw.len() as u64 && reply.notes & notes::GAP == 0) {
                message.notes |= notes::RESPONSE_CUT;
                cx.out.counters.add(Counter::BodiesCut, 1);
            }
            if made.redacted {
                message.notes |= notes::REDACTED;
            }
        }
        message
    }

    /// Puts out a command with its reply.
    pub(super) fn put_pair(&mut self, command: Command, reply: &Reply<'_>, cx: &mut Context<'_>) {
        let mut said = said(reply.raw, command.meaning);
        if !reply.ended {
            said = Said { outcome: Outcome::Incomplete, error: "the end of its reply was not captured".into(), ..said };
        }
        let response = self.response(reply, &command.hidden, cx);
        self.put(&command, Some(&response), said.word, said.outcome, &said.error, None, cx);
        cx.out.recycle(response);
        cx.out.recycle(command.message);
    }

    /// Puts out a command without a reply.
    pub(super) fn put_unanswered(&mut self, mut command: Command, how: Unanswered<'_>, cx: &mut Context<'_>) {
        command.message.notes |= how.notes;
        self.put(&command, None, b"", how.outcome, how.error, None, cx);
        cx.out.recycle(command.message);
    }

    /// Puts out a reply of which it is not known what it answers.
    pub(super) fn put_unasked(&mut self, reply: &Reply<'_>, cx: &mut Context<'_>) {
        cx.unpaired(self.lost_note());
        let mut response = self.response(reply, &Hidden::Unknown, cx);
        response.notes |= notes::NO_REQUEST | self.lost_note() | if self.exchanges > 0 { notes::REUSED } else { 0 };
        let said = said(reply.raw, Meaning::Plain);
        let exchange = Exchange {
            id: cx.out.exchange_id(cx.conn, reply.first.time, Side::Server, reply.first.offset, 0),
            revision: 0,
            protocol: "redis",
            version: self.version(),
            operation: b"",
            target: b"",
            authority: b"",
            status: None,
            status_text: said.word,
            outcome: Outcome::Incomplete,
            error: "the command that it answers is not known",
            request: None,
            response: Some(&response),
            reason: b"",
            interim: &[],
            ended: true,
            stream: None,
            messages: None,
            notes: 0,
        };
        cx.out.exchange(cx.conn, &exchange);
        self.exchanges += 1;
        cx.out.recycle(response);
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of one record")]
    pub(super) fn put(
        &mut self,
        command: &Command,
        response: Option<&Message>,
        status: &[u8],
        outcome: Outcome,
        error: &str,
        messages: Option<Messages>,
        cx: &mut Context<'_>,
    ) {
        let request = &command.message;
        let exchange = Exchange {
            id: command.id,
            revision: command.revision,
            protocol: "redis",
            version: self.version(),
            operation: request.span(command.operation),
            target: request.span(command.target),
            authority: b"",
            status: None,
            status_text: status,
            outcome,
            error,
            request: Some(request),
            response,
            reason: b"",
            interim: &[],
            ended: !matches!(outcome, Outcome::Open | Outcome::Incomplete),
            stream: None,
            messages,
            notes: 0,
        };
        cx.out.exchange(cx.conn, &exchange);
    }
}
