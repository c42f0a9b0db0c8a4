//! HTTP/1.0 and HTTP/1.1 (RFC 9112, RFC 9110).

mod framing;
mod head;

use std::collections::VecDeque;

use self::framing::{Chunk, Framing, Progress};
pub(super) use self::head::is_prober;
use self::head::{Fields, Read, RequestHead, ResponseHead};
use super::http2::{Http2, Upgraded};
use super::sse::Events;
use super::{Context, Dissector, End, Gap, Mark, Probe, Protocol, Side, Step, View};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::{Exchange, Messages, Outcome, StreamMessage};
use crate::packet::Nanos;
use crate::pairing::Pairing;

/// How HTTP/1 is recognised.
pub const PROTOCOL: Protocol = Protocol { name: "http", probe, new: || Box::<Http1>::default() };

fn probe(bytes: &[u8]) -> Probe {
    match (head::plausible_request(bytes), head::plausible_response(bytes)) {
        (Some(true), _) => Probe::Match(Side::Client),
        (_, Some(true)) => Probe::Match(Side::Server),
        (Some(false), Some(false)) => Probe::No,
        _ => Probe::More,
    }
}

/// Where the reader of one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// At the start of a message, of which so many bytes were searched for the head's end.
    #[default]
    Head,
    /// In a body.
    Body(Framing),
    /// Lost: looking for the next message.
    Lost,
    /// Waiting for the other side's word on an upgrade or a tunnel.
    Held,
}

/// A request and what is known of its answer so far.
struct Call {
    id: [u8; 16],
    request: Option<Box<Message>>,
    head: RequestHead,
    interim: Vec<i32>,
    notes: u32,
    revision: u16,
}

impl Call {
    fn method(&self) -> &[u8] {
        self.request.as_ref().map_or(b"", |request| request.span(self.head.method))
    }

    /// Whether it asks to go on in HTTP/2 (RFC 7540 section 3.2).
    fn asks_for_http2(&self) -> bool {
        let (Some(request), Some(upgrade)) = (&self.request, self.head.fields.upgrade) else { return false };
        request.span(upgrade).split(|&b| b == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"h2c"))
    }
}

/// An answer that is being read, with the call that it answers.
struct Answer {
    call: Call,
    response: Box<Message>,
    head: ResponseHead,
    stream: Option<Stream>,
    /// The response is whole; the request is not.
    ended: bool,
}

/// A stream of server-sent events.
#[derive(Default)]
struct Stream {
    events: Events,
    counts: Messages,
    reported: u32,
}

/// Which call the request body that is being read belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// None, or one whose record is out already.
    #[default]
    Nothing,
    /// The newest that waits.
    Newest,
    /// The one that is being answered already.
    Answered,
}

/// Dissects one connection.
#[derive(Default)]
pub struct Http1 {
    at: [At; 2],
    /// Bytes at the start of a head that were searched for its end.
    searched: [usize; 2],
    pairing: Pairing<Call>,
    reading: Reading,
    answer: Option<Box<Answer>>,
    /// The server closed, or the client: who first.
    first_fin: Option<Side>,
    exchanges: u32,
}

