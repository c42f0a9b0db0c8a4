//! Field blocks: put together from their frames (RFC 9113 sections 4.3 and 6.10).

use super::Http2;
use super::frame::{self, Frame, HEADER, flag, kind};
use crate::counters::Counter;
use crate::protocol::Context;
use crate::stream::{Mark, Side, View};

/// Bytes of one frame with fields, and of one field block in several frames: below what may stay unconsumed, and more
/// than servers allow (8 to 64 KiB).
pub(super) const BLOCK: usize = 60 << 10;

/// A field block that goes on in further frames.
pub(super) struct Block {
    pub bytes: Vec<u8>,
    pub stream: u32,
    pub end: bool,
    pub push: bool,
    pub first: Mark,
    pub wire: u32,
}

/// A whole field block, or the beginning of one that is lost.
pub(super) struct Fields<'a> {
    pub bytes: &'a [u8],
    pub stream: u32,
    /// It ends the stream.
    pub end: bool,
    pub first: Mark,
    pub last: Mark,
    /// Its bytes with frame headers.
    pub wire: u32,
    pub whole: bool,
}

impl Http2 {
    /// A frame of a field block, whole.
    pub(super) fn block_frame(
        &mut self,
        side: Side,
        frame: Frame,
        payload: &[u8],
        view: View<'_>,
        cx: &mut Context<'_>,
    ) {
        let len = HEADER + payload.len();
        let last = Mark { offset: view.offset + len as u64, ..view.mark(len - 1) };
        let direction = &mut self.directions[side as usize];
        let fields = match frame.kind {
            kind::PUSH_PROMISE => 4,
            kind::HEADERS if frame.has(flag::PRIORITY) => 5,
            _ => 0,
        };
        let bytes = match frame.kind {
            kind::CONTINUATION => Some(payload),
            _ => frame::fragment(frame, payload, fields),
        };
        let Some(bytes) = bytes else {
            cx.out.counters.add(Counter::Malformed, 1);
            direction.hpack.lose();
            return;
        };
        let ends = frame.has(flag::END_HEADERS);
        let mut block = match (frame.kind, direction.block.take()) {
            (kind::CONTINUATION, None) => {
                // Its beginning is lost, and where in it a field begins is not known.
                direction.hpack.lose();
                return;
            }
            (kind::CONTINUATION, Some(block)) => block,
            (kind, _) => {
                let push = kind == kind::PUSH_PROMISE;
                let end = !push && frame.has(flag::END_STREAM);
                let first = view.mark(0);
                if ends {
                    let stream = if push { 0 } else { frame.stream };
                    let fields = Fields { bytes, stream, end, first, last, wire: len as u32, whole: true };
                    self.fields(side, &fields, cx);
                    return;
                }
                Box::new(Block { bytes: Vec::new(), stream: frame.stream, end, push, first, wire: 0 })
            }
        };
        block.wire = block.wire.saturating_add(len as u32);
        if block.bytes.len() + bytes.len() > BLOCK {
            cx.out.counters.add(Counter::HeadersDropped, 1);
            direction.block = Some(block);
            self.half_block(side, cx);
            return;
        }
        block.bytes.extend_from_slice(bytes);
        if !ends {
            direction.block = Some(block);
            return;
        }
        let stream = if block.push { 0 } else { block.stream };
        let Block { bytes, end, first, wire, .. } = &*block;
        self.fields(side, &Fields { bytes, stream, end: *end, first: *first, last, wire: *wire, whole: true }, cx);
    }

    /// The rest of a field block is lost: what there is of it is read.
    pub(super) fn half_block(&mut self, side: Side, cx: &mut Context<'_>) {
        if let Some(block) = self.directions[side as usize].block.take() {
            let Block { bytes, first, wire, push, .. } = &*block;
            let stream = if *push { 0 } else { block.stream };
            let fields =
                Fields { bytes, stream, end: block.end, first: *first, last: *first, wire: *wire, whole: false };
            self.fields(side, &fields, cx);
        }
        self.directions[side as usize].hpack.lose();
    }

    /// The rest of a frame that was half there is lost.
    pub(super) fn half_frame(&mut self, side: Side, frame: Frame, rest: View<'_>, cx: &mut Context<'_>) {
        let payload = &rest.bytes[HEADER..];
        let skipped = usize::from(frame.has(flag::PADDED)) + if frame.has(flag::PRIORITY) { 5 } else { 0 };
        let last = rest.mark(rest.bytes.len() - 1);
        match frame.kind {
            kind::HEADERS => {
                let bytes = payload.get(skipped..).unwrap_or_default();
                let wire = rest.bytes.len() as u32;
                let (stream, end) = (frame.stream, frame.has(flag::END_STREAM));
                let first = rest.mark(0);
                self.fields(side, &Fields { bytes, stream, end, first, last, wire, whole: false }, cx);
                self.directions[side as usize].hpack.lose();
            }
            kind::CONTINUATION | kind::PUSH_PROMISE => self.half_block(side, cx),
            kind::RST_STREAM | kind::DATA => {
                self.with_stream(frame.stream, |stream, _| stream.lose(side, None), cx);
            }
            _ => {}
        }
    }
}
