//! The two byte streams of a connection: whose bytes, where in the stream, which segment brought them, what is lost.

use crate::packet::Nanos;

/// Which end of the connection sent the bytes. The client opened it, or, unknown, sent the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Sender of requests.
    Client = 0,
    /// Sender of responses.
    Server = 1,
}

impl Side {
    /// The other end.
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Where a segment's payload begins in its direction's stream, and what came with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Stream offset: bytes since the first that this direction was seen at, lost ones counted.
    pub offset: u64,
    /// When the segment was captured.
    pub time: Nanos,
    /// How much of the *peer's* stream the segment acknowledges, as an offset in that stream: the evidence for
    /// pairing. A response acknowledges the request that it answers.
    pub ack: u64,
}

/// The contiguous bytes of one direction that its dissector has not consumed yet.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Stream offset of `bytes[0]`.
    pub offset: u64,
    /// The segments that the bytes came in, by ascending offset; the first begins at or before `offset`.
    pub marks: &'a [Mark],
}

impl<'a> View<'a> {
    /// The segment that holds `bytes[at]`, with the offset set to that of `bytes[at]` itself. `at` may be
    /// `bytes.len()`: then the last segment.
    pub fn mark(&self, at: usize) -> Mark {
        let offset = self.offset + at as u64;
        Mark { offset, ..self.marks[self.segment(offset)] }
    }

    /// The segment that holds the byte at a stream offset.
    #[inline]
    fn segment(&self, offset: u64) -> usize {
        // Mostly there is but one.
        if self.marks.len() == 1 { 0 } else { self.marks.partition_point(|m| m.offset <= offset).max(1) - 1 }
    }

    /// Whether a segment's payload begins at `bytes[at]`.
    pub fn starts_segment(&self, at: usize) -> bool {
        let offset = self.offset + at as u64;
        self.marks.binary_search_by_key(&offset, |m| m.offset).is_ok()
    }

    /// What is left behind the first `n` bytes.
    pub fn skip(&self, n: usize) -> View<'a> {
        let offset = self.offset + n as u64;
        View { bytes: &self.bytes[n..], offset, marks: &self.marks[self.segment(offset)..] }
    }
}

/// A piece of one direction that was never captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Stream offset of the first lost byte.
    pub offset: u64,
    /// How many bytes are lost.
    pub len: u64,
    /// When the loss became certain.
    pub time: Nanos,
    /// Whether the segment was captured at this time and only its bytes were cut off by the snap length.
    pub cut: bool,
}
