//! From messages and the closing of a WebSocket to records.

use super::frame::{self, opcode};
use super::{At, WebSocket};
use crate::counters::Counter;
use crate::message::notes;
use crate::output::{Exchange, Outcome, StreamMessage};
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::stream::Side;

/// What a message's row has of its own.
struct Said<'a> {
    kind: &'static str,
    /// Code of a closing frame.
    name: &'a [u8],
    media_type: &'static [u8],
    /// On the wire.
    bytes: u64,
    /// Inflated; `None`: not known.
    content_bytes: Option<u64>,
    body: Option<&'a [u8]>,
    notes: u32,
}

impl WebSocket {
    pub(super) fn put_message(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        let (limit, most) = (cx.out.config.body_limit, cx.out.config.limits.inflated);
        let direction = &mut self.directions[side as usize];
        let mut message = std::mem::take(&mut direction.message);
        let Some(code) = message.opcode.take() else { return };
        let whole = message.lost == 0;
        let mut content_bytes = whole.then_some(message.bytes);
        let mut body = Some(&message.data[..]).filter(|_| code != opcode::CONTINUATION);
        if message.compressed {
            if whole {
                direction.inflater.end(&mut message.data, limit, most);
            }
            body = Some(&message.data[..]).filter(|_| code != opcode::CONTINUATION);
            content_bytes = direction.inflater.is_good().then_some(direction.inflater.bytes);
            if !direction.inflater.is_good() && whole {
                message.notes |= notes::UNDECODABLE;
                cx.out.counters.add(Counter::Undecodable, 1);
                body = None;
            }
        }
        let is_all = body.is_some_and(|body| content_bytes == Some(body.len() as u64));
        if code == opcode::TEXT && is_all && std::str::from_utf8(&message.data).is_err() {
            message.notes |= notes::MALFORMED;
            // What later messages repeat of it would be as wrong.
            direction.inflater.forget();
        }
        let (kind, media_type): (_, &[u8]) = match code {
            opcode::TEXT => ("text", b"application/json"),
            opcode::BINARY => ("binary", b"application/octet-stream"),
            _ => ("continuation", b""),
        };
        let said =
            Said { kind, media_type, bytes: message.bytes, content_bytes, body, notes: message.notes, name: b"" };
        self.put_row(side, time, &said, cx);
        if message.data.capacity() <= 64 << 10 {
            message.data.clear();
            self.directions[side as usize].message.data = message.data;
        }
    }

    pub(super) fn put_control(&mut self, side: Side, code: u8, time: Nanos, cx: &mut Context<'_>) {
        let direction = &mut self.directions[side as usize];
        let mut control = std::mem::take(&mut direction.control);
        let (mut name, mut body) = (String::new(), &control.data[..]);
        let kind = match code {
            opcode::PING => "ping",
            opcode::PONG => "pong",
            _ => {
                let is_lawful = control.lost > 0 || frame::is_closing(body);
                let code = body.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
                name = code.map_or(String::new(), |code| code.to_string());
                body = body.get(2..).unwrap_or_default();
                let reason = String::from_utf8_lossy(body).into_owned();
                let is_known = self.closing.as_ref().is_some_and(|(_, code, _)| code.is_none_or(frame::is_code));
                if !is_known {
                    self.closing = Some((side, code, reason));
                }
                if is_lawful {
                    direction.at = At::Closed;
                } else {
                    // It may be damaged, and close nothing.
                    control.notes |= notes::MALFORMED;
                }
                "close"
            }
        };
        let said = Said {
            kind,
            name: name.as_bytes(),
            bytes: control.bytes,
            content_bytes: Some(control.bytes),
            media_type: b"application/json",
            body: Some(body).filter(|body| !body.is_empty()),
            notes: control.notes,
        };
        self.put_row(side, time, &said, cx);
        control.data.clear();
        self.directions[side as usize].control.data = control.data;
        if self.directions.iter().all(|direction| direction.at == At::Closed) {
            let (outcome, error) = self.closed();
            self.put(outcome, &error, cx);
            self.done = true;
        }
    }

    /// Puts out the row of a message, and counts it.
    fn put_row(&mut self, side: Side, time: Nanos, said: &Said<'_>, cx: &mut Context<'_>) {
        let row = StreamMessage {
            exchange: self.call.id.unwrap_or_default(),
            index: self.index,
            time,
            side,
            kind: said.kind,
            name: said.name,
            bytes: said.bytes,
            content_bytes: said.content_bytes,
            coding: Some(b"identity"),
            media_type: said.media_type,
            method: b"",
            body: said.body,
            notes: said.notes,
        };
        cx.out.stream_message(cx.conn, &row);
        self.index = self.index.saturating_add(1);
        match side {
            Side::Client => self.counts.sent += 1,
            Side::Server => self.counts.received += 1,
        }
        self.counts.first.get_or_insert(time);
        self.counts.last = Some(time);
    }

    /// What the closing frame makes of the exchange (RFC 6455 section 7.4; 4000 and more are the application's).
    pub(super) fn closed(&self) -> (Outcome, String) {
        let Some((side, code, reason)) = &self.closing else { return (Outcome::Open, String::new()) };
        let Some(code) = *code else { return (Outcome::Ok, String::new()) };
        let words = match code {
            1000 | 1001 | 3000..=3999 => return (Outcome::Ok, String::new()),
            1002 => "protocol error",
            1003 => "unsupported data",
            1007 => "invalid data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "extension missing",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            _ => "",
        };
        let own = matches!(code, 1011..=1014 | 4500..=4599);
        // Who closes says whether the other or itself is to blame.
        let outcome = if own == (*side == Side::Server) { Outcome::ServerError } else { Outcome::ClientError };
        let who = if *side == Side::Server { "server" } else { "client" };
        let said = if reason.is_empty() { words } else { reason };
        let separator = if said.is_empty() { "" } else { ": " };
        (outcome, format!("the {who} closed with {code}{separator}{said}"))
    }

    pub(super) fn put(&mut self, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        let call = &mut self.call;
        let is_known = call.request.is_some() || call.response.is_some() || self.counts.first.is_some();
        let Some(id) = call.id.filter(|_| is_known && !self.done) else { return };
        if let (Some(response), Some(last)) = (&mut call.response, self.counts.last) {
            response.last_time = response.last_time.max(last);
        }
        let request = call.request.as_deref();
        let asked = |span| request.map_or(&b""[..], |request| request.span(span));
        let response = call.response.as_deref();
        let exchange = Exchange {
            id,
            revision: call.revision,
            protocol: "websocket",
            version: if request.is_some() || response.is_some() { "1.1" } else { "" },
            operation: asked(call.method),
            target: asked(call.target),
            authority: asked(call.authority),
            status: response.map(|_| 101),
            status_text: b"",
            outcome,
            error,
            request,
            response,
            reason: response.map_or(b"", |response| response.span(call.reason)),
            interim: &call.interim,
            ended: outcome != Outcome::Open,
            stream: None,
            messages: Some(self.counts),
            notes: call.notes,
        };
        cx.out.exchange(cx.conn, &exchange);
        call.revision = call.revision.saturating_add(1);
    }
}
