//! From bytes to values: those that are here in one piece, those in pieces, inline commands.

use super::half::IDLE;
use super::record::Reply;
use super::{Redis, command, inline};
use crate::message::notes;
use crate::protocol::Context;
use crate::stream::{Mark, Side, View};

impl Redis {
    /// A value ends `n` bytes behind `done`.
    pub(super) fn whole(&mut self, side: Side, view: View<'_>, done: usize, n: usize, cx: &mut Context<'_>) {
        let last = view.mark(done + n - 1);
        let end = Mark { offset: view.offset + (done + n) as u64, time: last.time, ack: last.ack };
        let half = &mut self.halves[side as usize];
        let piece = &view.bytes[done..done + n];
        if half.size == 0 {
            // The usual case: it is here in one piece.
            let first = half.begin.take().unwrap_or(last);
            half.whole_to = end.offset;
            self.value(side, piece, first, end, n as u64, 0, cx);
        } else {
            let limit = cx.out.config.body_limit;
            half.keep(piece, limit);
            self.finish(side, end, cx);
        }
    }

    /// A value that came in pieces ends.
    pub(super) fn finish(&mut self, side: Side, end: Mark, cx: &mut Context<'_>) {
        let half = &mut self.halves[side as usize];
        half.whole_to = end.offset;
        let mut raw = std::mem::take(&mut half.raw);
        let (size, bits) = (half.size, if half.has_hole { notes::GAP } else { 0 });
        let first = half.begin.unwrap_or(end);
        half.clear();
        self.value(side, &raw, first, end, size, bits, cx);
        if raw.capacity() <= IDLE {
            raw.clear();
            self.halves[side as usize].raw = raw;
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a value and where it was")]
    fn value(&mut self, side: Side, raw: &[u8], first: Mark, end: Mark, size: u64, notes: u32, cx: &mut Context<'_>) {
        match side {
            Side::Client => self.asked(raw, first, end, size, notes, cx),
            Side::Server => {
                let reply = Reply { first, last_time: end.time, end: end.offset, size, raw, ended: true, notes };
                self.replied(&reply, cx);
            }
        }
    }

    /// An inline command; gives its bytes, none if it is not whole.
    pub(super) fn inline(&mut self, view: View<'_>, done: usize, cx: &mut Context<'_>) -> Result<usize, ()> {
        let bytes = &view.bytes[done..];
        let line_end = memchr::memchr(b'\n', bytes);
        let line = &bytes[..line_end.unwrap_or(bytes.len())];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().any(|&byte| byte < b' ' && byte != b'\t') || !line.first().is_none_or(u8::is_ascii_alphabetic) {
            return Err(());
        }
        let Some(line_end) = line_end else { return Ok(0) };
        let words = inline::words(line).ok_or(())?;
        let n = line_end + 1;
        let last = view.mark(done + line_end);
        let end = Mark { offset: view.offset + (done + n) as u64, time: last.time, ack: last.ack };
        let half = &mut self.halves[0];
        let first = half.begin.take().unwrap_or(last);
        half.whole_to = end.offset;
        if let Some(name) = words.first() {
            if !command::is_name(name) {
                return Err(());
            }
            let mut raw = Vec::new();
            inline::write_command(&mut raw, &words);
            self.asked(&raw, first, end, n as u64, 0, cx);
        }
        Ok(n)
    }
}
