//! A stream: one request and its response, while they are under way (RFC 9113 sections 5.1 and 8.1).

use super::grpc::{Deframer, Kind};
use super::head::{Content, Head};
use crate::message::{Message, notes};
use crate::output::Messages;
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::protocol::sse::Events;
use crate::stream::{Side, View};

type Span = (u32, u32);

/// One direction's messages.
#[derive(Default)]
pub(super) struct Reading {
    pub deframer: Deframer,
    /// `grpc-encoding`, in the text of the message.
    pub encoding: Option<Span>,
    pub compressed: bool,
    /// Bytes of the message that is being read.
    pub size: u64,
    /// Notes about it.
    pub notes: u32,
    /// When the first was complete, as long as it may be the only one.
    pub only: Option<Nanos>,
}

/// One stream.
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
    pub reading: [Reading; 2],
    /// Its messages are records of their own.
    pub streaming: bool,
    /// Messages that are such records.
    pub index: u32,
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
