//! HTTP/2 (RFC 9113) and gRPC over it.
//!
//! Frames are read one by one, field blocks with a table that may be partly unknown ([`hpack`]), and what they carry
//! goes to the stream they name ([`stream`]). After a loss the frames are found again by their chain ([`sync`]).

mod block;
mod events;
mod frame;
mod grpc;
mod head;
mod hpack;
mod record;
mod stream;
mod streams;
mod sync;

use self::block::{BLOCK, Block};
use self::frame::{Frame, HEADER, PREFACE, flag, kind};
use self::hpack::Decoder;
use self::record::{Closing, Finish};
use self::stream::Stream;
use self::streams::Streams;
use self::sync::Found;
use super::{Context, Dissector, End, Gap, Mark, Probe, Protocol, Side, Step, View};
use crate::config::SECOND;
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::Outcome;
use crate::packet::Nanos;

/// How HTTP/2 is recognised.
pub const PROTOCOL: Protocol = Protocol { name: "http", probe, new: || Box::<Http2>::default() };

fn probe(bytes: &[u8]) -> Probe {
    sync::probe(bytes)
}

/// After a response, the client's side of its stream may go on for a moment.
const LINGER: Nanos = SECOND;
/// After a loss, a stream that has been quiet for so long is not expected to go on.
const QUIET: Nanos = 5 * SECOND;
/// Ranges of streams whose requests may have been missed that are remembered.
const RANGES: usize = 16;

/// Where the reader of one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Nothing of it was seen yet.
    #[default]
    Start,
    /// At the start of a frame.
    Frame,
    /// In the data of a stream: bytes of it that are left, padding behind it, and whether it ends the stream.
    Data { stream: u32, left: usize, pad: usize, end: bool },
    /// In a frame, or the rest of one, that says nothing here.
    Skip(usize),
    /// Lost: looking for frames.
    Lost,
}

#[derive(Default)]
struct Direction {
    at: At,
    hpack: Decoder,
    block: Option<Box<Block>>,
}

/// A request of HTTP/1 that asked for HTTP/2, and was granted it.
pub(super) struct Upgraded {
    pub id: [u8; 16],
    pub revision: u16,
    pub notes: u32,
    pub request: Box<Message>,
    pub method: (u32, u32),
    pub target: (u32, u32),
    pub authority: (u32, u32),
}

/// Dissects one connection.
#[derive(Default)]
pub struct Http2 {
    directions: [Direction; 2],
    streams: Streams,
    /// The newest stream that the client has opened.
    newest: u32,
    /// Requests behind the newest may have been missed.
    missed: bool,
    /// Streams whose requests may have been missed.
    unseen: Vec<(u32, u32)>,
    preface: bool,
    closing: Closing,
    exchanges: u32,
    held: usize,
    /// There were calls of gRPC on it.
    grpc: bool,
    /// There were others.
    plain: bool,
}

impl Http2 {
    /// Takes over from HTTP/1 (RFC 7540 section 3.2): the request that asked is stream 1.
    pub(super) fn from_upgrade(call: Upgraded) -> Self {
        let mut http2 = Self { newest: 1, exchanges: 1, ..Self::default() };
        http2.directions[Side::Server as usize].at = At::Frame;
        let mut stream = Stream::new(1, call.id, call.notes | notes::UPGRADED | notes::INTERIM);
        stream.revision = call.revision;
        stream.method = call.method;
        stream.target = call.target;
        stream.authority = call.authority;
        stream.last_time = call.request.last_time;
        stream.request = Some(call.request);
        stream.interim.push(101);
        stream.ended[Side::Client as usize] = true;
        stream.held = stream.holds();
        http2.held = stream.held;
        http2.streams.get_or_insert_with(1, || stream);
        http2
    }
}

