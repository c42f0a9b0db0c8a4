//! Messages of streams as rows.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{TimestampNanosecondType, UInt32Type, UInt64Type};

use super::body::is_coded;
use super::{Output, StreamMessage};
use crate::columns::{Bytes, Numbers, Uuids, Words};
use crate::conn::Conn;
use crate::counters::Counter;
use crate::message::notes;
use crate::stream::Side;

#[derive(Default)]
pub(super) struct MessageColumns {
    pub exchange: Uuids,
    pub index: Numbers<UInt32Type>,
    pub time: Numbers<TimestampNanosecondType>,
    pub direction: Words,
    pub kind: Words,
    pub name: Bytes,
    pub bytes: Numbers<UInt64Type>,
    pub content_bytes: Numbers<UInt64Type>,
    pub connection: Numbers<UInt64Type>,
    pub notes: Numbers<UInt32Type>,
    pub payload_exchange: Uuids,
    pub payload_index: Numbers<UInt32Type>,
    pub body: Bytes,
    pub rows: usize,
}

impl MessageColumns {
    /// Takes all rows: their columns, and those of their bodies.
    pub fn take(&mut self, heads: bool) -> (Vec<ArrayRef>, Option<Vec<ArrayRef>>) {
        self.rows = 0;
        let narrow = vec![
            self.exchange.take(),
            self.index.take(),
            self.time.take(),
            self.direction.take(),
            self.kind.take(),
            Arc::new(self.name.take_text()),
            self.bytes.take(),
            self.content_bytes.take(),
            self.connection.take(),
            self.notes.take(),
        ];
        let payload = heads.then(|| -> Vec<ArrayRef> {
            vec![self.payload_exchange.take(), self.payload_index.take(), Arc::new(self.body.take_binary())]
        });
        (narrow, payload)
    }
}

impl Output {
    /// Puts out a message of a stream.
    pub fn stream_message(&mut self, conn: &Conn, row: &StreamMessage<'_>) {
        let (mut content_bytes, mut body, mut bits) = (row.content_bytes, row.body, row.notes);
        if let (Some(coding), Some(raw), true) = (row.coding, row.body, row.bytes > 0) {
            if is_coded(coding) || coding.is_empty() {
                self.decoded.clear();
                let (limit, inflated) = (self.config.body_limit, self.config.limits.inflated);
                let whole = raw.len() as u64 == row.bytes;
                match self.content.decode(coding, raw, whole, limit, inflated, &mut self.decoded) {
                    Ok(decoded) => {
                        content_bytes = decoded.content_bytes;
                        body = Some(&self.decoded);
                    }
                    Err(_) => {
                        bits |= notes::UNDECODABLE;
                        self.counters.add(Counter::Undecodable, 1);
                        content_bytes = None;
                        // What can't be read can't be searched for secrets.
                        body = body.filter(|_| !self.redactor.is_enabled());
                    }
                }
            }
            self.redacted.clear();
            if let Some(bytes) = body {
                let changed = if row.method.is_empty() {
                    self.redactor.body(row.media_type, bytes, &mut self.redacted)
                } else {
                    self.redactor.grpc(row.method, row.side == Side::Client, bytes, &mut self.redacted)
                };
                if changed {
                    bits |= notes::REDACTED;
                    body = Some(&self.redacted);
                }
            }
        }
        let c = &mut self.messages;
        c.rows += 1;
        self.counters.add(Counter::Messages, 1);
        c.exchange.push(row.exchange);
        c.index.push(row.index);
        c.time.push(row.time);
        c.direction.push(match row.side {
            Side::Client => "sent",
            Side::Server => "received",
        });
        c.kind.push(row.kind);
        c.name.push_nonempty(row.name);
        c.bytes.push(row.bytes);
        c.content_bytes.push_option(content_bytes);
        c.connection.push(conn.id);
        c.notes.push(bits);
        if self.config.heads {
            c.payload_exchange.push(row.exchange);
            c.payload_index.push(row.index);
            match body {
                Some(body) if self.config.body_limit > 0 => c.body.push(body),
                _ => c.body.push_null(),
            }
        }
    }
}
