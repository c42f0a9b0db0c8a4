//! HTTP/2 (RFC 9113) and gRPC over it.
//!
//! Frames are read one by one, field blocks with a table that may be partly unknown ([`hpack`]), and what they carry
//! goes to the stream they name ([`stream`]). After a loss the frames are found again by their chain ([`sync`]).

mod block;
mod events;
mod frame;
mod frames;
mod grpc;
mod head;
mod hpack;
mod messages;
mod record;
mod stream;
mod streams;
mod sync;

use self::block::Block;
use self::frame::{Frame, HEADER, MAX_FRAME};
use self::hpack::Decoder;
use self::record::{Closing, Finish};
use self::stream::Stream;
use self::streams::Streams;
use super::{Context, Dissector, End, Probe, Protocol, Step};
use crate::config::SECOND;
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::Outcome;
use crate::packet::Nanos;
use crate::stream::{Gap, Mark, Side, View};

/// How HTTP/2 is recognised.
pub const PROTOCOL: Protocol = Protocol { name: "http", probe, new: || Box::<Http2>::default() };

fn probe(bytes: &[u8]) -> Probe {
    sync::probe(bytes)
}

/// After a response, the client's side of its stream may go on for a moment.
const LINGER: Nanos = SECOND;
/// After a loss, a stream that has been quiet for so long is not expected to go on.
const QUIET: Nanos = 5 * SECOND;
/// Ranges of streams whose requests may have been missed that are remembered, and streams whose requests were.
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
    /// Largest payload that the peer allowed, if it said so.
    max_frame: Option<u32>,
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
    /// Streams behind the newest of which a record says that the request was missed: after a loss, frames of the other
    /// direction may be found again later.
    answered: Vec<u32>,
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
        // The request had settings, too.
        http2.directions[Side::Server as usize].max_frame = Some(*MAX_FRAME.end());
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
            let mut rest = view.skip(done);
            let before = self.directions[side as usize].at;
            if let At::Data { .. } | At::Skip(_) = before
                && let Some(at) = self.frames_inside(rest, side)
            {
                rest.bytes = &rest.bytes[..at];
            }
            let n = match before {
                // Its length is damaged.
                At::Data { .. } | At::Skip(_) if rest.bytes.is_empty() => {
                    cx.out.counters.add(Counter::Malformed, 1);
                    self.lose(side, cx);
                    0
                }
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
}

#[cfg(test)]
pub(super) mod tests;
