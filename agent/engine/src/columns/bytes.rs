//! Columns of text and of bytes.

use arrow_array::{BinaryArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::Validity;

/// Data of a batch that are kept for the batch after the next, or reserved for the next, at most: one giant batch must
/// not pin its memory.
const KEPT: usize = 16 << 20;

/// As many bytes are copied at once, whatever the length of a short piece is: without a call, and without a branch on
/// it.
const BLOCK: usize = 32;

/// Appends the bytes from `start` to `end` of others.
#[inline]
fn append_piece(to: &mut Vec<u8>, bytes: &[u8], start: usize, end: usize) {
    match bytes.get(start..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        Some(block) if end - start <= BLOCK => {
            let len = to.len() + (end - start);
            to.extend_from_slice(block);
            to.truncate(len);
        }
        _ => to.extend_from_slice(&bytes[start..end]),
    }
}

/// A column of byte strings: text (kept valid UTF-8) or binary.
pub struct Bytes {
    offsets: Vec<i32>,
    data: Vec<u8>,
    validity: Validity,
    /// The data of the batch before: written again once nobody has it any more, as fresh memory costs more than the
    /// bytes that are put there.
    lent: Option<Buffer>,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new(), validity: Validity::default(), lent: None }
    }
}

impl Bytes {
    #[inline]
    fn end_row(&mut self, valid: bool) {
        self.validity.push(valid);
        self.offsets.push(self.data.len() as i32);
    }

    /// Appends bytes as they are: for binary columns.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.end_row(true);
    }

    /// Appends the bytes from `start` to `end` of others: for pieces that mostly are short.
    #[inline]
    pub fn push_piece(&mut self, bytes: &[u8], start: usize, end: usize) {
        append_piece(&mut self.data, bytes, start, end);
        self.end_row(true);
    }

    /// Appends text.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// Appends bytes as text: what is not UTF-8 is read as Latin-1, so that no byte is lost.
    #[inline]
    pub fn push_text(&mut self, bytes: &[u8]) {
        // Most text is ASCII, which is told sooner than UTF-8.
        if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
            self.data.extend_from_slice(bytes);
        } else {
            for &byte in bytes {
                self.data.extend_from_slice((byte as char).encode_utf8(&mut [0; 2]).as_bytes());
            }
        }
        self.end_row(true);
    }

    /// Appends text in lower case.
    pub fn push_lower(&mut self, bytes: &[u8]) {
        let from = self.data.len();
        // What comes once mostly comes again, and then what was made of it is here already.
        let before = self.offsets.len().checked_sub(2).map_or(from, |at| self.offsets[at] as usize);
        if self.data[before..] == *bytes {
            self.data.extend_from_within(before..);
            self.end_row(true);
            return;
        }
        self.push_text(bytes);
        self.data[from..].make_ascii_lowercase();
    }

    /// Appends hexadecimal digits in lower case, or null.
    #[inline]
    pub fn push_hex(&mut self, digits: Option<&[u8]>) {
        if let Some(digits) = digits {
            debug_assert!(digits.iter().all(u8::is_ascii_hexdigit));
            // Of digits and small letters the bit is set.
            self.data.extend(digits.iter().map(|digit| digit | 0x20));
        }
        self.end_row(digits.is_some());
    }

    /// Appends null.
    #[inline]
    pub fn push_null(&mut self) {
        self.end_row(false);
    }

    /// Appends text, or null if it is empty.
    #[inline]
    pub fn push_nonempty(&mut self, bytes: &[u8]) {
        if bytes.is_empty() { self.push_null() } else { self.push_text(bytes) }
    }

    pub(super) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Bytes of data so far.
    pub fn len_bytes(&self) -> usize {
        self.data.len()
    }

    fn parts(&mut self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let offsets = std::mem::replace(&mut self.offsets, offsets);
        let back = self.lent.take().and_then(|buffer| buffer.into_vec::<u8>().ok());
        let mut empty = back.unwrap_or_else(|| Vec::with_capacity(self.data.len().min(KEPT)));
        empty.clear();
        let data = Buffer::from_vec(std::mem::replace(&mut self.data, empty));
        self.lent = (data.capacity() <= KEPT).then(|| data.clone());
        // SAFETY: they ascend from 0, as the data only grow.
        let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets)) };
        (offsets, data, self.validity.take())
    }

    /// Takes it as a text column.
    pub fn take_text(&mut self) -> StringArray {
        let (offsets, data, nulls) = self.parts();
        // SAFETY: every way to append text keeps it valid UTF-8 and every offset is the end of such text; offsets
        // ascend. Checking again would cost as much as writing it did.
        unsafe { StringArray::new_unchecked(offsets, data, nulls) }
    }

    /// Takes it as a binary column.
    pub fn take_binary(&mut self) -> BinaryArray {
        let (offsets, data, nulls) = self.parts();
        // SAFETY: offsets ascend and end at the length of the data.
        unsafe { BinaryArray::new_unchecked(offsets, data, nulls) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_piece_is_appended_whatever_its_length_and_place(
            text in proptest::collection::vec(any::<u8>(), 0..100),
            cuts in proptest::collection::vec((0..100usize, 0..100usize), 0..8),
        ) {
            let (mut made, mut expected) = (Vec::new(), Vec::new());
            for (one, other) in cuts {
                let (one, other) = (one.min(text.len()), other.min(text.len()));
                let (start, end) = (one.min(other), one.max(other));
                append_piece(&mut made, &text, start, end);
                expected.extend_from_slice(&text[start..end]);
                prop_assert_eq!(&made, &expected);
            }
        }
    }
}
