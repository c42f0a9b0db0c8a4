//! What is lost of a direction, or damaged.

use super::frame;
use super::{At, WebSocket};
use crate::message::notes;
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::stream::{Side, View};

impl WebSocket {
    /// Whether a frame of which so much is left should have ended before: segments in a row are frames themselves.
    pub(super) fn is_damaged(&mut self, side: Side, left: u64, view: View<'_>) -> bool {
        let direction = &mut self.directions[side as usize];
        if left > view.bytes.len() as u64 && view.starts_segment(0) {
            let whole = frame::whole(view.bytes, self.deflate.is_some(), direction.masked);
            direction.doubt = whole.map_or(0, |bits| direction.doubt + bits);
        }
        direction.doubt >= frame::ENOUGH_INSIDE
    }

    /// From here on it is not known which frames were lost.
    pub(super) fn lose(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        let direction = &mut self.directions[side as usize];
        direction.at = At::Lost;
        direction.doubt = 0;
        direction.masked = direction.masked.filter(|&masked| masked == frame::masks(side));
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
}
