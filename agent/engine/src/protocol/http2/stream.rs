//! A stream: one request and its response, while they are under way (RFC 9113 sections 5.1 and 8.1).

use super::grpc::{Deframer, Event, Kind};
use super::head::{Content, Head};
use crate::message::{Message, notes};
use crate::output::{Messages, StreamMessage};
use crate::packet::Nanos;
use crate::protocol::sse::Events;
use crate::protocol::{Context, Side, View};

type Span = (u32, u32);

/// One direction's messages.
#[derive(Default)]
struct Reading {
    deframer: Deframer,
    /// `grpc-encoding`, in the text of the message.
    encoding: Option<Span>,
    compressed: bool,
    /// Bytes of the message that is being read.
    size: u64,
    /// Notes about it.
    notes: u32,
    /// When the first was complete, as long as it may be the only one.
    only: Option<Nanos>,
}

/// One stream. Of a unary gRPC call the messages are the bodies; once a second one shows that it is a stream of them,
/// each becomes a record of its own.
#[derive(Default)]
pub(super) struct Stream {
    pub exchange: [u8; 16],
    pub id: u32,
    pub request: Option<Box<Message>>,
    pub response: Option<Box<Message>>,
    /// Spans of the request's text.
    pub method: Span,
    pub target: Span,
    pub authority: Span,
    pub status: Option<u16>,
    pub interim: Vec<i32>,
    /// By [`Side`]: it has sent all.
    pub ended: [bool; 2],
    /// By [`Side`]: something that it sent may be lost.
    pub lost: [bool; 2],
    /// When the response ended is not known.
    pub end_lost: bool,
    pub notes: u32,
    pub revision: u16,
    pub kind: Kind,
    pub grpc_status: Option<i32>,
    /// Span of the response's text.
    pub grpc_message: Option<Span>,
    pub timeout: Option<Nanos>,
    pub counts: Messages,
    /// Messages that were told of in the last revision.
    pub reported: u32,
    /// When anything last came.
    pub last_time: Nanos,
    /// A record says that its end was not captured.
    pub settled: bool,
    /// Bytes held, as they were last counted.
    pub held: usize,
    reading: [Reading; 2],
    streaming: bool,
    index: u32,
    events: Option<Box<Events>>,
}

impl Stream {
    /// A stream of which nothing came yet.
    pub fn new(id: u32, exchange: [u8; 16], notes: u32) -> Box<Self> {
        Box::new(Self { id, exchange, notes, ..Self::default() })
    }

    /// What this side sends.
    pub fn message(&mut self, side: Side) -> Option<&mut Message> {
        match side {
            Side::Client => self.request.as_deref_mut(),
            Side::Server => self.response.as_deref_mut(),
        }
    }

    /// Messages came one by one.
    pub fn is_streaming(&self) -> bool {
        self.streaming || self.events.is_some()
    }

    /// Bytes that it holds.
    pub fn holds(&self) -> usize {
        let of = |message: &Option<Box<Message>>| {
            message.as_ref().map_or(0, |m| {
                size_of::<Message>() + m.text.capacity() + m.body.data.capacity() + m.headers.capacity() * 24
            })
        };
        size_of::<Self>() + of(&self.request) + of(&self.response) + self.events.as_ref().map_or(0, |e| e.held())
    }

    /// Takes what the request's head says.
    pub fn request(&mut self, message: Box<Message>, head: &Head) {
        self.method = head.method.unwrap_or_default();
        self.target = head.path.unwrap_or_default();
        self.authority = head.authority.or(head.host).unwrap_or_default();
        self.timeout = head.timeout;
        self.reading[Side::Client as usize].encoding = head.grpc_encoding;
        let could_be = head.method.is_none_or(|method| message.span(method) == b"POST");
        self.kind = kind_of(head, could_be);
        let path = message.span(self.target);
        if path.starts_with(b"/grpc.health.v1.Health/") {
            self.notes |= notes::HEALTH;
        } else if path.starts_with(b"/grpc.reflection.") {
            self.notes |= notes::REFLECTION;
        }
        self.request = Some(message);
    }

    /// Takes what the response's head says.
    pub fn response(&mut self, mut message: Box<Message>, head: &Head) {
        self.status = head.status;
        self.reading[Side::Server as usize].encoding = head.grpc_encoding;
        match (self.kind, kind_of(head, true)) {
            (Kind::Perhaps, kind) => self.kind = kind,
            (Kind::Plain, kind) if self.request.is_none() => self.kind = kind,
            _ => {}
        }
        if head.content == Some(Content::Events) {
            self.notes |= notes::STREAM;
            self.events = (!head.coded).then(Box::default);
        }
        message.body.withheld = self.streaming;
        self.response = Some(message);
        self.trailers(head);
    }

    /// Takes what trailers, or a response without any, say of the status.
    pub fn trailers(&mut self, head: &Head) {
        if head.grpc_status.is_some() {
            self.grpc_status = head.grpc_status;
            if self.kind == Kind::Perhaps {
                self.kind = Kind::Grpc;
            }
        }
        self.grpc_message = head.grpc_message.or(self.grpc_message);
    }

    /// A DATA frame with so many bytes of data begins.
    pub fn data_frame(&mut self, side: Side, len: usize) {
        if self.kind != Kind::Plain {
            self.reading[side as usize].deframer.frame(len, self.kind == Kind::Perhaps);
        }
    }

