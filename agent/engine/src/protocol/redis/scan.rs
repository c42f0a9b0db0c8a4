//! Where a value ends, however it comes.

use super::resp::{Head, Read, head};

/// Aggregates of unknown length inside each other.
const MAX_STREAMED: usize = 32;

/// What came of reading on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// The value ends behind so many bytes.
    Done(usize),
    /// It goes on behind so many bytes.
    More(usize),
    /// The byte behind so many can't belong to it.
    Bad(usize),
}

/// Where in a value the reader is. Values inside each other need no memory, they are only counted.
#[derive(Default)]
pub(super) struct Scan {
    begun: bool,
    /// Values that are still to come.
    pending: u64,
    /// Bytes of a string and its CRLF that are still to come.
    string: u64,
    /// The string is a chunk.
    chunked: bool,
    /// What is pending around aggregates of unknown length.
    around: Vec<u64>,
}

impl Scan {
    /// Reads on. A command is an array of strings.
    pub fn feed(&mut self, bytes: &[u8], command: bool) -> Fed {
        let mut at = 0;
        if !self.begun {
            *self = Self { begun: true, pending: 1, ..Self::default() };
        }
        loop {
            if self.string > 0 {
                let n = self.string.min((bytes.len() - at) as u64) as usize;
                // The last two bytes are CRLF.
                for (left, end) in [(2, b'\r'), (1, b'\n')] {
                    let Some(place) = (self.string as usize).checked_sub(left).filter(|&place| place < n) else {
                        continue;
                    };
                    if bytes[at + place] != end {
                        return Fed::Bad(at + place);
                    }
                }
                at += n;
                self.string -= n as u64;
                if self.string > 0 {
                    return Fed::More(at);
                }
                self.string_ended();
            }
            if self.is_done() {
                self.begun = false;
                return Fed::Done(at);
            }
            let (head, size) = match head(&bytes[at..]) {
                Read::Is(head, size) => (head, size),
                Read::More => return Fed::More(at),
                Read::Bad => return Fed::Bad(at),
            };
            if !self.take(head, command) {
                return Fed::Bad(at);
            }
            at += size;
        }
    }

    /// Takes a head; says whether it may stand here.
    #[inline]
    fn take(&mut self, head: Head<'_>, command: bool) -> bool {
        if command && !matches!(head, Head::Open(b'*', Some(_)) | Head::String(b'$', _)) {
            return false;
        }
        if self.chunked && !matches!(head, Head::String(b';', _) | Head::LastChunk) {
            return false;
        }
        match head {
            Head::Line(..) | Head::Null => self.value(),
            Head::String(b';', size) => {
                if !self.chunked {
                    return false;
                }
                self.string = size + 2;
                true
            }
            Head::String(_, size) => {
                self.string = size + 2;
                self.pending > 0
            }
            Head::OpenString => {
                self.chunked = true;
                self.pending > 0
            }
            Head::LastChunk => std::mem::take(&mut self.chunked) && self.value(),
            Head::Open(b'|', Some(count)) => {
                self.pending = self.pending.saturating_add(2 * count);
                true
            }
            Head::Open(kind, Some(count)) => {
                let fits = self.value();
                self.pending = self.pending.saturating_add(count * if kind == b'%' { 2 } else { 1 });
                fits
            }
            Head::Open(_, None) => {
                let fits = self.value() && self.around.len() < MAX_STREAMED;
                self.around.push(self.pending);
                self.pending = u64::MAX;
                fits
            }
            Head::Close => match self.around.pop() {
                Some(pending) => {
                    self.pending = pending;
                    true
                }
                None => false,
            },
        }
    }

    fn value(&mut self) -> bool {
        if self.pending == 0 {
            return false;
        }
        if self.pending < u64::MAX {
            self.pending -= 1;
        }
        true
    }

    fn string_ended(&mut self) {
        if !self.chunked {
            self.value();
        }
    }

    fn is_done(&self) -> bool {
        self.pending == 0 && self.around.is_empty() && !self.chunked
    }

    /// Passes over lost bytes, if they are of a string only. Says whether the value ended with them.
    pub fn skip(&mut self, len: u64) -> Option<bool> {
        if !self.begun || len == 0 || len > self.string {
            return None;
        }
        self.string -= len;
        if self.string > 0 {
            return Some(false);
        }
        self.string_ended();
        let done = self.is_done();
        self.begun = !done;
        Some(done)
    }

    /// Forgets the value.
    pub fn reset(&mut self) {
        self.begun = false;
        self.around = Vec::new();
    }

    /// Whether it is inside a value.
    pub fn is_inside(&self) -> bool {
        self.begun
    }
}