impl Dissector for Http2 {
    fn name(&self) -> &'static str {
        if self.grpc && !self.plain { "grpc" } else { "http" }
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut done = 0;
        while done < view.bytes.len() {
            let rest = view.skip(done);
            let before = self.directions[side as usize].at;
            let n = match before {
                At::Start => self.start(side, rest, cx),
                At::Frame => self.frame(side, rest, cx),
                At::Data { .. } => self.frame_data(side, rest, cx),
                At::Skip(left) => {
                    let n = left.min(rest.bytes.len());
                    self.directions[side as usize].at = if n == left { At::Frame } else { At::Skip(left - n) };
                    n
                }
                At::Lost => self.find(side, rest, cx),
            };
            if n == 0 && self.directions[side as usize].at == before {
                break;
            }
            done += n;
        }
        Step::Consumed(done)
    }

    fn gap(&mut self, side: Side, rest: View<'_>, gap: Gap, cx: &mut Context<'_>) {
        let index = side as usize;
        match self.directions[index].at {
            At::Data { stream, left, pad, end } if gap.len <= (left + pad) as u64 => {
                let lost = left.min(gap.len as usize);
                let ends = end && lost == left && side == Side::Server;
                let mut time = gap.time;
                self.with_stream(
                    stream,
                    |stream, _| {
                        stream.lose(side, Some(lost as u64));
                        if !gap.cut {
                            // When it was sent is not known: the loss was noticed later.
                            time = stream.last_time;
                            stream.end_lost |= ends;
                        }
                    },
                    cx,
                );
                let mark = Mark { offset: gap.offset + gap.len, time, ack: 0 };
                self.data_taken(side, stream, (left - lost, pad - (gap.len as usize - lost), end), mark, cx);
            }
            At::Skip(left) if gap.len <= left as u64 => {
                let left = left - gap.len as usize;
                self.directions[index].at = if left == 0 { At::Frame } else { At::Skip(left) };
            }
            At::Frame => match Frame::read(rest.bytes) {
                Some(frame) if frame.is_lawful() => {
                    self.half_frame(side, frame, rest, cx);
                    let known = rest.bytes.len() as u64 + gap.len;
                    match ((HEADER + frame.len) as u64).checked_sub(known) {
                        Some(0) => {}
                        Some(left) => self.directions[index].at = At::Skip(left as usize),
                        None => self.lose(side, cx),
                    }
                }
                _ => self.lose(side, cx),
            },
            // The preface says nothing but that it is HTTP/2; what follows it is found by itself.
            _ => self.lose(side, cx),
        }
    }

    fn fin(&mut self, side: Side, _rest: View<'_>, _time: Nanos, _cx: &mut Context<'_>) {
        self.closing.first_fin.get_or_insert(side);
    }

    fn end(&mut self, how: End, _time: Nanos, cx: &mut Context<'_>) {
        for id in self.ids(|_| true) {
            self.finish(id, Finish::Connection(how), cx);
        }
    }

    fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        if self.streams.is_empty() {
            return;
        }
        for id in self.ids(|stream| stream.ended[1] && now - stream.last_time >= LINGER) {
            self.finish(id, Finish::Complete, cx);
        }
        let is_lost = |stream: &Stream| {
            let lost = stream.lost.contains(&true) && !stream.settled && !stream.is_streaming();
            lost && now - stream.last_time >= QUIET
        };
        for id in self.ids(is_lost) {
            if let Some(stream) = self.streams.get_mut(id) {
                let (outcome, error) = record::outcome(stream, Finish::Lost, self.closing);
                record::put(stream, outcome, &error, cx);
                // It stays: should it go on after all, a later revision says so.
                stream.settled = true;
            }
        }
    }

    fn report(&mut self, now: Nanos, cx: &mut Context<'_>) {
        let news = |stream: &Stream| {
            let messages = stream.counts.sent + stream.counts.received;
            let waits = now - stream.request.as_ref().map_or(now, |request| request.last_time) >= SECOND;
            (stream.revision == 0 && waits) || (stream.is_streaming() && messages != stream.reported)
        };
        for id in self.ids(news) {
            if let Some(stream) = self.streams.get_mut(id) {
                record::put(stream, Outcome::Open, "", cx);
            }
        }
    }

    fn held(&self) -> usize {
        let of = |direction: &Direction| {
            direction.hpack.held() + direction.block.as_ref().map_or(0, |block| block.bytes.capacity())
        };
        self.held + of(&self.directions[0]) + of(&self.directions[1]) + self.streams.held()
    }
}

impl Http2 {
    /// The streams that something is true of, in the order of their opening.
    fn ids(&self, is: impl Fn(&Stream) -> bool) -> Vec<u32> {
        self.streams.iter().filter(|stream| is(stream)).map(|stream| stream.id).collect()
    }

    /// The first bytes of a direction.
    fn start(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
        let direction = &mut self.directions[side as usize];
        let whole = match side {
            Side::Client => {
                let len = view.bytes.len().min(PREFACE.len());
                if view.bytes[..len] == PREFACE[..len] {
                    if len < PREFACE.len() {
                        return 0;
                    }
                    self.preface = true;
                    direction.at = At::Frame;
                    return len;
                }
                false
            }
            Side::Server => !cx.conn.midstream || (self.preface && view.offset == 0),
        };
        if whole {
            direction.at = At::Frame;
        } else {
            self.lose(side, cx);
        }
        0
    }

