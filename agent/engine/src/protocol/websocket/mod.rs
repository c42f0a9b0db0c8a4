//! WebSocket (RFC 6455), taken over from HTTP/1 where the upgrade was granted.

mod deflate;
mod frame;

use self::deflate::Inflater;
use self::frame::{Header, Read, opcode};
use super::{Context, Dissector, End, Gap, Side, Step, View};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::{Exchange, Messages, Outcome, StreamMessage};
use crate::packet::Nanos;

/// The exchange of HTTP that became a WebSocket.
pub(super) struct Upgraded {
    pub id: [u8; 16],
    pub revision: u16,
    pub notes: u32,
    pub interim: Vec<i32>,
    pub request: Box<Message>,
    pub response: Box<Message>,
    /// Spans of the request's text.
    pub method: (u32, u32),
    pub target: (u32, u32),
    pub authority: (u32, u32),
    /// Span of the response's text.
    pub reason: (u32, u32),
}

/// Where the reader of one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// In front of a frame.
    #[default]
    Frame,
    /// In the payload of a frame, of which so many bytes were read.
    Payload(Header, u64),
    /// Lost: looking for frames.
    Lost,
    /// Its closing frame has come.
    Closed,
}

/// A message, while its frames come.
#[derive(Default)]
struct Assembly {
    /// `None`: between messages.
    opcode: Option<u8>,
    compressed: bool,
    data: Vec<u8>,
    /// Bytes on the wire, without framing.
    bytes: u64,
    lost: u64,
    notes: u32,
}

/// One direction.
#[derive(Default)]
struct Direction {
    at: At,
    message: Assembly,
    control: Assembly,
    inflater: Inflater,
    /// Whether its frames are masked.
    masked: Option<bool>,
    raw: Vec<u8>,
}

/// Dissects one connection.
pub struct WebSocket {
    call: Upgraded,
    directions: [Direction; 2],
    /// By [`Side`], whether its compression goes on from message to message; `None`: messages are not compressed.
    deflate: Option<[bool; 2]>,
    counts: Messages,
    index: u32,
    reported: u32,
    /// The first closing frame: who sent it, its code and reason.
    closing: Option<(Side, Option<u16>, String)>,
    done: bool,
}

impl WebSocket {
    pub(super) fn new(mut call: Upgraded) -> Self {
        call.notes |= notes::UPGRADED | notes::STREAM;
        let deflate = call.response.header("sec-websocket-extensions").and_then(deflate::agreed);
        Self {
            call,
            directions: Default::default(),
            deflate,
            counts: Messages::default(),
            index: 0,
            reported: 0,
            closing: None,
            done: false,
        }
    }
}

