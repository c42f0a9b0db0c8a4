//! One direction of a connection: the value that is being read.

use super::scan::Scan;
use crate::stream::Mark;

/// Bytes of a value that are kept beyond what of its text is, for the lengths in between.
const FRAMING: usize = 1024;
/// Room of a buffer that an idle connection may keep.
pub(super) const IDLE: usize = 1024;

/// One direction.
#[derive(Default)]
pub(super) struct Half {
    pub scan: Scan,
    /// What is kept of a value that came in pieces.
    pub raw: Vec<u8>,
    /// Bytes of the value that were taken already.
    pub size: u64,
    /// Where the value began.
    pub begin: Option<Mark>,
    /// Looking for the beginning of a value.
    pub is_lost: bool,
    /// Bytes of the value were lost.
    pub has_hole: bool,
    /// Stream offset behind the last whole value.
    pub whole_to: u64,
}

impl Half {
    /// Keeps a piece of a value.
    pub fn keep(&mut self, piece: &[u8], limit: usize) {
        self.size += piece.len() as u64;
        if !self.has_hole {
            let room = (limit + FRAMING).saturating_sub(self.raw.len());
            self.raw.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    /// Forgets the value.
    pub fn clear(&mut self) {
        self.scan.reset();
        self.raw.clear();
        if self.raw.capacity() > IDLE {
            self.raw = Vec::new();
        }
        self.size = 0;
        self.begin = None;
        self.has_hole = false;
    }
}
