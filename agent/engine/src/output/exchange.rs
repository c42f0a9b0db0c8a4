//! Exchanges as rows.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type, TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type};

use super::head::{Class, Said, media_type};
use super::{Exchange, Output};
use crate::columns::{Addrs, Bytes, IntLists, Numbers, Pairs, Uuids, Words};
use crate::conn::Conn;
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::packet::Nanos;

#[derive(Default)]
pub(super) struct ExchangeColumns {
    pub id: Uuids,
    pub revision: Numbers<UInt16Type>,
    pub time: Numbers<TimestampNanosecondType>,
    pub protocol: Words,
    pub version: Words,
    pub operation: Bytes,
    pub target: Bytes,
    pub authority: Bytes,
    pub status: Numbers<Int32Type>,
    pub status_text: Bytes,
    pub outcome: Words,
    pub error: Bytes,
    pub send: Numbers<Int64Type>,
    pub wait: Numbers<Int64Type>,
    pub receive: Numbers<Int64Type>,
    pub latency: Numbers<Int64Type>,
    pub src_ip: Addrs,
    pub src_port: Numbers<UInt16Type>,
    pub dst_ip: Addrs,
    pub dst_port: Numbers<UInt16Type>,
    pub view: Words,
    pub connection: Numbers<UInt64Type>,
    pub stream: Numbers<UInt64Type>,
    pub trace_id: Bytes,
    pub span_id: Bytes,
    pub messages_sent: Numbers<UInt32Type>,
    pub messages_received: Numbers<UInt32Type>,
    pub first_message: Numbers<TimestampNanosecondType>,
    pub last_message: Numbers<TimestampNanosecondType>,
    pub notes: Numbers<UInt32Type>,
    pub payload_id: Uuids,
    pub reason: Bytes,
    pub interim: IntLists,
    pub half: [HalfColumns; 2],
    pub rows: usize,
}

impl ExchangeColumns {
    /// Takes all rows: their columns, and those of their heads and bodies.
    pub fn take(&mut self, heads: bool) -> (Vec<ArrayRef>, Option<Vec<ArrayRef>>) {
        self.rows = 0;
        let [request, response] = &mut self.half;
        let narrow: Vec<ArrayRef> = vec![
            self.id.take(),
            self.revision.take(),
            self.time.take(),
            self.protocol.take(),
            self.version.take(),
            Arc::new(self.operation.take_text()),
            Arc::new(self.target.take_text()),
            Arc::new(self.authority.take_text()),
            self.status.take(),
            Arc::new(self.status_text.take_text()),
            self.outcome.take(),
            Arc::new(self.error.take_text()),
            self.send.take(),
            self.wait.take(),
            self.receive.take(),
            self.latency.take(),
            self.src_ip.take(),
            self.src_port.take(),
            self.dst_ip.take(),
            self.dst_port.take(),
            self.view.take(),
            request.head_bytes.take(),
            request.body_bytes.take(),
            request.content_bytes.take(),
            Arc::new(request.content_type.take_text()),
            response.head_bytes.take(),
            response.body_bytes.take(),
            response.content_bytes.take(),
            Arc::new(response.content_type.take_text()),
            self.connection.take(),
            self.stream.take(),
            request.seq.take(),
            response.seq.take(),
            Arc::new(self.trace_id.take_text()),
            Arc::new(self.span_id.take_text()),
            self.messages_sent.take(),
            self.messages_received.take(),
            self.first_message.take(),
            self.last_message.take(),
            self.notes.take(),
        ];
        let payload = heads.then(|| -> Vec<ArrayRef> {
            vec![
                self.payload_id.take(),
                request.headers.take(),
                request.trailers.take(),
                Arc::new(request.body.take_binary()),
                response.headers.take(),
                response.trailers.take(),
                Arc::new(response.body.take_binary()),
                Arc::new(self.reason.take_text()),
                self.interim.take(),
            ]
        });
        (narrow, payload)
    }
}

/// The columns that a request and a response both have, narrow and payload.
#[derive(Default)]
pub(super) struct HalfColumns {
    pub head_bytes: Numbers<UInt32Type>,
    pub body_bytes: Numbers<UInt64Type>,
    pub content_bytes: Numbers<UInt64Type>,
    pub content_type: Bytes,
    pub seq: Numbers<UInt32Type>,
    pub headers: Pairs,
    pub trailers: Pairs,
    pub body: Bytes,
}

