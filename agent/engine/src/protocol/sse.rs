//! Server-sent events: the messages of a `text/event-stream` body
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>).

use crate::conn::Conn;
use crate::output::{Messages, Output, StreamMessage};
use crate::packet::Nanos;
use crate::stream::Side;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event<'a> {
    /// Its type; empty: the default, `message`.
    pub name: &'a [u8],
    /// Its data lines, joined by line feeds.
    pub data: &'a [u8],
    /// Its bytes on the wire.
    pub bytes: u64,
}

/// Reads a stream of events from any pieces of it.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    bytes: u64,
    after_cr: bool,
    begun: bool,
}

impl Events {
    /// Takes a piece of the body, captured at `time`; each event that ends in it becomes a message of the exchange.
    pub fn put(
        &mut self,
        piece: &[u8],
        time: Nanos,
        exchange: [u8; 16],
        counts: &mut Messages,
        conn: &Conn,
        out: &mut Output,
    ) {
        self.read(piece, out.config.body_limit, |event| {
            out.stream_message(
                conn,
                &StreamMessage {
                    exchange,
                    index: counts.received,
                    time,
                    side: Side::Server,
                    kind: "event",
                    name: event.name,
                    bytes: event.bytes,
                    content_bytes: None,
                    coding: Some(b"identity"),
                    media_type: b"application/json",
                    method: b"",
                    body: Some(event.data),
                    notes: 0,
                },
            );
            counts.received += 1;
            counts.first.get_or_insert(time);
            counts.last = Some(time);
        });
    }

    /// Takes a piece of the body; each event that ends in it goes to `event`. At most `limit` bytes of a line or of an
    /// event's data are kept.
    fn read(&mut self, piece: &[u8], limit: usize, mut event: impl FnMut(Event<'_>)) {
        let mut rest = piece;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                self.bytes += 1;
                rest = &rest[1..];
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let part = &rest[..end.unwrap_or(rest.len())];
            let room = limit.max(256).saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            self.bytes += part.len() as u64;
            let Some(end) = end else { return };
            self.bytes += 1;
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            self.end_line(limit, &mut event);
        }
    }

    fn end_line(&mut self, limit: usize, event: &mut impl FnMut(Event<'_>)) {
        if !std::mem::replace(&mut self.begun, true) && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3); // a byte order mark
        }
        if self.line.is_empty() {
            if self.has_data {
                event(Event { name: &self.name, data: &self.data, bytes: self.bytes });
            }
            self.clear();
            return;
        }
        let colon = memchr::memchr(b':', &self.line).unwrap_or(self.line.len());
        let value = self.line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &self.line[..colon] {
            b"event" => self.name = value.to_vec(),
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                let room = limit.saturating_sub(self.data.len());
                self.data.extend_from_slice(&value[..value.len().min(room)]);
            }
            _ => {}
        }
        self.line.clear();
    }

    /// Forgets a half-read event: bytes of it are lost.
    pub fn clear(&mut self) {
        self.line.clear();
        self.name.clear();
        self.data.clear();
        self.has_data = false;
        self.bytes = 0;
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        self.line.capacity() + self.name.capacity() + self.data.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut events = Events::default();
        for piece in pieces {
            events.read(piece, 1024, |e| {
                found
                    .push((String::from_utf8_lossy(e.name).into_owned(), String::from_utf8_lossy(e.data).into_owned()));
            });
        }
        found
    }

    #[test]
    fn events_end_at_an_empty_line() {
        let stream = b": hello\n\nevent: price\ndata: 1\ndata: 2\nid: 7\n\ndata:3\r\n\r\ndata: unfinished\n";
        let expected = [("price".to_string(), "1\n2".to_string()), (String::new(), "3".to_string())];
        assert_eq!(events(&[stream]), expected);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(events(&bytes), expected);
    }
}
