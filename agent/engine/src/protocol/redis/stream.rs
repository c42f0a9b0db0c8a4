//! What comes unasked: deliveries of subscriptions, other pushes, the lines of MONITOR. Each is a message of the exchange
//! that asked for it once.

use super::push::{Class, Push};
use super::record::{Command, Reply};
use super::secret::Hidden;
use super::{Redis, asked, command, inline, render};
use crate::message::{Message, notes};
use crate::output::{Exchange, Messages, Outcome, StreamMessage};
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::stream::Side;

/// Channels of a connection that are remembered; a delivery by another one goes to the newest subscription.
const CHANNELS: usize = 4096;
/// Subscriptions of a connection that are kept apart.
const SUBSCRIPTIONS: usize = 256;

/// An exchange that messages belong to.
pub(super) struct Stream {
    pub class: Class,
    /// `None`: the command was never seen.
    pub command: Option<Command>,
    id: [u8; 16],
    response: Box<Message>,
    counts: Messages,
    index: u32,
    revision: u16,
    reported: u32,
    channels: Vec<Box<[u8]>>,
}

impl Stream {
    pub fn held(&self) -> usize {
        let channels: usize = self.channels.iter().map(|channel| channel.len() + 16).sum();
        size_of::<Self>() + channels + self.command.as_ref().map_or(0, Command::held)
    }
}

impl Redis {
    /// Whether anything is subscribed to.
    pub(super) fn is_subscribed(&self) -> bool {
        self.streams.iter().any(|stream| matches!(stream.class, Class::Channel | Class::Pattern | Class::Shard))
    }

    /// Channels of this class that are subscribed to.
    pub(super) fn channels_of(&self, class: Class) -> usize {
        self.streams.iter().filter(|stream| stream.class == class).map(|stream| stream.channels.len()).sum()
    }

    /// The command began a stream: `reply` is the first that it gave.
    pub(super) fn begin_stream(&mut self, mut command: Command, class: Class, reply: &Reply<'_>, cx: &mut Context<'_>) {
        command.message.notes |= notes::STREAM;
        let mut response = cx.out.message();
        response.first = reply.first;
        response.last_time = reply.last_time;
        response.body.bytes = reply.size;
        response.body.shown = true;
        response.notes = reply.notes;
        let (id, revision) = (command.id, command.revision);
        self.add_stream(class, Some(command), id, revision, response, cx);
    }

    fn add_stream(
        &mut self,
        class: Class,
        command: Option<Command>,
        id: [u8; 16],
        revision: u16,
        response: Box<Message>,
        cx: &mut Context<'_>,
    ) {
        if self.streams.len() >= SUBSCRIPTIONS {
            let oldest = self.streams.remove(0);
            self.end_stream(oldest, Outcome::Incomplete, "too many subscriptions of its connection", cx);
        }
        let stream = Stream {
            class,
            command,
            id,
            response,
            counts: Messages::default(),
            index: 0,
            revision,
            reported: 0,
            channels: Vec::new(),
        };
        self.streams.push(stream);
    }

    /// The stream that a push belongs to; one without a command if that was never seen.
    fn stream_of(&mut self, push: &Push<'_>, reply: &Reply<'_>, cx: &mut Context<'_>) -> usize {
        let of_class = |stream: &Stream| stream.class == push.class;
        let by_channel = |stream: &Stream| of_class(stream) && stream.channels.iter().any(|c| **c == *push.topic);
        if let Some(at) = self.streams.iter().rposition(by_channel).or_else(|| self.streams.iter().rposition(of_class))
        {
            return at;
        }
        let mut response = cx.out.message();
        response.first = reply.first;
        response.last_time = reply.last_time;
        response.notes = notes::NO_REQUEST | notes::STREAM | self.lost_note();
        let id = cx.out.exchange_id(cx.conn, reply.first.time, Side::Server, reply.first.offset, 1);
        self.add_stream(push.class, None, id, 0, response, cx);
        self.streams.len() - 1
    }

    /// Puts out a push as a message.
    pub(super) fn pushed(&mut self, push: &Push<'_>, reply: &Reply<'_>, cx: &mut Context<'_>) {
        let at = self.stream_of(push, reply, cx);
        if push.is_subscribed() {
            let known: usize = self.streams.iter().map(|stream| stream.channels.len()).sum();
            let stream = &mut self.streams[at];
            if known < CHANNELS && !stream.channels.iter().any(|channel| **channel == *push.topic) {
                stream.channels.push(push.topic.into());
            }
        }
        let name = if push.channel.is_empty() { push.topic } else { push.channel };
        let mut text = Vec::new();
        let (body, bits) = match push.payload {
            Some(payload) => (payload, 0),
            None => {
                let limit = cx.out.config.body_limit;
                let made = render::reply(reply.raw, &Hidden::Nothing, &cx.out.redactor, limit, &mut text);
                (&text[..], if made.redacted { notes::REDACTED } else { 0 })
            }
        };
        self.message(at, push.kind, name, body, bits, reply, cx);
        if push.is_unsubscribed() {
            let stream = &mut self.streams[at];
            stream.channels.retain(|channel| **channel != *push.topic);
            if stream.channels.is_empty() {
                let ended = self.streams.remove(at);
                self.end_stream(ended, Outcome::Ok, "", cx);
            }
        }
    }

