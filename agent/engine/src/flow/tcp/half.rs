//! One direction of a TCP connection: what was sent, in order (RFC 9293 section 3.4).

use std::collections::VecDeque;

use crate::stream::{Mark, View};

/// A segment that waits for what precedes it.
pub(super) struct Waiting {
    pub mark: Mark,
    pub data: Vec<u8>,
}

impl Waiting {
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.data.len()
    }
}

/// One direction of a connection.
#[derive(Default)]
pub(super) struct Half {
    /// Absolute sequence number at offset 0, once anything told it.
    pub base: Option<u32>,
    /// Stream offset up to which everything was delivered (or given up).
    pub next: u64,
    /// Offset behind the last byte, once FIN was seen.
    pub fin: Option<u64>,
    /// Whether the end was told to the dissector.
    pub ended: bool,
    /// How much of it the peer has acknowledged.
    pub acked: u64,
    /// Segments that can't be delivered yet, by ascending offset, not overlapping.
    pub waiting: VecDeque<Waiting>,
    /// What they take, small ones more for themselves than for their bytes.
    pub waiting_bytes: usize,
    /// Delivered bytes that the dissector did not consume, behind `rest_from`.
    rest: Vec<u8>,
    rest_from: usize,
    marks: Vec<Mark>,
    /// The newest acknowledgement sent in this direction, as an offset in the peer's stream.
    pub sent_ack: u64,
    pub bytes: u64,
    pub packets: u64,
}

impl Half {
    /// Where a sequence number is in the stream, relative to what is expected next (so wrap-around needs no care).
    pub fn offset_of(&self, seq: u32) -> i64 {
        let expected = self.base.unwrap_or(seq).wrapping_add(self.next as u32);
        self.next as i64 + i64::from(seq.wrapping_sub(expected) as i32)
    }

    /// Bytes that the dissector did not consume.
    pub fn rest(&self) -> View<'_> {
        let bytes = &self.rest[self.rest_from..];
        let offset = self.next - bytes.len() as u64;
        View { bytes, offset, marks: &self.marks }
    }

    pub fn has_rest(&self) -> bool {
        self.rest_from < self.rest.len()
    }

    /// Adds delivered bytes to the rest. `next` has been moved behind them already.
    pub fn keep(&mut self, bytes: &[u8], mark: Mark) {
        if self.rest_from > 0 && self.rest_from >= self.rest.len() / 2 {
            self.rest.drain(..self.rest_from);
            self.rest_from = 0;
        }
        if !self.has_rest() {
            self.marks.clear();
        }
        self.rest.extend_from_slice(bytes);
        self.marks.push(mark);
    }

    /// Forgets the first `n` bytes of the rest.
    pub fn consume(&mut self, n: usize) {
        self.rest_from += n;
        if self.rest_from >= self.rest.len() {
            self.clear_rest();
        } else if self.marks.len() > 1 {
            let offset = self.next - (self.rest.len() - self.rest_from) as u64;
            let first = self.marks.partition_point(|m| m.offset <= offset).max(1) - 1;
            self.marks.drain(..first);
        }
    }

    pub fn clear_rest(&mut self) {
        self.rest_from = 0;
        self.marks.clear();
        // A large buffer is not kept by an idle connection.
        if self.rest.capacity() > 4096 {
            self.rest = Vec::new();
        } else {
            self.rest.clear();
        }
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        self.waiting_bytes + self.rest.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// Keeps a segment until what precedes it is there; the first copy of a byte counts. Gives the number of new bytes.
    pub fn wait(&mut self, mut mark: Mark, mut data: &[u8]) -> usize {
        let mut at = self.waiting.partition_point(|w| w.mark.offset <= mark.offset);
        if at > 0 {
            let before = &self.waiting[at - 1];
            let end = before.mark.offset + before.data.len() as u64;
            if end > mark.offset {
                let overlap = ((end - mark.offset) as usize).min(data.len());
                data = &data[overlap..];
                mark.offset += overlap as u64;
            }
        }
        let mut new = 0;
        while !data.is_empty() {
            let room = match self.waiting.get(at) {
                Some(after) => ((after.mark.offset - mark.offset) as usize).min(data.len()),
                None => data.len(),
            };
            if room > 0 {
                let waiting = Waiting { mark, data: data[..room].to_vec() };
                self.waiting_bytes += waiting.held();
                self.waiting.insert(at, waiting);
                new += room;
                at += 1;
            }
            let Some(after) = self.waiting.get(at) else { break };
            let skip = (room + after.data.len()).min(data.len());
            data = &data[skip..];
            mark.offset += skip as u64;
            at += 1;
        }
        new
    }
}