impl Dissector for WebSocket {
    fn name(&self) -> &'static str {
        "websocket"
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut done = 0;
        while done < view.bytes.len() {
            let rest = view.skip(done);
            let direction = &mut self.directions[side as usize];
            done += match direction.at {
                At::Frame => match frame::read(rest.bytes, self.deflate.is_some()) {
                    Read::More => break,
                    Read::Header(header) => {
                        self.begin(side, header, rest, cx);
                        header.size
                    }
                    Read::Bad => {
                        cx.out.counters.add(Counter::Malformed, 1);
                        self.lose(side, rest.mark(0).time, cx);
                        // Frames can only be found at the start of a later segment.
                        let next = rest.marks.iter().find(|mark| mark.offset > rest.offset);
                        let n = next.map_or(rest.bytes.len(), |mark| {
                            ((mark.offset - rest.offset) as usize).min(rest.bytes.len())
                        });
                        cx.out.counters.add(Counter::Skipped, n as u64);
                        n
                    }
                },
                At::Payload(header, read) => {
                    let n = (header.len - read).min(rest.bytes.len() as u64) as usize;
                    self.payload(side, header, read, &rest.bytes[..n], cx);
                    self.taken(side, header, read + n as u64, rest.mark(n.max(1) - 1).time, cx);
                    n
                }
                At::Lost => {
                    let (n, found) = frame::find(rest, self.deflate.is_some(), direction.masked);
                    cx.out.counters.add(Counter::Skipped, n as u64);
                    if !found {
                        done += n;
                        break;
                    }
                    direction.at = At::Frame;
                    n
                }
                At::Closed => rest.bytes.len(),
            };
        }
        Step::Consumed(done)
    }

    fn gap(&mut self, side: Side, rest: View<'_>, gap: Gap, cx: &mut Context<'_>) {
        let direction = &mut self.directions[side as usize];
        match direction.at {
            At::Payload(header, read) if rest.bytes.is_empty() && gap.len > 0 && gap.len <= header.len - read => {
                let part = if header.is_control() { &mut direction.control } else { &mut direction.message };
                part.lost += gap.len;
                part.bytes += gap.len;
                part.notes |= notes::GAP;
                if !header.is_control() && part.compressed {
                    direction.inflater.fail();
                }
                self.taken(side, header, read + gap.len, gap.time, cx);
            }
            At::Closed => {}
            _ => self.lose(side, gap.time, cx),
        }
    }

    fn fin(&mut self, _side: Side, _rest: View<'_>, _time: Nanos, _cx: &mut Context<'_>) {}

    fn end(&mut self, how: End, _time: Nanos, cx: &mut Context<'_>) {
        let (outcome, error) = match (&self.closing, how) {
            (Some(_), _) => self.closed(),
            (None, End::Reset(Side::Client)) => (Outcome::Reset, "the client reset the connection".to_string()),
            (None, End::Reset(Side::Server)) => (Outcome::Reset, "the server reset the connection".to_string()),
            (None, End::Closed) => (Outcome::Reset, "the connection was closed without a closing frame".to_string()),
            (None, End::Idle | End::Unseen) => (Outcome::Open, String::new()),
        };
        self.put(outcome, &error, cx);
        self.done = true;
    }

    fn report(&mut self, _now: Nanos, cx: &mut Context<'_>) {
        let count = self.counts.sent + self.counts.received;
        if self.call.revision == 0 || count != self.reported {
            self.reported = count;
            self.put(Outcome::Open, "", cx);
        }
    }

    fn held(&self) -> usize {
        let of = |d: &Direction| {
            d.message.data.capacity() + d.control.data.capacity() + d.raw.capacity() + d.inflater.held()
        };
        let message = |m: &Message| m.text.capacity() + m.body.data.capacity();
        of(&self.directions[0])
            + of(&self.directions[1])
            + message(&self.call.request)
            + message(&self.call.response)
            + size_of::<Self>()
    }
}

impl WebSocket {
    /// A frame begins.
    fn begin(&mut self, side: Side, header: Header, view: View<'_>, cx: &mut Context<'_>) {
        let takeover = self.deflate.is_some_and(|takeover| takeover[side as usize]);
        let direction = &mut self.directions[side as usize];
        direction.masked = Some(header.mask.is_some());
        let odd = header.mask.is_some() != frame::masks(side);
        if header.is_control() {
            direction.control.begin(header.opcode, false);
        } else if header.opcode != opcode::CONTINUATION {
            if direction.message.opcode.is_some() {
                // The rest of the one before did not come.
                direction.message.notes |= notes::MALFORMED;
                cx.out.counters.add(Counter::Malformed, 1);
                self.put_message(side, view.mark(0).time, cx);
            }
            let direction = &mut self.directions[side as usize];
            direction.message.begin(header.opcode, header.compressed);
            if header.compressed {
                direction.inflater.begin(takeover);
            }
        } else if direction.message.opcode.is_none() {
            // Its beginning was lost.
            direction.message.begin(opcode::CONTINUATION, self.deflate.is_some());
            direction.message.notes |= notes::GAP;
            direction.message.lost = 1;
            if self.deflate.is_some() {
                direction.inflater.begin(takeover);
                direction.inflater.fail();
            }
        }
        let direction = &mut self.directions[side as usize];
        if odd {
            let part = if header.is_control() { &mut direction.control } else { &mut direction.message };
            part.notes |= notes::MALFORMED;
        }
        self.taken(side, header, 0, view.mark(header.size - 1).time, cx);
    }

