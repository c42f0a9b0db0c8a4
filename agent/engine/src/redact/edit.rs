//! A text that is copied with pieces of it replaced.

/// Copies nothing before the first replacement.
pub(super) struct Edit<'a> {
    pub text: &'a [u8],
    out: &'a mut Vec<u8>,
    /// Up to here the text is in `out`.
    copied: usize,
    changed: bool,
}

impl<'a> Edit<'a> {
    pub fn new(text: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self { text, out, copied: 0, changed: false }
    }

    /// Puts these pieces in the place of a range that lies behind all earlier ones.
    pub fn replace(&mut self, start: usize, end: usize, pieces: &[&[u8]]) {
        debug_assert!(self.copied <= start && start <= end);
        self.out.extend_from_slice(&self.text[self.copied..start]);
        for piece in pieces {
            self.out.extend_from_slice(piece);
        }
        self.copied = end;
        self.changed = true;
    }

    /// Copies what is left; whether anything was replaced.
    pub fn finish(self) -> bool {
        if self.changed {
            self.out.extend_from_slice(&self.text[self.copied..]);
        }
        self.changed
    }
}