impl Dissector for Http1 {
    fn name(&self) -> &'static str {
        "http"
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut done = 0;
        loop {
            let rest = view.skip(done);
            if rest.bytes.is_empty() {
                return Step::Consumed(done);
            }
            let n = match self.at[side as usize] {
                At::Held => return Step::Consumed(done),
                At::Lost => match self.find_start(side, rest, cx) {
                    Some(n) => n,
                    None => return Step::Consumed(done + skippable(side, rest)),
                },
                At::Body(framing) => match self.body(side, framing, rest, cx) {
                    Ok(0) => return Step::Consumed(done),
                    Ok(n) => n,
                    Err(step) => return behind(done, step),
                },
                At::Head => {
                    let step = match side {
                        Side::Client => self.request_head(rest, cx),
                        Side::Server => self.response_head(rest, cx),
                    };
                    match step {
                        Step::Consumed(0) => return Step::Consumed(done),
                        Step::Consumed(n) => n,
                        step => return behind(done, step),
                    }
                }
            };
            done += n;
        }
    }

    fn gap(&mut self, side: Side, rest: View<'_>, gap: Gap, cx: &mut Context<'_>) {
        let whole = match self.at[side as usize] {
            At::Body(mut framing) => {
                let mut known = rest.bytes.is_empty();
                if let Some(message) = self.message(side) {
                    message.notes |= notes::GAP;
                    if gap.cut {
                        message.last_time = gap.time;
                    }
                    known = known && framing.skip(gap.len, message);
                }
                self.at[side as usize] = At::Body(framing);
                if let Some(stream) =
                    self.answer.as_mut().filter(|_| side == Side::Server).and_then(|a| a.stream.as_mut())
                {
                    stream.events.clear();
                }
                if known && framing.is_over() {
                    self.end_message(side, gap.offset + gap.len, gap.time, gap.cut, cx);
                }
                known
            }
            At::Head => {
                self.half_head(side, rest, cx);
                false
            }
            At::Lost | At::Held => false,
        };
        if !whole {
            if let At::Body(_) = self.at[side as usize] {
                self.end_message(side, gap.offset, gap.time, false, cx);
            }
            self.lose(side);
        }
    }

    fn fin(&mut self, side: Side, rest: View<'_>, time: Nanos, cx: &mut Context<'_>) {
        self.first_fin.get_or_insert(side);
        match self.at[side as usize] {
            At::Body(Framing::UntilClose) => self.end_message(side, rest.offset, time, true, cx),
            At::Head if !rest.bytes.is_empty() => self.half_head(side, rest, cx),
            _ => {}
        }
    }

    fn end(&mut self, how: End, _time: Nanos, cx: &mut Context<'_>) {
        self.put_ended(cx);
        if let Some(answer) = self.answer.take() {
            let until_close = self.at[Side::Server as usize] == At::Body(Framing::UntilClose);
            let (outcome, error) = match how {
                // A stream that the client leaves has done its work.
                End::Reset(Side::Client) if answer.stream.is_some() => (None, ""),
                End::Reset(Side::Client) => {
                    (Some(Outcome::Reset), "the client reset the connection during the response")
                }
                End::Reset(Side::Server) => {
                    (Some(Outcome::Reset), "the server reset the connection during the response")
                }
                End::Closed if until_close => (None, ""),
                End::Closed => (Some(Outcome::Reset), "the connection was closed before the response was complete"),
                End::Idle | End::Unseen => (Some(Outcome::Open), ""),
            };
            self.put_answer(*answer, outcome, error, outcome.is_none(), cx);
        }
        let (outcome, error) = match how {
            End::Reset(Side::Client) => (Outcome::Reset, "the client reset the connection before a response"),
            End::Reset(Side::Server) => (Outcome::Reset, "the server reset the connection instead of answering"),
            End::Closed if self.first_fin == Some(Side::Server) => {
                (Outcome::Reset, "the server closed the connection without a response")
            }
            End::Closed => (Outcome::Timeout, "the client closed the connection before a response"),
            End::Idle => (Outcome::Timeout, "no response came"),
            End::Unseen => (Outcome::Open, ""),
        };
        while let Some(call) = self.pairing.take_oldest() {
            self.put_unanswered(call, outcome, error, cx);
        }
    }

    fn report(&mut self, now: Nanos, cx: &mut Context<'_>) {
        if let Some(answer) = &mut self.answer
            && let Some(stream) = &mut answer.stream
        {
            let count = stream.counts.received;
            if answer.call.revision == 0 || count != stream.reported {
                stream.reported = count;
                put(
                    &answer.call,
                    Some((&answer.response, answer.head)),
                    Some(stream.counts),
                    Outcome::Open,
                    "",
                    false,
                    cx,
                );
                answer.call.revision = answer.call.revision.saturating_add(1);
            }
        }
        for call in self.pairing.iter_mut() {
            let waits = call.request.as_ref().map_or(0, |request| now - request.last_time);
            if call.revision == 0 && waits >= crate::config::SECOND {
                put(call, None, None, Outcome::Open, "", false, cx);
                call.revision = 1;
            }
        }
    }

    fn held(&self) -> usize {
        let message = |m: &Message| m.text.capacity() + m.body.data.capacity();
        let answer = self.answer.as_ref().map_or(0, |answer| {
            message(&answer.response)
                + answer.call.request.as_deref().map_or(0, message)
                + answer.stream.as_ref().map_or(0, |stream| stream.events.held())
        });
        answer + self.pairing.len() * 1024
    }
}