    fn frame(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
        let Some(frame) = Frame::read(view.bytes) else { return 0 };
        let continues = |block: &Block| frame.kind == kind::CONTINUATION && frame.stream == block.stream;
        let direction = &mut self.directions[side as usize];
        if !frame.is_lawful() {
            cx.out.counters.add(Counter::Malformed, 1);
            self.lose(side, cx);
            return 1;
        }
        if direction.block.as_deref().is_some_and(|block| !continues(block)) {
            cx.out.counters.add(Counter::Malformed, 1);
            self.half_block(side, cx);
        }
        let direction = &mut self.directions[side as usize];
        match frame.kind {
            kind::DATA => {
                let padded = usize::from(frame.has(flag::PADDED));
                let Some(&pad) = view.bytes.get(HEADER - 1 + padded) else { return 0 };
                let pad = if padded == 1 { usize::from(pad).min(frame.len - 1) } else { 0 };
                let left = frame.len - padded - pad;
                let head = HEADER + padded;
                self.with_stream(frame.stream, |stream, _| stream.data_frame(side, left), cx);
                let mark = view.mark(head - 1);
                self.data_taken(side, frame.stream, (left, pad, frame.has(flag::END_STREAM)), mark, cx);
                return head;
            }
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION if frame.len <= BLOCK => {
                let len = HEADER + frame.len;
                let Some(payload) = view.bytes.get(HEADER..len) else { return 0 };
                self.block_frame(side, frame, payload, view, cx);
                return len;
            }
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => {
                cx.out.counters.add(Counter::HeadersDropped, 1);
                direction.hpack.lose();
                self.half_block(side, cx);
            }
            kind::RST_STREAM => {
                let Some(payload) = view.bytes.get(HEADER..).and_then(|rest| rest.first_chunk::<4>()) else { return 0 };
                let mark = view.mark(HEADER + 3);
                self.finish(frame.stream, Finish::Reset(side, u32::from_be_bytes(*payload), mark.time), cx);
                return HEADER + 4;
            }
            kind::GOAWAY => {
                let Some(payload) = view.bytes.get(HEADER..).and_then(|rest| rest.first_chunk::<8>()) else { return 0 };
                let [a, b, c, d, code @ ..] = *payload;
                self.go_away(side, u32::from_be_bytes([a & 0x7f, b, c, d]), u32::from_be_bytes(code), cx);
                self.skip(side, frame.len - 8);
                return HEADER + 8;
            }
            _ => {}
        }
        self.skip(side, frame.len);
        HEADER
    }

    fn skip(&mut self, side: Side, len: usize) {
        self.directions[side as usize].at = if len == 0 { At::Frame } else { At::Skip(len) };
    }

    fn frame_data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
        let At::Data { stream, left, pad, end } = self.directions[side as usize].at else { return 0 };
        let n = left.min(view.bytes.len());
        let piece = View { bytes: &view.bytes[..n], ..view };
        let last = view.mark(n.max(1) - 1);
        self.with_stream(
            stream,
            |stream, cx| {
                stream.last_time = last.time;
                stream.data(side, piece, cx);
            },
            cx,
        );
        let mark = Mark { offset: view.offset + n as u64, ..last };
        self.data_taken(side, stream, (left - n, pad, end), mark, cx);
        n
    }

    /// Data was read up to `mark`; of its frame there is left: data, padding, and whether it ends the stream.
    fn data_taken(
        &mut self,
        side: Side,
        stream: u32,
        (left, pad, end): (usize, usize, bool),
        mark: Mark,
        cx: &mut Context<'_>,
    ) {
        if left > 0 {
            self.directions[side as usize].at = At::Data { stream, left, pad, end };
            return;
        }
        self.skip(side, pad);
        self.with_stream(
            stream,
            |stream, _| {
                if let Some(message) = stream.message(side) {
                    message.last_time = mark.time;
                    message.end_offset = mark.offset;
                }
            },
            cx,
        );
        if end {
            self.ended(stream, side, mark, cx);
        }
    }

    /// From here on it is not known which frames were lost.
    fn lose(&mut self, side: Side, cx: &mut Context<'_>) {
        self.half_block(side, cx);
        self.directions[side as usize].at = At::Lost;
        for stream in self.streams.iter_mut() {
            if stream.id % 2 == 1 && !stream.ended[side as usize] {
                if stream.message(side).is_some() {
                    stream.lose(side, None);
                }
                stream.lost[side as usize] = true;
            }
        }
        if side == Side::Client {
            self.missed = true;
        }
    }

    fn find(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
        let streams = &self.streams;
        let n = match sync::find(view, |id| streams.get(id).is_some()) {
            Found::At(at) => {
                self.directions[side as usize].at = At::Frame;
                at
            }
            Found::Perhaps(at) => at,
        };
        cx.out.counters.add(Counter::Skipped, n as u64);
        n
    }
}

#[cfg(test)]
pub(super) mod tests;
