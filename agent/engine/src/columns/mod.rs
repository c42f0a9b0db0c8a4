//! Column builders: the buffers that become Arrow arrays.
//!
//! They are plain vectors, appended to in the hot path and handed to Arrow whole. `tapper.model.schema` in Python says
//! what the columns mean; a test holds the two against each other.

mod bytes;
mod lists;
mod numbers;
pub mod types;
mod words;

pub use bytes::Bytes;
pub use lists::{IntLists, Pairs};
pub use numbers::{Numbers, Uuids};
pub use words::{Addrs, Words};

use arrow_array::builder::BooleanBufferBuilder;
use arrow_buffer::NullBuffer;

/// Which rows are null, as runs: most columns have no null at all, or nothing but nulls.
struct Validity {
    /// All runs but the last.
    bits: Option<BooleanBufferBuilder>,
    run: usize,
    valid: bool,
}

impl Default for Validity {
    fn default() -> Self {
        Self { bits: None, run: 0, valid: true }
    }
}

impl Validity {
    #[inline(always)]
    fn push(&mut self, valid: bool) {
        if valid != self.valid {
            self.end_run();
        }
        self.run += 1;
    }

    #[inline(never)]
    fn end_run(&mut self) {
        if self.run > 0 {
            self.bits.get_or_insert_with(|| BooleanBufferBuilder::new(1024)).append_n(self.run, self.valid);
        }
        self.valid = !self.valid;
        self.run = 0;
    }

    fn take(&mut self) -> Option<NullBuffer> {
        if self.bits.is_some() || !self.valid {
            self.end_run();
        }
        let Self { bits, .. } = std::mem::take(self);
        bits.map(|mut bits| NullBuffer::new(bits.finish()))
    }
}
