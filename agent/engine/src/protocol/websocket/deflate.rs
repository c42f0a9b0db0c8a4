//! permessage-deflate (RFC 7692): what was agreed upon, and undoing it in pieces.

use flate2::{Decompress, FlushDecompress, Status};

/// Bytes that an inflater holds: its window and tables.
pub(super) const INFLATER: usize = 48 << 10;
/// What every message ends with and none carries (section 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What is reckoned with where that was not seen: a message that refers to none before is undone alike.
pub(super) const UNKNOWN: [bool; 2] = [true; 2];

/// Whether each side may go on from the message before ("context takeover"), by [`crate::protocol::Side`]; `None`:
/// messages are not compressed.
pub(super) fn agreed(extensions: &[u8]) -> Option<[bool; 2]> {
    let chosen = extensions.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    for extension in chosen {
        let mut parts = extension.split(|&b| b == b';').map(<[u8]>::trim_ascii);
        if parts.next().is_some_and(|name| name.eq_ignore_ascii_case(b"permessage-deflate")) {
            let mut takeover = [true; 2];
            for parameter in parts {
                if parameter.eq_ignore_ascii_case(b"client_no_context_takeover") {
                    takeover[0] = false;
                } else if parameter.eq_ignore_ascii_case(b"server_no_context_takeover") {
                    takeover[1] = false;
                }
            }
            return Some(takeover);
        }
    }
    None
}

/// What a compressed message may refer to is this many bytes back at most (RFC 1951 section 2).
const WINDOW: usize = 32 << 10;
/// An empty block, the last one (RFC 1951 section 3.2.4).
const LAST: [u8; 5] = [1, 0, 0, 0xff, 0xff];
/// Bytes that a message which is only looked at may become: one that becomes more is not taken for one.
const LOOKED_AT: u64 = 256 << 10;

/// Whether these bytes are a compressed message, whatever it refers to: blocks that end where it does.
pub(super) fn is_message(raw: &[u8]) -> bool {
    let mut before = vec![0; 5 + WINDOW];
    before[..5].copy_from_slice(&[0, 0, 0x80, 0xff, 0x7f]); // a stored block: something stands in the window
    let mut inflate = Decompress::new(false);
    let mut chunk = [0; 4096];
    for mut piece in [&before, raw, &TAIL, &LAST] {
        loop {
            let start = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(piece, &mut chunk, FlushDecompress::Sync);
            piece = &piece[(inflate.total_in() - start.0) as usize..];
            let made = (inflate.total_out() - start.1) as usize;
            match status {
                Ok(Status::StreamEnd) => return inflate.total_in() == (before.len() + raw.len() + 9) as u64,
                Ok(_) if inflate.total_out() <= WINDOW as u64 + LOOKED_AT => {}
                _ => return false,
            }
            if piece.is_empty() && made < chunk.len() {
                break;
            }
        }
    }
    false
}

/// Undoes the compression of one direction. After a loss it begins anew: a message that refers to what was lost is an
/// error then, never a wrong text.
#[derive(Default)]
pub(super) struct Inflater {
    inflate: Option<Box<Decompress>>,
    /// This message can't be undone.
    failed: bool,
    /// Bytes that this message has become.
    pub bytes: u64,
}

impl Inflater {
    /// A message begins.
    pub fn begin(&mut self, takeover: bool) {
        if !takeover {
            self.forget();
        }
        self.failed = false;
        self.bytes = 0;
    }

    /// What came before is not known any more.
    pub fn forget(&mut self) {
        if let Some(inflate) = &mut self.inflate {
            inflate.reset(false);
        }
    }

    /// This message has a hole.
    pub fn fail(&mut self) {
        self.failed = true;
        self.forget();
    }

    /// Whether all of the message was understood.
    pub fn is_good(&self) -> bool {
        !self.failed
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        if self.inflate.is_some() { INFLATER } else { 0 }
    }