    fn payload(&mut self, side: Side, header: Header, read: u64, bytes: &[u8], cx: &mut Context<'_>) {
        let limit = cx.out.config.body_limit;
        let direction = &mut self.directions[side as usize];
        if header.is_control() {
            direction.control.bytes += bytes.len() as u64;
            if direction.control.lost == 0 {
                frame::unmask(&mut direction.control.data, bytes, header.mask, read);
            }
            return;
        }
        let message = &mut direction.message;
        message.bytes += bytes.len() as u64;
        if message.lost > 0 {
            return;
        }
        if message.compressed {
            direction.raw.clear();
            frame::unmask(&mut direction.raw, bytes, header.mask, read);
            direction.inflater.piece(&direction.raw, &mut message.data, limit, cx.out.config.limits.inflated);
        } else {
            let room = limit.saturating_sub(message.data.len()).min(bytes.len());
            frame::unmask(&mut message.data, &bytes[..room], header.mask, read);
        }
    }

    /// So many bytes of a frame's payload are read, or lost.
    fn taken(&mut self, side: Side, header: Header, read: u64, time: Nanos, cx: &mut Context<'_>) {
        if read < header.len {
            self.directions[side as usize].at = At::Payload(header, read);
            return;
        }
        self.directions[side as usize].at = At::Frame;
        if header.is_control() {
            self.put_control(side, header.opcode, time, cx);
        } else if header.fin {
            self.put_message(side, time, cx);
        }
    }

    /// From here on it is not known which frames were lost.
    fn lose(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        let direction = &mut self.directions[side as usize];
        direction.at = At::Lost;
        direction.inflater.forget();
        if direction.message.opcode.is_some() {
            direction.message.notes |= notes::GAP;
            direction.message.lost = direction.message.lost.max(1);
            if direction.message.compressed {
                direction.inflater.fail();
            }
            self.put_message(side, time, cx);
        }
    }

    fn put_message(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        let (limit, most) = (cx.out.config.body_limit, cx.out.config.limits.inflated);
        let direction = &mut self.directions[side as usize];
        let mut message = std::mem::take(&mut direction.message);
        let Some(code) = message.opcode.take() else { return };
        let whole = message.lost == 0;
        let mut content_bytes = whole.then_some(message.bytes);
        let mut body = Some(&message.data[..]).filter(|_| code != opcode::CONTINUATION);
        if message.compressed {
            if whole {
                direction.inflater.end(&mut message.data, limit, most);
            }
            body = Some(&message.data[..]).filter(|_| code != opcode::CONTINUATION);
            content_bytes = direction.inflater.is_good().then_some(direction.inflater.bytes);
            if !direction.inflater.is_good() && whole {
                message.notes |= notes::UNDECODABLE;
                cx.out.counters.add(Counter::Undecodable, 1);
                body = None;
            }
        }
        let (kind, media_type): (_, &[u8]) = match code {
            opcode::TEXT => ("text", b"application/json"),
            opcode::BINARY => ("binary", b"application/octet-stream"),
            _ => ("continuation", b""),
        };
        let row = StreamMessage {
            exchange: self.call.id,
            index: self.index,
            time,
            side,
            kind,
            name: b"",
            bytes: message.bytes,
            content_bytes,
            coding: Some(b"identity"),
            media_type,
            method: b"",
            body,
            notes: message.notes,
        };
        cx.out.stream_message(cx.conn, &row);
        self.count(side, time);
        if message.data.capacity() <= 64 << 10 {
            message.data.clear();
            self.directions[side as usize].message.data = message.data;
        }
    }