    /// Takes a piece of the data.
    pub fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) {
        if self.kind != Kind::Plain {
            self.grpc_data(side, view, cx);
            return;
        }
        let limit = cx.out.config.body_limit;
        if let Some(message) = self.message(side) {
            message.body.push(view.bytes, limit);
        }
        if let (Side::Server, Some(events)) = (side, &mut self.events) {
            let time = view.mark(view.bytes.len().max(1) - 1).time;
            events.put(view.bytes, time, self.exchange, &mut self.counts, cx.conn, cx.out);
        }
    }

    fn grpc_data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) {
        let limit = cx.out.config.body_limit;
        let mut data = view.bytes;
        while let Some(event) = self.reading[side as usize].deframer.next(&mut data) {
            match event {
                Event::Begin(compressed) => self.begin(side, compressed, cx),
                Event::Bytes(bytes) => {
                    self.reading[side as usize].size += bytes.len() as u64;
                    if let Some(message) = self.message(side) {
                        message.body.push(bytes, limit);
                    }
                }
                Event::End => {
                    let at = view.bytes.len() - data.len();
                    self.end(side, view.mark(at.max(1) - 1).time, cx);
                }
                Event::NoPrefix if self.kind == Kind::Perhaps => {
                    self.kind = Kind::Plain;
                    let prefix = *self.reading[side as usize].deframer.last_prefix();
                    if let Some(message) = self.message(side) {
                        message.body.push(&prefix, limit);
                        message.body.push(data, limit);
                    }
                    return;
                }
                Event::Stray(bytes) if self.kind == Kind::Perhaps => {
                    self.kind = Kind::Plain;
                    if let Some(message) = self.message(side) {
                        message.body.push(bytes, limit);
                    }
                    return;
                }
                Event::NoPrefix => {
                    let lost = self.lost[side as usize];
                    if let Some(message) = self.message(side) {
                        message.notes |= if lost { notes::GAP } else { notes::MALFORMED };
                        message.body.hole();
                    }
                }
                Event::Stray(bytes) => {
                    if let Some(message) = self.message(side) {
                        message.body.gap(bytes.len() as u64);
                    }
                }
            }
        }
    }

    fn begin(&mut self, side: Side, compressed: bool, cx: &mut Context<'_>) {
        self.kind = Kind::Grpc;
        let count = if side == Side::Client { self.counts.sent } else { self.counts.received };
        if count > 0 && !self.streaming {
            self.start_streaming(cx);
        }
        let (streaming, reading) = (self.streaming, &mut self.reading[side as usize]);
        reading.size = 0;
        reading.compressed = compressed;
        reading.notes = 0;
        let encoding = reading.encoding;
        if let Some(message) = self.message(side) {
            if streaming {
                message.body.data.clear();
                message.body.lost = 0;
            }
            if compressed {
                message.coding = encoding.or(Some((0, 0)));
            }
        }
    }

    fn end(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        match side {
            Side::Client => self.counts.sent += 1,
            Side::Server => self.counts.received += 1,
        }
        self.counts.first.get_or_insert(time);
        self.counts.last = Some(time);
        if self.streaming {
            self.put_message(side, time, cx);
        } else {
            self.reading[side as usize].only = Some(time);
        }
    }

    /// There is more than one message: those that were kept back as bodies become records.
    fn start_streaming(&mut self, cx: &mut Context<'_>) {
        self.streaming = true;
        self.notes |= notes::STREAM;
        let mut first = [Side::Client, Side::Server].map(|side| (self.reading[side as usize].only.take(), side));
        first.sort_by_key(|(time, _)| *time);
        for (time, side) in first {
            if let Some(time) = time {
                self.put_message(side, time, cx);
            }
            if let Some(message) = self.message(side) {
                message.body.withheld = true;
            }
        }
    }

    fn put_message(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        let reading = &self.reading[side as usize];
        let Some(message) = (match side {
            Side::Client => &self.request,
            Side::Server => &self.response,
        }) else {
            return;
        };
        let coding = match reading.encoding {
            _ if !reading.compressed => b"identity",
            Some(span) => message.span(span),
            None => b"",
        };
        cx.out.stream_message(
            cx.conn,
            &StreamMessage {
                exchange: self.exchange,
                index: self.index,
                time,
                side,
                kind: "message",
                name: b"",
                bytes: reading.size,
                content_bytes: Some(reading.size),
                coding: Some(coding),
                media_type: b"application/grpc",
                method: self.request.as_ref().map_or(b"", |request| request.span(self.target)),
                body: Some(&message.body.data),
                // What was lost before the first message costs its bytes too.
                notes: reading.notes | if message.body.lost > 0 { notes::GAP } else { 0 },
            },
        );
        self.index += 1;
    }

    /// Bytes that this side sent are lost: so many of its data, or not even that is known.
    pub fn lose(&mut self, side: Side, data: Option<u64>) {
        self.lost[side as usize] = true;
        let reading = &mut self.reading[side as usize];
        let known = reading.deframer.lose(data);
        reading.notes |= notes::GAP;
        if let (Some(len), true) = (data, known) {
            reading.size += len;
        }
        if let Some(message) = self.message(side) {
            message.notes |= notes::GAP;
            match data {
                Some(len) => message.body.gap(len),
                None => message.body.hole(),
            }
        }
        if let (Side::Server, Some(events)) = (side, &mut self.events) {
            events.clear();
        }
    }

    /// Whether it ends in the middle of a message.
    pub fn ends_inside(&self, side: Side) -> bool {
        self.kind == Kind::Grpc && self.reading[side as usize].deframer.is_inside()
    }
}

fn kind_of(head: &Head, could_be: bool) -> Kind {
    match head.content {
        Some(Content::Grpc) => Kind::Grpc,
        Some(_) => Kind::Plain,
        None if head.grpc => Kind::Grpc,
        None if head.unknown && could_be => Kind::Perhaps,
        None => Kind::Plain,
    }
}