    /// Takes a piece of a message; keeps what it becomes up to `limit` bytes in all, and counts up to `most`.
    pub fn piece(&mut self, mut raw: &[u8], out: &mut Vec<u8>, limit: usize, most: u64) {
        if self.failed {
            return;
        }
        let inflate = self.inflate.get_or_insert_with(|| Box::new(Decompress::new(false)));
        let mut chunk = [0; 4096];
        loop {
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(raw, &mut chunk, FlushDecompress::Sync);
            let used = (inflate.total_in() - before.0) as usize;
            let made = (inflate.total_out() - before.1) as usize;
            raw = &raw[used..];
            self.bytes += made as u64;
            let room = limit.saturating_sub(out.len());
            out.extend_from_slice(&chunk[..made.min(room)]);
            if status.is_err() || self.bytes > most {
                self.fail();
                return;
            }
            // A final block (section 7.2.3.4) ends what can be referred to as well.
            if matches!(status, Ok(Status::StreamEnd)) {
                self.forget();
                return;
            }
            if made < chunk.len() && (raw.is_empty() || used == 0) {
                return;
            }
        }
    }

    /// The message has ended.
    pub fn end(&mut self, out: &mut Vec<u8>, limit: usize, most: u64) {
        self.piece(&TAIL, out, limit, most);
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    #[test]
    fn what_was_agreed_upon() {
        assert_eq!(agreed(b"permessage-deflate"), Some([true, true]));
        assert_eq!(agreed(b"x; permessage-deflate"), None);
        assert_eq!(
            agreed(b"foo, Permessage-Deflate; server_no_context_takeover; client_max_window_bits=12"),
            Some([true, false])
        );
        assert_eq!(agreed(b""), None);
    }

    fn compressed(compress: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut made = Vec::with_capacity(1024);
        compress.compress_vec(text, &mut made, FlushCompress::Sync).unwrap();
        made.truncate(made.len() - TAIL.len());
        made
    }

    fn undone(inflater: &mut Inflater, raw: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        inflater.begin(true);
        for piece in raw.chunks(3) {
            inflater.piece(piece, &mut out, 1024, 1 << 20);
        }
        inflater.end(&mut out, 1024, 1 << 20);
        inflater.is_good().then_some(out)
    }

    #[test]
    fn a_message_that_refers_to_a_lost_one_is_an_error_not_a_wrong_text() {
        let mut compress = Compress::new(Compression::best(), false);
        let texts: Vec<String> = (0..4).map(|n| format!("{{\"item\":\"a red lamp of the hall\",\"n\":{n}}}")).collect();
        let raw: Vec<Vec<u8>> = texts.iter().map(|text| compressed(&mut compress, text.as_bytes())).collect();
        let mut inflater = Inflater::default();
        assert_eq!(undone(&mut inflater, &raw[0]).as_deref(), Some(texts[0].as_bytes()));
        assert_eq!(undone(&mut inflater, &raw[1]).as_deref(), Some(texts[1].as_bytes()));
        inflater.forget();
        assert_eq!(undone(&mut inflater, &raw[2]), None);
        assert_eq!(undone(&mut inflater, &raw[3]), None);
    }

    #[test]
    fn a_compressed_message_is_one_whatever_it_refers_to() {
        let mut compress = Compress::new(Compression::best(), false);
        for n in 0..40 {
            let text = format!("{{\"item\":\"a red lamp of the hall\",\"n\":{n}}}").repeat(1 + n % 7);
            let raw = compressed(&mut compress, text.as_bytes());
            assert!(is_message(&raw), "{n}");
            assert!(!is_message(&raw[..raw.len() - 1]), "{n}");
        }
    }

    #[test]
    fn random_bytes_are_seldom_a_compressed_message() {
        let taken = (0..20_000u64).filter(|&seed| {
            let len = 2 + seed as usize % 60;
            let raw: Vec<u8> = (0..8).flat_map(|at| crate::id::mix(&[seed, at]).to_le_bytes()).take(len).collect();
            is_message(&raw)
        });
        assert!(taken.count() < 20, "of 20,000");
    }
}
