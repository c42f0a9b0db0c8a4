//! The messages of a gRPC call. Of a unary call they are the bodies; once a second one shows that it is a stream of
//! them, each becomes a record of its own.

use super::grpc::{Event, Kind};
use super::stream::Stream;
use crate::message::notes;
use crate::output::StreamMessage;
use crate::packet::Nanos;
use crate::protocol::Context;
use crate::stream::{Side, View};

impl Stream {
    pub(super) fn grpc_data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) {
        let limit = cx.out.config.body_limit;
        let mut data = view.bytes;
        while let Some(event) = self.reading[side as usize].deframer.next(&mut data) {
            match event {
                Event::Begin(compressed) => self.begin(side, compressed, cx),
                Event::Bytes(bytes) => {
                    self.reading[side as usize].size += bytes.len() as u64;
                    if let Some(message) = self.message(side) {
                        message.body.push(bytes, limit);
                    }
                }
                Event::End => {
                    let at = view.bytes.len() - data.len();
                    self.end(side, view.mark(at.max(1) - 1).time, cx);
                }
                Event::NoPrefix if self.kind == Kind::Perhaps => {
                    self.kind = Kind::Plain;
                    let prefix = *self.reading[side as usize].deframer.last_prefix();
                    if let Some(message) = self.message(side) {
                        message.body.push(&prefix, limit);
                        message.body.push(data, limit);
                    }
                    return;
                }
                Event::Stray(bytes) if self.kind == Kind::Perhaps => {
                    self.kind = Kind::Plain;
                    if let Some(message) = self.message(side) {
                        message.body.push(bytes, limit);
                    }
                    return;
                }
                Event::NoPrefix => {
                    let lost = self.lost[side as usize];
                    if let Some(message) = self.message(side) {
                        message.notes |= if lost { notes::GAP } else { notes::MALFORMED };
                        message.body.hole();
                    }
                }
                Event::Stray(bytes) => {
                    if let Some(message) = self.message(side) {
                        message.body.gap(bytes.len() as u64);
                    }
                }
            }
        }
    }

    fn begin(&mut self, side: Side, compressed: bool, cx: &mut Context<'_>) {
        self.kind = Kind::Grpc;
        let count = if side == Side::Client { self.counts.sent } else { self.counts.received };
        if count > 0 && !self.streaming {
            self.start_streaming(cx);
        }
        let (streaming, reading) = (self.streaming, &mut self.reading[side as usize]);
        reading.size = 0;
        reading.compressed = compressed;
        reading.notes = 0;
        let encoding = reading.encoding;
        if let Some(message) = self.message(side) {
            if streaming {
                message.body.data.clear();
                message.body.lost = 0;
            }
            if compressed {
                message.coding = encoding.or(Some((0, 0)));
            }
        }
    }

    fn end(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        match side {
            Side::Client => self.counts.sent += 1,
            Side::Server => self.counts.received += 1,
        }
        self.counts.first.get_or_insert(time);
        self.counts.last = Some(time);
        if self.streaming {
            self.put_message(side, time, cx);
        } else {
            self.reading[side as usize].only = Some(time);
        }
    }

    /// There is more than one message: those that were kept back as bodies become records.
    fn start_streaming(&mut self, cx: &mut Context<'_>) {
        self.streaming = true;
        self.notes |= notes::STREAM;
        let mut first = [Side::Client, Side::Server].map(|side| (self.reading[side as usize].only.take(), side));
        first.sort_by_key(|(time, _)| *time);
        for (time, side) in first {
            if let Some(time) = time {
                self.put_message(side, time, cx);
            }
            if let Some(message) = self.message(side) {
                message.body.withheld = true;
            }
        }
    }

    fn put_message(&mut self, side: Side, time: Nanos, cx: &mut Context<'_>) {
        let reading = &self.reading[side as usize];
        let Some(message) = (match side {
            Side::Client => &self.request,
            Side::Server => &self.response,
        }) else {
            return;
        };
        let coding = match reading.encoding {
            _ if !reading.compressed => b"identity",
            Some(span) => message.span(span),
            None => b"",
        };
        cx.out.stream_message(
            cx.conn,
            &StreamMessage {
                exchange: self.exchange,
                index: self.index,
                time,
                side,
                kind: "message",
                name: b"",
                bytes: reading.size,
                content_bytes: Some(reading.size),
                coding: Some(coding),
                media_type: b"application/grpc",
                method: self.request.as_ref().map_or(b"", |request| request.span(self.target)),
                body: Some(&message.body.data),
                // What was lost before the first message costs its bytes too.
                notes: reading.notes | if message.body.lost > 0 { notes::GAP } else { 0 },
            },
        );
        self.index += 1;
    }
}
