//! Responses as they begin: which request they answer, and what that makes of them.

use std::collections::VecDeque;

use super::framing::{Chunk, Framing};
use super::head::{self, Read, RequestHead, ResponseHead};
use super::record::{Answer, Call, Stream, split_target};
use super::{At, Http1, Reading};
use crate::message::{Message, notes};
use crate::output::Outcome;
use crate::protocol::http2::{Http2, Upgraded};
use crate::protocol::websocket::{self, WebSocket};
use crate::protocol::{Context, Step};
use crate::stream::{Mark, Side, View};

impl Http1 {
    pub(super) fn response_head(&mut self, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let searched = self.searched[Side::Server as usize];
        if let Some(len) = Self::another_start(Side::Server, view, searched) {
            return self.broken_head(Side::Server, view, len, cx);
        }
        let mut message = cx.out.message();
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

    pub(super) fn response(
        &mut self,
        mut message: Box<Message>,
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
        if head.status == 101 && call.asks_for(b"h2c") {
            return self.switch_to_http2(call, message, len, cx);
        }
        let grants = || head.fields.upgrade.is_some_and(|span| message.span(span).eq_ignore_ascii_case(b"websocket"));
        if head.status == 101 && (call.asks_for(b"websocket") || grants()) {
            message.last_time = view.mark(len - 1).time;
            message.end_offset = end;
            return self.switch_to_websocket(call, Some((message, head)), len);
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
    pub(super) fn switch_to_http2(
        &mut self,
        call: Call,
        switch: Box<Message>,
        len: usize,
        cx: &mut Context<'_>,
    ) -> Step {
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
    pub(super) fn take_call(&mut self, found: Option<usize>, first: Mark, cx: &mut Context<'_>) -> Call {
        let mut skipped = VecDeque::new();
        let call = found.and_then(|index| self.pairing.take(index, |call| skipped.push_back(call)));
        for mut lost in skipped {
            lost.notes |= notes::GAP;
            self.put_unanswered(lost, Outcome::Incomplete, "its response was not captured", cx);
        }
        call.unwrap_or_else(|| {
            self.unread(Side::Server, first.offset + 1);
            let why = if cx.conn.midstream { notes::PARTIAL } else { notes::GAP };
            cx.unpaired(why);
            Call {
                id: cx.out.exchange_id(cx.conn, first.time, Side::Server, first.offset, 0),
                request: None,
                head: RequestHead::default(),
                interim: Vec::new(),
                notes: notes::NO_REQUEST | why | if self.exchanges > 0 { notes::REUSED } else { 0 },
                revision: 0,
            }
        })
    }

    /// The connection is a WebSocket from here on, and the call lasts as long as it; whatever of it was seen.
    pub(super) fn switch_to_websocket(
        &self,
        call: Call,
        response: Option<(Box<Message>, ResponseHead)>,
        len: usize,
    ) -> Step {
        let Call { id, mut request, head, interim, notes, revision } = call;
        let RequestHead { method, mut target, fields, .. } = head;
        let mut authority = fields.host.unwrap_or_default();
        if let Some(request) = &mut request {
            let (in_target, rest) = split_target(request.span(target), request.span(method));
            let (in_target, rest) = (in_target.to_vec(), rest.to_vec());
            target = request.push_text(&rest);
            if !in_target.is_empty() {
                authority = request.push_text(&in_target);
            }
        }
        let at_frame = [self.at[Side::Client as usize] == At::Held, response.is_some()];
        let (response, reason) = response.map(|(response, head)| (response, head.reason)).unzip();
        let reason = reason.unwrap_or_default();
        let id = Some(id);
        let upgraded = websocket::Upgraded {
            id,
            revision,
            notes,
            interim,
            request,
            response,
            method,
            target,
            authority,
            reason,
            at_frame,
        };
        Step::Handover(len, Box::new(WebSocket::new(upgraded)))
    }
}
