//! Requests as they begin.

use super::framing::{Chunk, Framing};
use super::head::{self, Read, RequestHead};
use super::record::Call;
use super::{At, Http1, Reading};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::Outcome;
use crate::protocol::{Context, Step};
use crate::stream::{Side, View};

impl Http1 {
    pub(super) fn request_head(&mut self, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let searched = self.searched[Side::Client as usize];
        if let Some(len) = Self::another_start(Side::Client, view, searched) {
            return self.broken_head(Side::Client, view, len, cx);
        }
        let mut message = cx.out.message();
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

    pub(super) fn set_times(&self, message: &mut Message, view: View<'_>, len: usize) {
        let lead = view.bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count().min(len.saturating_sub(1));
        message.first = view.mark(lead);
        message.last_time = view.mark(len - 1).time;
        message.end_offset = view.offset + len as u64;
    }

    pub(super) fn request(&mut self, message: Box<Message>, head: RequestHead, cx: &mut Context<'_>) {
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
        let held = size_of::<Call>() + message.held();
        let call = Call { id, request: Some(message), head, interim: Vec::new(), notes: reused, revision: 0 };
        if self.pairing.ask(call, first)
            && let Some(call) = self.pairing.last()
        {
            call.notes |= notes::PIPELINED;
        }
        self.pairing.hold(held);
        self.at[Side::Client as usize] = if !framing.is_over() {
            self.reading = Reading::Newest;
            At::Body(framing)
        } else if tunnel {
            At::Held
        } else {
            At::Head
        };
    }
}