/// A step that was taken behind `done` bytes.
fn behind(done: usize, step: Step) -> Step {
    match step {
        Step::Consumed(n) => Step::Consumed(done + n),
        Step::Resume(n) => Step::Resume(done + n),
        Step::Handover(n, dissector) => Step::Handover(done + n, dissector),
        Step::Reprobe(n) => Step::Reprobe(done + n),
        Step::Reject(reason) => Step::Reject(reason),
    }
}

/// Bytes that no message begins in, so that a start which is not wholly there yet stays.
fn skippable(side: Side, view: View<'_>) -> usize {
    let plausible = plausible(side);
    for mark in view.marks {
        if let Some(at) = mark.offset.checked_sub(view.offset)
            && let Some(bytes) = view.bytes.get(at as usize..)
            && plausible(bytes).is_none()
        {
            return at as usize;
        }
    }
    view.bytes.len()
}

fn plausible(side: Side) -> fn(&[u8]) -> Option<bool> {
    match side {
        Side::Client => head::plausible_request,
        Side::Server => head::plausible_response,
    }
}

impl Http1 {
    /// The message that is being read on this side.
    fn message(&mut self, side: Side) -> Option<&mut Message> {
        match (side, self.reading) {
            (Side::Server, _) => self.answer.as_mut().map(|answer| &mut *answer.response),
            (Side::Client, Reading::Nothing) => None,
            (Side::Client, Reading::Newest) => self.pairing.last().and_then(|call| call.request.as_deref_mut()),
            (Side::Client, Reading::Answered) => {
                self.answer.as_mut().and_then(|answer| answer.call.request.as_deref_mut())
            }
        }
    }

