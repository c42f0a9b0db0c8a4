//! Bodies, and where messages end.

use super::framing::{Framing, Progress};
use super::record::Call;
use super::sync::next_segment;
use super::{At, Http1, Reading};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::packet::Nanos;
use crate::protocol::{Context, Step};
use crate::stream::{Side, View};

impl Http1 {
    /// Reads a piece of a body.
    pub(super) fn body(
        &mut self,
        side: Side,
        mut framing: Framing,
        view: View<'_>,
        cx: &mut Context<'_>,
    ) -> Result<usize, Step> {
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
        let (conn, out) = (&*cx.conn, &mut *cx.out);
        let max_headers = out.config.limits.headers;
        let progress = framing.read(view.bytes, max_headers, limit, message, |piece| {
            let (Some(stream), Some(exchange), false) = (&mut stream, exchange, coded) else { return };
            let time = view.mark((at as usize).min(view.bytes.len() - 1)).time;
            at += piece.len() as u64;
            stream.events.put(piece, time, exchange, &mut stream.counts, conn, out);
        });
        let (n, over) = match progress {
            Progress::More(n) => (n, false),
            Progress::Done(n) => (n, true),
            Progress::Broken(n) => {
                message.notes |= notes::MALFORMED;
                cx.out.counters.add(Counter::Malformed, 1);
                self.at[side as usize] = At::Body(framing);
                self.end_message(side, view.offset + n as u64, view.mark(n).time, false, cx);
                self.lose(side, None);
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
        if (side, self.reading) == (Side::Client, Reading::Newest) {
            let held = size_of::<Call>() + self.message(side).map_or(0, |message| message.held());
            self.pairing.hold(held);
        }
        self.at[side as usize] = At::Body(framing);
        if over {
            self.end_message(side, view.offset + n as u64, view.mark(n.max(1) - 1).time, true, cx);
        }
        Ok(n)
    }

    /// The next response begins here, though this one's framing says that it goes on: it has ended.
    pub(super) fn cut_short(&mut self, view: View<'_>, cx: &mut Context<'_>) {
        if let Some(message) = self.message(Side::Server) {
            message.notes |= notes::MALFORMED;
        }
        cx.out.counters.add(Counter::Malformed, 1);
        self.end_message(Side::Server, view.offset, view.mark(0).time, true, cx);
    }

    /// A message has ended at this stream offset; `whole`: where its own framing says so.
    pub(super) fn end_message(&mut self, side: Side, offset: u64, time: Nanos, whole: bool, cx: &mut Context<'_>) {
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
}
