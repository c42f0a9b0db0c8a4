//! What frames mean for the streams: heads, trailers, ends.

use super::block::Fields;
use super::grpc::Kind;
use super::head::{self, Head};
use super::record::{self, Finish};
use super::stream::Stream;
use super::{Http2, RANGES};
use crate::counters::Counter;
use crate::message::{Header, Message, notes};
use crate::protocol::Context;
use crate::stream::{Mark, Side};

impl Http2 {
    /// Does something to a stream, if it is there, and counts what it holds then.
    pub(super) fn with_stream(&mut self, id: u32, f: impl FnOnce(&mut Stream, &mut Context<'_>), cx: &mut Context<'_>) {
        if let Some(stream) = self.streams.get_mut(id) {
            f(stream, cx);
            let holds = stream.holds();
            self.held = self.held + holds - stream.held;
            stream.held = holds;
        }
    }

    /// A field block is there.
    pub(super) fn fields(&mut self, side: Side, fields: &Fields<'_>, cx: &mut Context<'_>) {
        let id = fields.stream;
        let trailers = self.streams.get_mut(id).is_some_and(|stream| stream.message(side).is_some());
        if trailers {
            self.trailers(side, fields, cx);
            return;
        }
        let (message, head) = self.message(side, fields, cx);
        // Streams of even numbers are the server's: pushed responses, which nobody uses any more.
        let taken = match side {
            _ if id.is_multiple_of(2) => Err(message),
            Side::Client => self.request(id, message, &head, cx),
            Side::Server => self.response(id, fields, message, &head, cx),
        };
        match taken {
            Err(message) => cx.out.recycle(message),
            Ok(()) => {
                self.with_stream(id, |stream, _| stream.last_time = fields.last.time, cx);
                if fields.end {
                    self.ended(id, side, fields.last, cx);
                }
            }
        }
    }

    fn message(&mut self, side: Side, fields: &Fields<'_>, cx: &mut Context<'_>) -> (Box<Message>, Head) {
        let mut message = cx.out.message();
        let max = cx.out.config.limits.headers;
        let decoder = &mut self.directions[side as usize].hpack;
        let head = read(decoder, fields, &mut message, false, max, cx);
        message.first = fields.first;
        message.last_time = fields.last.time;
        message.end_offset = fields.last.offset;
        message.head_bytes = fields.wire;
        (message, head)
    }

    fn trailers(&mut self, side: Side, fields: &Fields<'_>, cx: &mut Context<'_>) {
        let Some(stream) = self.streams.get_mut(fields.stream) else { return };
        // The head before, of an unknown status, may have been a hint.
        let hinted = side == Side::Server && stream.status.is_none();
        let Some(message) = stream.message(side) else { return };
        let max = cx.out.config.limits.headers;
        let head = read(&mut self.directions[side as usize].hpack, fields, message, true, max, cx);
        message.last_time = fields.last.time;
        message.end_offset = fields.last.offset;
        message.head_bytes = message.head_bytes.saturating_add(fields.wire);
        if head.pseudo && !hinted {
            message.notes |= notes::MALFORMED;
        }
        if hinted && fields.end && !head.pseudo {
            keep_trailers(&mut message.trailers);
        }
        stream.last_time = fields.last.time;
        match stream.response.take_if(|_| hinted && (head.pseudo || !fields.end)) {
            Some(mut message) => {
                message.headers = std::mem::take(&mut message.trailers);
                stream.response(message, &head);
            }
            None if side == Side::Server => stream.trailers(&head),
            None => {}
        }
        if fields.end {
            self.ended(fields.stream, side, fields.last, cx);
        }
    }

    fn request(
        &mut self,
        id: u32,
        message: Box<Message>,
        head: &Head,
        cx: &mut Context<'_>,
    ) -> Result<(), Box<Message>> {
        let is_request = head.pseudo || head.unknown || message.notes & notes::GAP != 0;
        // Without a first line it may be the trailers of one that was missed.
        if !is_request || (id <= self.newest && !(head.pseudo && self.correct_newest(id, cx))) {
            return Err(message);
        }
        let first = message.first;
        self.missed = false;
        if id > self.newest.saturating_add(2) {
            if self.unseen.len() == RANGES {
                // The two oldest become one with what is between them.
                let (from, _) = self.unseen.remove(0);
                self.unseen[0].0 = from;
            }
            self.unseen.push((self.newest + 1, id - 1));
        }
        self.newest = id;
        let answered = self.answered.contains(&id);
        self.answered.retain(|&answered| answered > id);
        if answered {
            return Err(message);
        }
        let exchange = cx.out.exchange_id(cx.conn, first.time, Side::Client, first.offset, u64::from(id));
        let stream = self.open(id, exchange, cx);
        stream.notes &= !notes::NO_REQUEST;
        stream.request(message, head);
        let kind = stream.kind;
        self.spoke(kind);
        Ok(())
    }

    /// Streams open in ascending order (RFC 9113 section 5.1.1): if one was passed over and opens now, the number of the
    /// only one behind it is damaged. Says whether that is so.
    fn correct_newest(&mut self, id: u32, cx: &mut Context<'_>) -> bool {
        let Some(range) = self.unseen.pop_if(|&mut (from, to)| (from..=to).contains(&id) && to + 1 == self.newest)
        else {
            return false;
        };
        let damaged = self.newest;
        self.newest = id;
        if id > range.0 {
            self.unseen.push((range.0, id - 1));
        }
        self.with_stream(damaged, |stream, _| stream.notes |= notes::MALFORMED, cx);
        self.finish(damaged, Finish::Lost, cx);
        true
    }

    /// Remembers what the connection is used for.
    fn spoke(&mut self, kind: Kind) {
        self.grpc |= kind == Kind::Grpc;
        self.plain |= kind == Kind::Plain;
    }

    /// A stream, new or with nothing of its request yet.
    fn open(&mut self, id: u32, exchange: [u8; 16], cx: &mut Context<'_>) -> &mut Stream {
        if self.streams.len() >= cx.out.config.limits.pending
            && let Some(oldest) = self.streams.oldest()
        {
            cx.out.counters.add(Counter::PendingDropped, 1);
            self.finish(oldest, Finish::Evicted, cx);
        }
        let reused = if self.exchanges > 0 { notes::REUSED } else { 0 };
        self.exchanges = self.exchanges.saturating_add(1);
        self.streams.get_or_insert_with(id, || Stream::new(id, exchange, reused))
    }

    fn response(
        &mut self,
        id: u32,
        fields: &Fields<'_>,
        mut message: Box<Message>,
        head: &Head,
        cx: &mut Context<'_>,
    ) -> Result<(), Box<Message>> {
        if self.streams.get(id).is_none() {
            if !self.is_unseen(id) || (!head.pseudo && !head.unknown) {
                return Err(message);
            }
            let why = if cx.conn.midstream { notes::PARTIAL } else { notes::GAP };
            cx.unpaired(why);
            let first = message.first;
            let exchange = cx.out.exchange_id(cx.conn, first.time, Side::Server, first.offset, u64::from(id));
            self.open(id, exchange, cx).notes |= notes::NO_REQUEST | why;
        }
        let Some(stream) = self.streams.get_mut(id) else { return Err(message) };
        if head.status.is_some_and(|status| (100..200).contains(&status)) && !fields.end {
            if stream.interim.len() < 16 {
                stream.interim.extend(head.status.map(i32::from));
                stream.notes |= notes::INTERIM;
            }
            cx.out.recycle(message);
            return Ok(());
        }
        let lost = stream.lost[Side::Server as usize] || stream.request.is_none();
        if !head.pseudo && fields.end && (lost || message.headers.first().is_some_and(|first| first.name.is_some())) {
            // The head of the response is lost: these are its trailers.
            message.notes |= notes::GAP;
            let Message { headers, trailers, .. } = &mut *message;
            std::mem::swap(headers, trailers);
            keep_trailers(trailers);
        } else if stream.request.is_some() {
            // Nothing of this response came before, so that nothing of it was lost.
            stream.lost[Side::Server as usize] = false;
        }
        stream.response(message, head);
        Ok(())
    }

    /// Whether a stream's request may have been missed.
    fn is_unseen(&self, id: u32) -> bool {
        id > self.newest || self.unseen.iter().any(|&(from, to)| (from..=to).contains(&id))
    }

    /// This side sends no more on a stream.
    pub(super) fn ended(&mut self, id: u32, side: Side, mark: Mark, cx: &mut Context<'_>) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.ended[side as usize] = true;
        stream.last_time = mark.time;
        if stream.ends_inside(side) {
            let bits = if stream.lost[side as usize] { notes::GAP } else { notes::MALFORMED };
            if let Some(message) = stream.message(side) {
                message.notes |= bits;
            }
        }
        if stream.ended[1] && (stream.ended[0] || stream.request.is_none()) {
            self.finish(id, Finish::Complete, cx);
        }
    }

    /// Nothing more is expected of a stream: its record is put out.
    pub(super) fn finish(&mut self, id: u32, finish: Finish, cx: &mut Context<'_>) {
        let Some(mut stream) = self.streams.remove(id) else { return };
        self.held -= stream.held;
        self.spoke(stream.kind);
        if stream.request.is_none() && id > self.newest {
            self.answered.truncate(RANGES - 1);
            self.answered.insert(0, id);
        }
        let finish = match finish {
            Finish::Connection(_) if stream.ended[1] => Finish::Complete,
            other => other,
        };
        let said = stream.settled && matches!(finish, Finish::Connection(_));
        if !said {
            let (outcome, error) = record::outcome(&stream, finish, self.closing);
            record::put(&mut stream, outcome, &error, cx);
        }
        for message in [stream.request.take(), stream.response.take()].into_iter().flatten() {
            cx.out.recycle(message);
        }
    }

    /// GOAWAY: streams of the client behind `last` were not looked at.
    pub(super) fn go_away(&mut self, side: Side, last: u32, code: u32, cx: &mut Context<'_>) {
        if side == Side::Client {
            return;
        }
        self.closing.goaway = Some(code);
        for id in self.ids(|stream| stream.id > last && stream.response.is_none()) {
            self.finish(id, Finish::NotProcessed(code), cx);
        }
    }
}

/// Forgets what begins with an unknown field: that may be a status, and the rest a head.
fn keep_trailers(fields: &mut Vec<Header>) {
    if fields.first().is_some_and(|first| first.name.is_none()) {
        fields.clear();
    }
}

fn read(
    decoder: &mut super::Decoder,
    fields: &Fields<'_>,
    message: &mut Message,
    trailers: bool,
    max: usize,
    cx: &mut Context<'_>,
) -> Head {
    let mut head = head::read(decoder, fields.bytes, message, trailers, max, &mut cx.out.counters);
    if !fields.whole {
        message.notes = (message.notes & !notes::MALFORMED) | notes::GAP;
        head.unknown = true;
    }
    head
}