    /// Puts out a line of MONITOR; the command in it may hold secrets.
    pub(super) fn monitored(&mut self, line: &[u8], reply: &Reply<'_>, cx: &mut Context<'_>) {
        let push = Push { kind: "monitor", class: Class::Monitor, topic: b"", channel: b"", payload: None };
        let at = self.stream_of(&push, reply, cx);
        let head = line.iter().position(|&byte| byte == b']').map_or(line.len(), |end| end + 1);
        let mut text = line[..head].to_vec();
        let mut bits = 0;
        match inline::words(&line[head..]) {
            Some(words) if !words.is_empty() => {
                let mut raw = Vec::new();
                inline::write_command(&mut raw, &words);
                let arguments = asked::arguments(&raw);
                let known = command::describe(&arguments, &mut Vec::new()).0;
                text.push(b' ');
                let limit = cx.out.config.body_limit;
                let made = render::command(&raw, (known, &arguments), &cx.out.redactor, limit, &mut text);
                if made.redacted {
                    bits |= notes::REDACTED;
                }
            }
            // It was cut: what can't be read can't be searched for secrets.
            _ => bits |= notes::MALFORMED,
        }
        self.message(at, "monitor", b"", &text, bits, reply, cx);
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of one record")]
    fn message(
        &mut self,
        at: usize,
        kind: &'static str,
        name: &[u8],
        body: &[u8],
        bits: u32,
        reply: &Reply<'_>,
        cx: &mut Context<'_>,
    ) {
        let limit = cx.out.config.body_limit;
        let stream = &mut self.streams[at];
        let row = StreamMessage {
            exchange: stream.id,
            index: stream.index,
            time: reply.last_time,
            side: Side::Server,
            kind,
            name,
            bytes: reply.size,
            content_bytes: Some(body.len() as u64),
            coding: Some(b"identity"),
            media_type: b"",
            method: b"",
            body: Some(&body[..body.len().min(limit)]),
            notes: bits | reply.notes,
        };
        cx.out.stream_message(cx.conn, &row);
        stream.index = stream.index.saturating_add(1);
        stream.counts.received += 1;
        stream.counts.first.get_or_insert(reply.last_time);
        stream.counts.last = Some(reply.last_time);
        stream.response.last_time = stream.response.last_time.max(reply.last_time);
    }

    /// Puts out a stream as it is now.
    fn put_stream(&mut self, stream: &mut Stream, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        stream.reported = stream.counts.received;
        let messages = Some(stream.counts);
        if let Some(command) = &mut stream.command {
            command.revision = stream.revision;
            self.put(command, Some(&stream.response), b"OK", outcome, error, messages, cx);
        } else {
            let operation: &[u8] = match stream.class {
                Class::Channel => b"SUBSCRIBE",
                Class::Pattern => b"PSUBSCRIBE",
                Class::Shard => b"SSUBSCRIBE",
                Class::Tracking => b"CLIENT TRACKING",
                Class::Monitor => b"MONITOR",
                Class::Other => b"",
            };
            let exchange = Exchange {
                id: stream.id,
                revision: stream.revision,
                protocol: "redis",
                version: self.version(),
                operation,
                target: b"",
                authority: b"",
                status: None,
                status_text: b"",
                outcome,
                error,
                request: None,
                response: Some(&stream.response),
                reason: b"",
                interim: &[],
                ended: outcome != Outcome::Open,
                stream: None,
                messages,
                notes: 0,
            };
            cx.out.exchange(cx.conn, &exchange);
        }
        stream.revision = stream.revision.saturating_add(1);
    }

    /// A stream ends.
    pub(super) fn end_stream(&mut self, mut stream: Stream, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        self.put_stream(&mut stream, outcome, error, cx);
        cx.out.recycle(stream.response);
        if let Some(command) = stream.command {
            cx.out.recycle(command.message);
        }
    }

    /// All streams end.
    pub(super) fn end_streams(&mut self, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        for stream in std::mem::take(&mut self.streams) {
            self.end_stream(stream, outcome, error, cx);
        }
    }

    /// Streams of which there is news are put out.
    pub(super) fn report_streams(&mut self, _now: Nanos, cx: &mut Context<'_>) {
        let mut streams = std::mem::take(&mut self.streams);
        for stream in &mut streams {
            if stream.revision == 0 || stream.counts.received != stream.reported {
                self.put_stream(stream, Outcome::Open, "", cx);
            }
        }
        self.streams = streams;
    }
}