    /// Where messages may begin after a loss: at the start of a segment.
    fn find_start(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Option<usize> {
        let plausible = plausible(side);
        for mark in view.marks {
            let Some(at) = mark.offset.checked_sub(view.offset) else { continue };
            let Some(bytes) = view.bytes.get(at as usize..) else { break };
            match plausible(bytes) {
                Some(true) => {
                    self.at[side as usize] = At::Head;
                    self.searched[side as usize] = 0;
                    cx.out.counters.add(Counter::Skipped, at);
                    return Some(at as usize);
                }
                Some(false) => {}
                None => break,
            }
        }
        let skipped = skippable(side, view);
        cx.out.counters.add(Counter::Skipped, skipped as u64);
        None
    }

    /// From here on it is not known how many messages were lost.
    fn lose(&mut self, side: Side) {
        self.at[side as usize] = At::Lost;
        self.searched[side as usize] = 0;
        match side {
            Side::Client => {
                self.reading = Reading::Nothing;
                self.pairing.requests_lost();
            }
            Side::Server => self.pairing.responses_lost(),
        }
    }

    fn request_head(&mut self, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut message = cx.out.message();
        let searched = self.searched[Side::Client as usize];
        match head::request(view.bytes, searched, cx.out.config.limits.headers, &mut message) {
            Read::More => {
                cx.out.recycle(message);
                self.searched[Side::Client as usize] = view.bytes.len();
                Step::Consumed(0)
            }
            Read::Invalid => {
                cx.out.recycle(message);
                self.invalid(Side::Client, view, cx)
            }
            Read::Head(head, len) => {
                self.searched[Side::Client as usize] = 0;
                self.set_times(&mut message, view, len);
                self.request(message, head, cx);
                Step::Consumed(len)
            }
        }
    }

    fn set_times(&self, message: &mut Message, view: View<'_>, len: usize) {
        let lead = view.bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count().min(len.saturating_sub(1));
        message.first = view.mark(lead);
        message.last_time = view.mark(len - 1).time;
        message.end_offset = view.offset + len as u64;
    }

    fn request(&mut self, message: Box<Message>, head: RequestHead, cx: &mut Context<'_>) {
        let first = message.first;
        let id = cx.out.exchange_id(cx.conn, first.time, Side::Client, first.offset, 0);
        let framing = if head.fields.chunked {
            Framing::Chunked(Chunk::Size)
        } else {
            Framing::Length(head.fields.length.unwrap_or(0))
        };
        let tunnel = head.fields.upgrade.is_some() || message.span(head.method) == b"CONNECT";
        if self.pairing.len() >= cx.out.config.limits.pending
            && let Some(call) = self.pairing.take_oldest()
        {
            cx.out.counters.add(Counter::PendingDropped, 1);
            self.put_unanswered(call, Outcome::Incomplete, "too many requests of its connection waited", cx);
        }
        let reused = if self.exchanges > 0 { notes::REUSED } else { 0 };
        self.exchanges = self.exchanges.saturating_add(1);
        let call = Call { id, request: Some(message), head, interim: Vec::new(), notes: reused, revision: 0 };
        if self.pairing.ask(call, first)
            && let Some(call) = self.pairing.last()
        {
            call.notes |= notes::PIPELINED;
        }
        self.at[Side::Client as usize] = if !framing.is_over() {
            self.reading = Reading::Newest;
            At::Body(framing)
        } else if tunnel {
            At::Held
        } else {
            At::Head
        };
    }

    fn response_head(&mut self, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut message = cx.out.message();
        let searched = self.searched[Side::Server as usize];
        match head::response(view.bytes, searched, cx.out.config.limits.headers, &mut message) {
            Read::More => {
                cx.out.recycle(message);
                self.searched[Side::Server as usize] = view.bytes.len();
                Step::Consumed(0)
            }
            Read::Invalid => {
                cx.out.recycle(message);
                self.invalid(Side::Server, view, cx)
            }
            Read::Head(head, len) => {
                self.searched[Side::Server as usize] = 0;
                self.set_times(&mut message, view, len);
                self.response(message, head, view, len, cx)
            }
        }
    }

    fn response(
        &mut self,
        message: Box<Message>,
        head: ResponseHead,
        view: View<'_>,
        len: usize,
        cx: &mut Context<'_>,
    ) -> Step {
        let first = message.first;
        let end = first.offset.max(view.offset + len as u64);
        self.put_ended(cx);
        if self.reading == Reading::Answered {
            self.reading = Reading::Nothing; // another answer comes: the rest of that request belongs to none
        }
        let found = self.pairing.find(first);
        if (100..200).contains(&head.status) && head.status != 101 {
            if let Some(call) = found.and_then(|index| self.pairing.get(index))
                && call.interim.len() < 16
            {
                call.interim.push(i32::from(head.status));
                call.notes |= notes::INTERIM;
            }
            self.pairing.answered(end, first.time);
            cx.out.recycle(message);
            return Step::Consumed(len);
        }
        let mut call = self.take_call(found, first, cx);
        if let (Reading::Newest, Some(_), true) = (self.reading, found, self.pairing.is_empty()) {
            self.reading = Reading::Answered; // answered before it was sent in full
        }
        if head.status == 101 && call.asks_for_http2() {
            return self.switch_to_http2(call, message, len, cx);
        }
        let method = call.method();
        let switched = head.status == 101 || (method == b"CONNECT" && (200..300).contains(&head.status));
        let no_body = method == b"HEAD" || switched || matches!(head.status, 204 | 304)
            // With its request unknown, the response to a HEAD shows by another one in place of a body.
            || (call.request.is_none() && head::plausible_response(&view.bytes[len..]) == Some(true));
        let framing = if no_body {
            Framing::Length(0)
        } else if head.fields.chunked {
            Framing::Chunked(Chunk::Size)
        } else {
            head.fields.length.map_or(Framing::UntilClose, Framing::Length)
        };
        if switched {
            call.notes |= notes::UPGRADED;
        }
        let stream = (head.fields.event_stream && !framing.is_over()).then(Stream::default);
        if stream.is_some() {
            call.notes |= notes::STREAM;
        }
        let held = self.at[Side::Client as usize] == At::Held && self.pairing.is_empty();
        self.answer = Some(Box::new(Answer { call, response: message, head, stream, ended: false }));
        if framing.is_over() {
            let time = view.mark(len - 1).time;
            self.end_message(Side::Server, end, time, true, cx);
        } else {
            self.at[Side::Server as usize] = At::Body(framing);
        }
        if switched {
            return Step::Reprobe(len);
        }
        if held {
            self.at[Side::Client as usize] = At::Head;
            return Step::Resume(len);
        }
        Step::Consumed(len)
    }

    /// The switch to HTTP/2 was granted: the answer to the call comes there.
    fn switch_to_http2(&mut self, call: Call, switch: Box<Message>, len: usize, cx: &mut Context<'_>) -> Step {
        cx.out.recycle(switch);
        let Some(request) = call.request else { return Step::Reprobe(len) };
        let RequestHead { method, target, fields, .. } = call.head;
        let http2 = Http2::from_upgrade(Upgraded {
            id: call.id,
            revision: call.revision,
            notes: call.notes,
            request,
            method,
            target,
            authority: fields.host.unwrap_or_default(),
        });
        Step::Handover(len, Box::new(http2))
    }

    /// The call that was found, those skipped being put out; without one, a call that was never seen.
    fn take_call(&mut self, found: Option<usize>, first: Mark, cx: &mut Context<'_>) -> Call {
        let mut skipped = VecDeque::new();
        let call = found.and_then(|index| self.pairing.take(index, |call| skipped.push_back(call)));
        for mut lost in skipped {
            lost.notes |= notes::GAP;
            self.put_unanswered(lost, Outcome::Incomplete, "its response was not captured", cx);
        }
        call.unwrap_or_else(|| {
            cx.out.counters.add(Counter::Unpaired, 1);
            Call {
                id: cx.out.exchange_id(cx.conn, first.time, Side::Server, first.offset, 0),
                request: None,
                head: RequestHead::default(),
                interim: Vec::new(),
                notes: notes::NO_REQUEST
                    | if cx.conn.midstream { notes::PARTIAL } else { notes::GAP }
                    | if self.exchanges > 0 { notes::REUSED } else { 0 },
                revision: 0,
            }
        })
    }

    /// Reads a piece of a body.
    fn body(&mut self, side: Side, mut framing: Framing, view: View<'_>, cx: &mut Context<'_>) -> Result<usize, Step> {
        let limit = cx.out.config.body_limit;
        let mut stream = match (&mut self.answer, side) {
            (Some(answer), Side::Server) => answer.stream.take(),
            _ => None,
        };
        let exchange = self.answer.as_ref().map(|answer| answer.call.id);
        let coded = self.answer.as_ref().is_some_and(|answer| answer.head.fields.coded);
        let mut nobody = Message::default();
        let message = self.message(side).unwrap_or(&mut nobody);
        let mut at = 0u64;
        let conn = &*cx.conn;
        let out = &mut *cx.out;
        let max_headers = out.config.limits.headers;
        let progress = framing.read(view.bytes, max_headers, limit, message, |piece| {
            let (Some(stream), Some(exchange), false) = (&mut stream, exchange, coded) else { return };
            let time = view.mark((at as usize).min(view.bytes.len() - 1)).time;
            at += piece.len() as u64;
            let counts = &mut stream.counts;
            stream.events.read(piece, limit, |event| {
                out.stream_message(
                    conn,
                    &StreamMessage {
                        exchange,
                        index: counts.received,
                        time,
                        side: Side::Server,
                        kind: "event",
                        name: event.name,
                        bytes: event.bytes,
                        content_bytes: None,
                        coding: Some(b"identity"),
                        media_type: b"application/json",
                        body: Some(event.data),
                        notes: 0,
                    },
                );
                counts.received += 1;
                counts.first.get_or_insert(time);
                counts.last = Some(time);
            });
        });
        let (n, over) = match progress {
            Progress::More(n) => (n, false),
            Progress::Done(n) => (n, true),
            Progress::Broken(n) => {
                message.notes |= notes::MALFORMED;
                cx.out.counters.add(Counter::Malformed, 1);
                self.at[side as usize] = At::Body(framing);
                self.end_message(side, view.offset + n as u64, view.mark(n).time, false, cx);
                self.lose(side);
                // The next message can only be found at the start of a later segment.
                return Ok(next_segment(view, n));
            }
        };
        if n > 0 {
            message.last_time = view.mark(n - 1).time;
        }
        if let (Some(answer), Side::Server) = (&mut self.answer, side) {
            answer.stream = stream;
        }
        self.at[side as usize] = At::Body(framing);
        if over {
            self.end_message(side, view.offset + n as u64, view.mark(n.max(1) - 1).time, true, cx);
        }
        Ok(n)
    }

    /// A message has ended at this stream offset; `whole`: where its own framing says so.
    fn end_message(&mut self, side: Side, offset: u64, time: Nanos, whole: bool, cx: &mut Context<'_>) {
        self.at[side as usize] = At::Head;
        match side {
            Side::Client => {
                let tunnel = self
                    .pairing
                    .last()
                    .is_some_and(|call| self.reading == Reading::Newest && call.head.fields.upgrade.is_some());
                if let Some(message) = self.message(side) {
                    message.end_offset = offset;
                }
                if std::mem::take(&mut self.reading) == Reading::Answered {
                    self.put_ended(cx);
                }
                if tunnel {
                    self.at[side as usize] = At::Held;
                }
            }
            Side::Server => {
                self.pairing.answered(offset, time);
                if let Some(mut answer) = self.answer.take() {
                    answer.response.end_offset = offset;
                    if self.reading == Reading::Answered && whole {
                        answer.ended = true;
                        self.answer = Some(answer);
                    } else {
                        self.put_answer(*answer, None, "", whole, cx);
                    }
                }
            }
        }
    }

    /// Puts out the answer that came before its request's end.
    fn put_ended(&mut self, cx: &mut Context<'_>) {
        if let Some(answer) = self.answer.take_if(|answer| answer.ended) {
            self.put_answer(*answer, None, "", true, cx);
        }
    }

    /// Bytes that should be a head are none.
    fn invalid(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        cx.out.counters.add(Counter::Malformed, 1);
        self.lose(side);
        let n = next_segment(view, 1);
        cx.out.counters.add(Counter::Skipped, n as u64);
        Step::Consumed(n)
    }

    /// The rest of a head is lost: what there is of it makes a message that ends here.
    fn half_head(&mut self, side: Side, rest: View<'_>, cx: &mut Context<'_>) {
        let Some(text) = head::without_end(rest.bytes) else { return };
        let mut message = cx.out.message();
        let max_headers = cx.out.config.limits.headers;
        match side {
            Side::Client => {
                if let Read::Head(head, _) = head::request(&text, 0, max_headers, &mut message) {
                    self.set_times(&mut message, rest, rest.bytes.len());
                    message.head_bytes = rest.bytes.len() as u32;
                    message.notes |= notes::GAP;
                    self.request(
                        message,
                        RequestHead { fields: Fields { host: head.fields.host, ..Fields::default() }, ..head },
                        cx,
                    );
                    self.at[0] = At::Lost;
                }
            }
            Side::Server => {
                if let Read::Head(head, _) = head::response(&text, 0, max_headers, &mut message)
                    && !(100..200).contains(&head.status)
                {
                    self.set_times(&mut message, rest, rest.bytes.len());
                    message.head_bytes = rest.bytes.len() as u32;
                    message.notes |= notes::GAP;
                    let found = self.pairing.find(message.first);
                    let call = self.take_call(found, message.first, cx);
                    let answer = Answer { call, response: message, head, stream: None, ended: false };
                    self.put_answer(answer, None, "", false, cx);
                }
            }
        }
    }

    fn put_answer(&mut self, answer: Answer, outcome: Option<Outcome>, error: &str, ended: bool, cx: &mut Context<'_>) {
        let Answer { call, response, head, stream, .. } = answer;
        let outcome = outcome.unwrap_or(match head.status {
            _ if call.request.is_none() => Outcome::Incomplete,
            0..400 => Outcome::Ok,
            400..500 => Outcome::ClientError,
            _ => Outcome::ServerError,
        });
        let error = if call.request.is_none() && error.is_empty() { "its request was not captured" } else { error };
        put(&call, Some((&response, head)), stream.map(|s| s.counts), outcome, error, ended, cx);
        cx.out.recycle(response);
        if let Some(request) = call.request {
            cx.out.recycle(request);
        }
    }

    fn put_unanswered(&mut self, call: Call, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        put(&call, None, None, outcome, error, false, cx);
        if let Some(request) = call.request {
            cx.out.recycle(request);
        }
    }
}

/// Where the first segment behind the first `n` bytes begins.
fn next_segment(view: View<'_>, n: usize) -> usize {
    let from = view.offset + n.max(1) as u64;
    view.marks
        .iter()
        .find(|mark| mark.offset >= from)
        .map_or(view.bytes.len(), |mark| ((mark.offset - view.offset) as usize).min(view.bytes.len()))
}

fn put(
    call: &Call,
    answer: Option<(&Message, ResponseHead)>,
    messages: Option<Messages>,
    outcome: Outcome,
    error: &str,
    ended: bool,
    cx: &mut Context<'_>,
) {
    let request = call.request.as_deref();
    let text = |span: (u32, u32)| request.map_or(&b""[..], |request| request.span(span));
    let (in_target, target) = split_target(text(call.head.target), text(call.head.method));
    let authority = if in_target.is_empty() { call.head.fields.host.map_or(&b""[..], text) } else { in_target };
    let minor_version = answer.map_or(call.head.minor_version, |(_, head)| {
        if request.is_some() { call.head.minor_version } else { head.minor_version }
    });
    let exchange = Exchange {
        id: call.id,
        revision: call.revision,
        protocol: "http",
        version: if minor_version == 0 { "1.0" } else { "1.1" },
        operation: text(call.head.method),
        target,
        authority,
        status: answer.map(|(_, head)| i32::from(head.status)),
        status_text: b"",
        outcome,
        error,
        request,
        response: answer.map(|(response, _)| response),
        reason: answer.map_or(b"", |(response, head)| response.span(head.reason)),
        interim: &call.interim,
        ended,
        stream: None,
        messages,
        notes: call.notes,
    };
    cx.out.exchange(cx.conn, &exchange);
}

/// The authority and the rest of a target in absolute or authority form, which a proxy is asked with (RFC 9112 sections
/// 3.2.2, 3.2.3); a target in origin form has no authority.
fn split_target<'a>(target: &'a [u8], method: &[u8]) -> (&'a [u8], &'a [u8]) {
    if method == b"CONNECT" {
        return (target, target);
    }
    let Some(scheme_end) = target.windows(3).take(16).position(|w| w == b"://").filter(|_| target[0] != b'/') else {
        return (b"", target);
    };
    let rest = &target[scheme_end + 3..];
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let authority = memchr::memrchr(b'@', &rest[..end]).map_or(&rest[..end], |at| &rest[at + 1..end]);
    (authority, if end == rest.len() { b"/" } else { &rest[end..] })
}