impl Output {
    /// Puts out an exchange.
    pub fn exchange(&mut self, conn: &mut Conn, row: &Exchange<'_>) {
        let mut bits = row.notes;
        let mut said = [Said::default(), Said::default()];
        let method = if row.protocol == "grpc" { row.target } else { b"" };
        for (side, message) in [row.request, row.response].into_iter().enumerate() {
            if let Some(message) = message {
                bits |= message.notes;
                if conn.retransmitted_to[side] > message.first.offset {
                    bits |= notes::RETRANSMITTED;
                }
                self.half(side, conn, message, method, &mut said[side], &mut bits);
            } else {
                self.no_half(side);
            }
        }
        let c = &mut self.exchanges;
        c.rows += 1;
        if row.revision == 0 {
            self.counters.add(Counter::Exchanges, 1);
            conn.exchanges += 1;
        }
        c.id.push(row.id);
        c.revision.push(row.revision);
        let first = row.request.or(row.response);
        // Of a stream whose beginning was not seen, only its messages are known.
        let time = first.map(|m| m.first.time).or(row.messages.and_then(|m| m.first)).unwrap_or_default();
        c.time.push(time);
        c.protocol.push(row.protocol);
        c.version.push(row.version);
        c.operation.push_nonempty(row.operation);
        self.redacted.clear();
        if row.target.is_empty() {
            c.target.push_null();
        } else if self.redactor.target(row.target, &mut self.redacted) {
            bits |= notes::REDACTED;
            c.target.push_text(&self.redacted);
        } else {
            c.target.push_text(row.target);
        }
        c.authority.push_nonempty(row.authority);
        c.status.push_option(row.status);
        c.status_text.push_nonempty(row.status_text);
        c.outcome.push(row.outcome.word());
        c.error.push_nonempty(row.error.as_bytes());

        // Clocks of capture buffers may disagree by a little: a duration is never negative.
        let between = |from: Nanos, to: Nanos| Some(to.saturating_sub(from).max(0));
        let streaming = bits & notes::STREAM != 0;
        let send = row.request.and_then(|q| between(q.first.time, q.last_time));
        let wait = row.request.zip(row.response).and_then(|(q, p)| between(q.last_time, p.first.time));
        let receive = row.response.filter(|_| row.ended).and_then(|p| between(p.first.time, p.last_time));
        let latency = row
            .request
            .zip(row.response)
            .filter(|_| streaming || row.ended)
            .and_then(|(q, p)| between(q.first.time, if streaming { p.first.time } else { p.last_time }));
        c.send.push_option(send);
        c.wait.push_option(wait);
        c.receive.push_option(receive);
        c.latency.push_option(latency);

        c.src_ip.push(conn.client.addr);
        c.src_port.push(conn.client.port);
        c.dst_ip.push(conn.server.addr);
        c.dst_port.push(conn.server.port);
        c.view.push(conn.view());
        c.connection.push(conn.id);
        c.stream.push_option(row.stream);
        let (trace, span) = row.request.and_then(|request| said[0].trace_ids(request)).unzip();
        c.trace_id.push_hex(trace);
        c.span_id.push_hex(span.flatten());
        c.messages_sent.push_option(row.messages.map(|m| m.sent));
        c.messages_received.push_option(row.messages.map(|m| m.received));
        c.first_message.push_option(row.messages.and_then(|m| m.first));
        c.last_message.push_option(row.messages.and_then(|m| m.last));
        if bits & notes::REDACTED != 0 {
            self.counters.add(Counter::Redacted, 1);
        }
        c.notes.push(bits);
        if self.config.heads {
            c.payload_id.push(row.id);
            c.reason.push_nonempty(row.reason);
            c.interim.push(row.interim);
        }
    }

    fn no_half(&mut self, side: usize) {
        let heads = self.config.heads;
        let c = &mut self.exchanges.half[side];
        c.head_bytes.push_option(None);
        c.body_bytes.push_option(None);
        c.content_bytes.push_option(None);
        c.content_type.push_null();
        c.seq.push_option(None);
        if heads {
            c.headers.end_row(false);
            c.trailers.end_row(false);
            c.body.push_null();
        }
    }

    fn half(&mut self, side: usize, conn: &Conn, message: &Message, method: &[u8], said: &mut Said, bits: &mut u32) {
        let heads = self.config.heads;
        let c = &mut self.exchanges.half[side];
        c.head_bytes.push(message.head_bytes);
        c.body_bytes.push(message.body.bytes);
        c.seq.push_option(conn.tcp.then(|| conn.seq_base[side].wrapping_add(message.first.offset as u32)));

        // One look at the whole text instead of one at each of its pieces.
        let ascii = message.text.is_ascii();
        for (headers, pairs) in [(&message.headers, &mut c.headers), (&message.trailers, &mut c.trailers)] {
            for header in headers {
                let (Some(name), Some(value)) = (header.name, header.value) else {
                    if heads {
                        match header.name {
                            Some(name) => pairs.names.push_text(message.span(name)),
                            None => pairs.names.push_null(),
                        }
                        pairs.values.push_null();
                    }
                    continue;
                };
                let (name_text, value_text) = (message.span(name), message.span(value));
                let class = self.classes.of(side, &message.text, name, &self.redactor);
                match class {
                    Class::Plain => {}
                    Class::Secret(kind) => {
                        self.redacted.clear();
                        if heads && self.redactor.header_value(kind, value_text, &mut self.redacted) {
                            said.redacted = true;
                            pairs.names.push_text(name_text);
                            pairs.values.push_text(&self.redacted);
                            continue;
                        }
                    }
                    Class::ContentType => said.content_type = said.content_type.or(Some(value)),
                    Class::ContentEncoding => said.content_encoding = said.content_encoding.or(Some(value)),
                    Class::TraceParent => said.trace = Some((class, value)),
                    Class::B3 | Class::B3TraceId => said.trace = said.trace.or(Some((class, value))),
                    Class::B3SpanId => said.span = Some(value),
                }
                if heads {
                    if ascii {
                        pairs.names.push_piece(&message.text, name.0 as usize, name.1 as usize);
                        pairs.values.push_piece(&message.text, value.0 as usize, value.1 as usize);
                    } else {
                        pairs.names.push_text(name_text);
                        pairs.values.push_text(value_text);
                    }
                }
            }
            if heads {
                pairs.end_row(!headers.is_empty());
            }
        }

        let media_type = said.content_type.map_or(&b""[..], |span| media_type(message.span(span)));
        if media_type.is_empty() {
            c.content_type.push_null();
        } else {
            c.content_type.push_lower(media_type);
        }
        if said.redacted {
            *bits |= notes::REDACTED;
        }
        self.body(side, message, said, (method, media_type), bits);
    }
}
