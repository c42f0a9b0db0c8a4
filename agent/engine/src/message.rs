//! One half of an exchange, a request or a response, while it is being read.

use crate::packet::Nanos;
use crate::stream::Mark;

/// Bits of the `notes` column; `tapper.model.words` names the same bits.
pub mod notes {
    /// Joined mid-stream: some of it may be unknown.
    pub const PARTIAL: u32 = 1 << 0;
    /// Bytes of it were lost.
    pub const GAP: u32 = 1 << 1;
    /// Some of its segments were sent more than once.
    pub const RETRANSMITTED: u32 = 1 << 2;
    /// A secret in it was replaced by a mark.
    pub const REDACTED: u32 = 1 << 3;
    /// Not the first exchange of its connection.
    pub const REUSED: u32 = 1 << 4;
    /// The request's body was cut at the limit.
    pub const REQUEST_CUT: u32 = 1 << 5;
    /// The response's body was cut at the limit.
    pub const RESPONSE_CUT: u32 = 1 << 6;
    /// A stream (SSE, WebSocket, gRPC streaming): latency ends at the first response byte.
    pub const STREAM: u32 = 1 << 7;
    /// A body could not be decoded from its content coding; it was left out.
    pub const UNDECODABLE: u32 = 1 << 8;
    /// Interim (1xx) responses came before the response.
    pub const INTERIM: u32 = 1 << 9;
    /// The request was never seen: lost, or sent before the capture began.
    pub const NO_REQUEST: u32 = 1 << 10;
    /// Sent before the response to an earlier request on the same connection.
    pub const PIPELINED: u32 = 1 << 11;
    /// Something in it breaks its protocol's rules.
    pub const MALFORMED: u32 = 1 << 12;
    /// A probe of a health checker.
    pub const HEALTH: u32 = 1 << 13;
    /// gRPC server reflection.
    pub const REFLECTION: u32 = 1 << 14;
    /// Headers were left out: more than the limit.
    pub const HEADERS_CUT: u32 = 1 << 15;
    /// The bytes were switched to another protocol (Upgrade, CONNECT).
    pub const UPGRADED: u32 = 1 << 16;
}

/// A header or trailer: its name and value in the text of its [`Message`]; no value: unknown (an HPACK entry that was
/// never seen), no name: unknown too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Start and end of the name in the text.
    pub name: Option<(u32, u32)>,
    /// Start and end of the value in the text.
    pub value: Option<(u32, u32)>,
}

/// The bytes of a body: captured up to the limit, counted beyond.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// What was kept, transfer coding removed, content coding not.
    pub data: Vec<u8>,
    /// Its whole length on the wire, transfer coding removed.
    pub bytes: u64,
    /// Bytes of it lost in gaps, at least; `data` ends at the first hole.
    pub lost: u64,
    /// It went out as messages: `data` is not to be kept with the exchange.
    pub withheld: bool,
    /// `data` is not what was on the wire but how that is shown; whether it was cut is noted of the message.
    pub shown: bool,
}

impl Body {
    /// Takes more of the body, keeping at most `limit` bytes in all.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], limit: usize) {
        self.bytes += bytes.len() as u64;
        if self.lost == 0 {
            let room = limit.saturating_sub(self.data.len());
            self.data.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Counts bytes that were lost.
    pub fn gap(&mut self, len: u64) {
        self.bytes += len;
        self.lost += len;
    }

    /// Marks that more was lost here, nobody knows how much.
    pub fn hole(&mut self) {
        self.lost = self.lost.max(1);
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.lost == 0 && self.data.len() as u64 == self.bytes
    }
}

/// A request or a response. Buffers are reused: take one from [`crate::output::Output::message`], give it back after.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Where its first byte was.
    pub first: Mark,
    /// Stream offset behind its last byte.
    pub end_offset: u64,
    /// When its last byte was captured.
    pub last_time: Nanos,
    /// The text that the headers point into.
    pub text: Vec<u8>,
    /// Headers in the order sent.
    pub headers: Vec<Header>,
    /// Trailers in the order sent.
    pub trailers: Vec<Header>,
    /// Body.
    pub body: Body,
    /// The body's coding, in the text, where it is not for Content-Encoding to say; empty: coded in an unknown way.
    pub coding: Option<(u32, u32)>,
    /// Bytes of its head on the wire.
    pub head_bytes: u32,
    /// See [`notes`].
    pub notes: u32,
}

impl Message {
    /// Makes it empty, keeping its buffers.
    pub fn clear(&mut self) {
        self.first = Mark::default();
        self.end_offset = 0;
        self.last_time = 0;
        self.text.clear();
        self.headers.clear();
        self.trailers.clear();
        self.body.data.clear();
        self.body.bytes = 0;
        self.body.lost = 0;
        self.body.withheld = false;
        self.body.shown = false;
        self.coding = None;
        self.head_bytes = 0;
        self.notes = 0;
    }

    /// Bytes of memory that it takes.
    #[inline]
    pub fn held(&self) -> usize {
        let headers = (self.headers.capacity() + self.trailers.capacity()) * size_of::<Header>();
        size_of::<Self>() + self.text.capacity() + self.body.data.capacity() + headers
    }

    /// The bytes of a span of the text.
    #[inline]
    pub fn span(&self, (start, end): (u32, u32)) -> &[u8] {
        &self.text[start as usize..end as usize]
    }

    /// Adds text and gives its span.
    #[inline]
    pub fn push_text(&mut self, bytes: &[u8]) -> (u32, u32) {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(bytes);
        (start, self.text.len() as u32)
    }

    /// Adds a header whose name and value are copied into the text.
    pub fn push_header(&mut self, name: &[u8], value: &[u8]) {
        let name = self.push_text(name);
        let value = self.push_text(value);
        self.headers.push(Header { name: Some(name), value: Some(value) });
    }

    /// The value of the first header of that name (given in lower case).
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find_map(|h| match (h.name, h.value) {
            (Some(n), Some(v)) if self.span(n).eq_ignore_ascii_case(name.as_bytes()) => Some(self.span(v)),
            _ => None,
        })
    }
}
