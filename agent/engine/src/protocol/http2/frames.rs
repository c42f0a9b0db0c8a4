//! From bytes to frames, and what each does.

use super::block::{BLOCK, Block};
use super::frame::{Frame, HEADER, MAX_FRAME, PREFACE, SETTINGS_MAX_FRAME_SIZE, flag, kind};
use super::record::Finish;
use super::sync::{self, Found};
use super::{At, Http2};
use crate::counters::Counter;
use crate::protocol::Context;
use crate::stream::{Mark, Side, View};

/// Bytes of settings that are looked at: there are a dozen kinds of them.
const SETTINGS: usize = 1024;

impl Http2 {
    /// The first bytes of a direction.
    pub(super) fn start(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
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

    pub(super) fn frame(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
        let Some(frame) = Frame::read(view.bytes) else { return 0 };
        let continues = |block: &Block| frame.kind == kind::CONTINUATION && frame.stream == block.stream;
        if !self.may_come(side, frame) {
            cx.out.counters.add(Counter::Malformed, 1);
            self.lose(side, cx);
            return 1;
        }
        if self.directions[side as usize].block.as_deref().is_some_and(|block| !continues(block)) {
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
                let Some(payload) = view.bytes.get(HEADER..len) else {
                    let Some(at) = self.frames_inside(view.skip(1), side) else { return 0 };
                    cx.out.counters.add(Counter::Malformed, 1);
                    self.lose(side, cx);
                    return 1 + at;
                };
                self.block_frame(side, frame, payload, view, cx);
                return len;
            }
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => {
                cx.out.counters.add(Counter::HeadersDropped, 1);
                direction.hpack.lose();
                self.half_block(side, cx);
            }
            kind::SETTINGS if !frame.has(flag::ACK) && frame.len <= SETTINGS => {
                let Some(payload) = view.bytes.get(HEADER..HEADER + frame.len) else { return 0 };
                self.settings(side, payload);
                return HEADER + frame.len;
            }
            _ if frame.hides_fields() => direction.hpack.lose(),
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

    /// Whether this side may send such a frame now.
    fn may_come(&self, side: Side, frame: Frame) -> bool {
        let max = self.directions[side as usize].max_frame.unwrap_or(*MAX_FRAME.start());
        let in_place = match (side, frame.kind) {
            // On a stream that was never opened.
            (Side::Client, kind::DATA) => frame.stream <= self.newest || self.missed,
            // In front of the response's head.
            (Side::Server, kind::DATA) => self
                .streams
                .get(frame.stream)
                .is_none_or(|stream| stream.response.is_some() || stream.lost[Side::Server as usize]),
            (Side::Client, kind::PUSH_PROMISE) => false,
            (Side::Client, kind::HEADERS) => frame.stream % 2 == 1,
            _ => true,
        };
        frame.is_lawful() && frame.len <= max as usize && in_place
    }

    /// Where frames begin in what should be the rest of one frame.
    #[inline]
    pub(super) fn frames_inside(&self, view: View<'_>, side: Side) -> Option<usize> {
        sync::inside(view, side, |id| self.streams.get(id).is_some())
    }

    /// What this side allows the other.
    fn settings(&mut self, side: Side, payload: &[u8]) {
        let max_frame = &mut self.directions[side.peer() as usize].max_frame;
        for setting in payload.chunks_exact(6) {
            let id = u16::from_be_bytes([setting[0], setting[1]]);
            let value = u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
            if id == SETTINGS_MAX_FRAME_SIZE && MAX_FRAME.contains(&value) {
                *max_frame = (*max_frame).max(Some(value));
            }
        }
    }

    fn skip(&mut self, side: Side, len: usize) {
        self.directions[side as usize].at = if len == 0 { At::Frame } else { At::Skip(len) };
    }

    pub(super) fn frame_data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
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
    pub(super) fn data_taken(
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
    pub(super) fn lose(&mut self, side: Side, cx: &mut Context<'_>) {
        self.half_block(side, cx);
        self.directions[side as usize].at = At::Lost;
        // Its settings may be lost.
        self.directions[side.peer() as usize].max_frame = Some(*MAX_FRAME.end());
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

    pub(super) fn find(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> usize {
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
