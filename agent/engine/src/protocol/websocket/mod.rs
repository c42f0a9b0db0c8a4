//! WebSocket (RFC 6455), taken over from HTTP/1 where the upgrade was granted, or recognised by its frames.

mod deflate;
mod frame;
mod loss;
mod probe;
mod record;

use self::deflate::Inflater;
use self::frame::{Header, Read, opcode};
use super::{Context, Dissector, End, Protocol, Step};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::{Messages, Outcome};
use crate::packet::Nanos;
use crate::stream::{Gap, Mark, Side, View};

/// How a WebSocket is recognised whose upgrade was not seen.
pub const PROTOCOL: Protocol =
    Protocol { name: "websocket", probe: probe::probe, new: || Box::new(WebSocket::new(Upgraded::default())) };

/// The exchange of HTTP that became a WebSocket, as much of it as was seen.
#[derive(Default)]
pub(super) struct Upgraded {
    /// `None`: neither request nor response was seen.
    pub id: Option<[u8; 16]>,
    pub revision: u16,
    pub notes: u32,
    pub interim: Vec<i32>,
    pub request: Option<Box<Message>>,
    pub response: Option<Box<Message>>,
    /// Spans of the request's text.
    pub method: (u32, u32),
    pub target: (u32, u32),
    pub authority: (u32, u32),
    /// Span of the response's text.
    pub reason: (u32, u32),
    /// By [`Side`], whether what comes next is known to begin with a frame.
    pub at_frame: [bool; 2],
}

/// Looks for frames behind a loss, at the starts of segments: where they begin, or how many bytes hold none. Unless a
/// WebSocket was asked for, more must speak for them.
pub(super) fn find(view: View<'_>, side: Side, is_asked: bool) -> (usize, bool) {
    if is_asked {
        return frame::find(view, true, Some(frame::masks(side)));
    }
    probe::find(view, side).map_or((view.bytes.len(), false), |at| (at, true))
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
    /// Nothing of it was read yet, and where its frames begin is not known.
    is_joined: bool,
    /// How much speaks for it that the length of the frame which is being read is damaged.
    doubt: u32,
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
        let extensions = |message: &Message| message.header("sec-websocket-extensions").and_then(deflate::agreed);
        let whole = |message: &Message| message.notes & notes::GAP == 0;
        let deflate = match (&call.request, &call.response) {
            (_, Some(response)) => extensions(response),
            // What was not offered can't have been agreed upon.
            (Some(request), None) if whole(request) && extensions(request).is_none() => None,
            _ => Some(deflate::UNKNOWN),
        };
        let directions = [Side::Client, Side::Server].map(|side| match call.at_frame[side as usize] {
            true => Direction::default(),
            false => {
                let masked = Some(frame::masks(side));
                Direction { at: At::Lost, masked, is_joined: true, ..Direction::default() }
            }
        });
        Self {
            call,
            directions,
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
            let Direction { at, masked, .. } = self.directions[side as usize];
            done += match at {
                At::Frame => match frame::read(rest.bytes, self.deflate.is_some()) {
                    Read::More => break,
                    // An end masks all of its frames, or none.
                    Read::Header(header) if masked.is_none_or(|masked| masked == header.mask.is_some()) => {
                        self.begin(side, header, rest, cx);
                        header.size
                    }
                    Read::Header(_) | Read::Bad => {
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
                At::Payload(header, read) if self.is_damaged(side, header.len - read, rest) => {
                    cx.out.counters.add(Counter::Malformed, 1);
                    self.lose(side, rest.mark(0).time, cx);
                    0
                }
                At::Payload(header, read) => {
                    let n = (header.len - read).min(rest.bytes.len() as u64) as usize;
                    self.payload(side, header, read, &rest.bytes[..n], cx);
                    self.taken(side, header, read + n as u64, rest.mark(n.max(1) - 1).time, cx);
                    n
                }
                At::Lost => {
                    let direction = &mut self.directions[side as usize];
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
            + self.call.request.as_deref().map_or(0, message)
            + self.call.response.as_deref().map_or(0, message)
            + size_of::<Self>()
    }
}

impl WebSocket {
    /// The first frame of a connection whose upgrade was not seen.
    fn join(&mut self, side: Side, first: Mark, cx: &mut Context<'_>) {
        let why = if cx.conn.midstream { notes::PARTIAL } else { notes::GAP };
        cx.unpaired(why);
        self.call.id = Some(cx.out.exchange_id(cx.conn, first.time, side, first.offset, 0));
        self.call.notes |= notes::NO_REQUEST | why;
    }

    /// A frame begins.
    fn begin(&mut self, side: Side, header: Header, view: View<'_>, cx: &mut Context<'_>) {
        if self.call.id.is_none() {
            self.join(side, view.mark(0), cx);
        }
        let takeover = self.deflate.is_some_and(|takeover| takeover[side as usize]);
        let direction = &mut self.directions[side as usize];
        direction.masked = Some(header.mask.is_some());
        direction.doubt = 0;
        let is_first = std::mem::take(&mut direction.is_joined);
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
            // Its beginning was lost, or sent before the capture began.
            direction.message.begin(opcode::CONTINUATION, self.deflate.is_some());
            direction.message.notes |= if is_first && cx.conn.midstream { notes::PARTIAL } else { notes::GAP };
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

#[cfg(test)]
mod tests;
