//! From calls and their answers to records.

use super::Http1;
use super::head::{RequestHead, ResponseHead};
use crate::message::Message;
use crate::output::{Exchange, Messages, Outcome};
use crate::protocol::Context;
use crate::protocol::sse::Events;

/// A request and what is known of its answer so far.
pub(super) struct Call {
    pub id: [u8; 16],
    pub request: Option<Box<Message>>,
    pub head: RequestHead,
    pub interim: Vec<i32>,
    pub notes: u32,
    pub revision: u16,
}

impl Call {
    pub fn method(&self) -> &[u8] {
        self.request.as_ref().map_or(b"", |request| request.span(self.head.method))
    }

    /// Whether it asks to go on in this protocol: `h2c` (RFC 7540 section 3.2), `websocket` (RFC 6455 section 4.1).
    pub fn asks_for(&self, protocol: &[u8]) -> bool {
        let (Some(request), Some(upgrade)) = (&self.request, self.head.fields.upgrade) else { return false };
        request.span(upgrade).split(|&b| b == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(protocol))
    }
}

/// An answer that is being read, with the call that it answers.
pub(super) struct Answer {
    pub call: Call,
    pub response: Box<Message>,
    pub head: ResponseHead,
    pub stream: Option<Stream>,
    /// The response is whole; the request is not.
    pub ended: bool,
}

/// A stream of server-sent events.
#[derive(Default)]
pub(super) struct Stream {
    pub events: Events,
    pub counts: Messages,
    pub reported: u32,
}

impl Http1 {
    /// Puts out the answer that came before its request's end.
    pub(super) fn put_ended(&mut self, cx: &mut Context<'_>) {
        if let Some(answer) = self.answer.take_if(|answer| answer.ended) {
            self.put_answer(*answer, None, "", true, cx);
        }
    }

    pub(super) fn put_answer(
        &mut self,
        answer: Answer,
        outcome: Option<Outcome>,
        error: &str,
        ended: bool,
        cx: &mut Context<'_>,
    ) {
        let Answer { call, response, head, stream, .. } = answer;
        let outcome = outcome.unwrap_or(match head.status {
            _ if call.request.is_none() => Outcome::Incomplete,
            0..400 => Outcome::Ok,
            400..500 => Outcome::ClientError,
            _ => Outcome::ServerError,
        });
        let error = if call.request.is_none() && error.is_empty() { "its request was not captured" } else { error };
        put(&call, Some((&response, head)), stream.map(|s| s.counts), outcome, error, ended, cx);
        cx.out.recycle(response);
        if let Some(request) = call.request {
            cx.out.recycle(request);
        }
    }

    pub(super) fn put_unanswered(&mut self, call: Call, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        put(&call, None, None, outcome, error, false, cx);
        if let Some(request) = call.request {
            cx.out.recycle(request);
        }
    }
}

pub(super) fn put(
    call: &Call,
    answer: Option<(&Message, ResponseHead)>,
    messages: Option<Messages>,
    outcome: Outcome,
    error: &str,
    ended: bool,
    cx: &mut Context<'_>,
) {
    let request = call.request.as_deref();
    let text = |span: (u32, u32)| request.map_or(&b""[..], |request| request.span(span));
    let (in_target, target) = split_target(text(call.head.target), text(call.head.method));
    let authority = if in_target.is_empty() { call.head.fields.host.map_or(&b""[..], text) } else { in_target };
    let minor_version = answer.map_or(call.head.minor_version, |(_, head)| {
        if request.is_some() { call.head.minor_version } else { head.minor_version }
    });
    let exchange = Exchange {
        id: call.id,
        revision: call.revision,
        protocol: "http",
        version: if minor_version == 0 { "1.0" } else { "1.1" },
        operation: text(call.head.method),
        target,
        authority,
        status: answer.map(|(_, head)| i32::from(head.status)),
        status_text: b"",
        outcome,
        error,
        request,
        response: answer.map(|(response, _)| response),
        reason: answer.map_or(b"", |(response, head)| response.span(head.reason)),
        interim: &call.interim,
        ended,
        stream: None,
        messages,
        notes: call.notes,
    };
    cx.out.exchange(cx.conn, &exchange);
}

/// The authority and the rest of a target in absolute or authority form, which a proxy is asked with (RFC 9112 sections
/// 3.2.2, 3.2.3); a target in origin form has no authority.
pub(super) fn split_target<'a>(target: &'a [u8], method: &[u8]) -> (&'a [u8], &'a [u8]) {
    if method == b"CONNECT" {
        return (target, target);
    }
    let Some(scheme_end) = target.windows(3).take(16).position(|w| w == b"://").filter(|_| target[0] != b'/') else {
        return (b"", target);
    };
    let rest = &target[scheme_end + 3..];
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let authority = memchr::memrchr(b'@', &rest[..end]).map_or(&rest[..end], |at| &rest[at + 1..end]);
    (authority, if end == rest.len() { b"/" } else { &rest[end..] })
}