    fn put_control(&mut self, side: Side, code: u8, time: Nanos, cx: &mut Context<'_>) {
        let direction = &mut self.directions[side as usize];
        let mut control = std::mem::take(&mut direction.control);
        let (mut name, mut body) = (String::new(), &control.data[..]);
        let kind = match code {
            opcode::PING => "ping",
            opcode::PONG => "pong",
            _ => {
                let code = body.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
                name = code.map_or(String::new(), |code| code.to_string());
                body = body.get(2..).unwrap_or_default();
                let reason = String::from_utf8_lossy(body).into_owned();
                self.closing.get_or_insert((side, code, reason));
                direction.at = At::Closed;
                "close"
            }
        };
        let row = StreamMessage {
            exchange: self.call.id,
            index: self.index,
            time,
            side,
            kind,
            name: name.as_bytes(),
            bytes: control.bytes,
            content_bytes: Some(control.bytes),
            coding: Some(b"identity"),
            media_type: b"application/json",
            method: b"",
            body: Some(body).filter(|body| !body.is_empty()),
            notes: control.notes,
        };
        cx.out.stream_message(cx.conn, &row);
        self.count(side, time);
        control.data.clear();
        self.directions[side as usize].control.data = control.data;
        if self.directions.iter().all(|direction| direction.at == At::Closed) {
            let (outcome, error) = self.closed();
            self.put(outcome, &error, cx);
            self.done = true;
        }
    }

    fn count(&mut self, side: Side, time: Nanos) {
        self.index = self.index.saturating_add(1);
        match side {
            Side::Client => self.counts.sent += 1,
            Side::Server => self.counts.received += 1,
        }
        self.counts.first.get_or_insert(time);
        self.counts.last = Some(time);
    }

    /// What the closing frame makes of the exchange (RFC 6455 section 7.4; 4000 and more are the application's).
    fn closed(&self) -> (Outcome, String) {
        let Some((side, code, reason)) = &self.closing else { return (Outcome::Open, String::new()) };
        let Some(code) = *code else { return (Outcome::Ok, String::new()) };
        let words = match code {
            1000 | 1001 | 3000..=3999 => return (Outcome::Ok, String::new()),
            1002 => "protocol error",
            1003 => "unsupported data",
            1007 => "invalid data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "extension missing",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            _ => "",
        };
        let own = matches!(code, 1011..=1014 | 4500..=4599);
        // Who closes says whether the other or itself is to blame.
        let outcome = if own == (*side == Side::Server) { Outcome::ServerError } else { Outcome::ClientError };
        let who = if *side == Side::Server { "server" } else { "client" };
        let said = if reason.is_empty() { words } else { reason };
        let separator = if said.is_empty() { "" } else { ": " };
        (outcome, format!("the {who} closed with {code}{separator}{said}"))
    }

    fn put(&mut self, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        if self.done {
            return;
        }
        let call = &mut self.call;
        if let Some(last) = self.counts.last {
            call.response.last_time = call.response.last_time.max(last);
        }
        let exchange = Exchange {
            id: call.id,
            revision: call.revision,
            protocol: "websocket",
            version: "1.1",
            operation: call.request.span(call.method),
            target: call.request.span(call.target),
            authority: call.request.span(call.authority),
            status: Some(101),
            status_text: b"",
            outcome,
            error,
            request: Some(&call.request),
            response: Some(&call.response),
            reason: call.response.span(call.reason),
            interim: &call.interim,
            ended: outcome != Outcome::Open,
            stream: None,
            messages: Some(self.counts),
            notes: call.notes,
        };
        cx.out.exchange(cx.conn, &exchange);
        call.revision = call.revision.saturating_add(1);
    }
}

impl Assembly {
    fn begin(&mut self, opcode: u8, compressed: bool) {
        self.opcode = Some(opcode);
        self.compressed = compressed;
        self.data.clear();
        self.bytes = 0;
        self.lost = 0;
        self.notes = 0;
    }
}
