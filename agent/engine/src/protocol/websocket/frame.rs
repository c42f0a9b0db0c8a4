//! Frames (RFC 6455 section 5.2), and where they may begin in bytes of which nothing is known.

use crate::stream::{Side, View};

/// Numbers of section 11.8.
pub(super) mod opcode {
    pub const CONTINUATION: u8 = 0;
    pub const TEXT: u8 = 1;
    pub const BINARY: u8 = 2;
    pub const CLOSE: u8 = 8;
    pub const PING: u8 = 9;
    pub const PONG: u8 = 10;
}

/// Bytes of the longest payload of a control frame.
pub(super) const CONTROL: u64 = 125;
/// A message larger than this is none: what looks like it is not a frame.
const LARGEST: u64 = 1 << 40;

/// What a frame says before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub fin: bool,
    /// The payload of its message is compressed (RFC 7692 section 6).
    pub compressed: bool,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    /// Bytes of the payload.
    pub len: u64,
    /// Bytes of the header.
    pub size: usize,
}

impl Header {
    pub fn is_control(self) -> bool {
        self.opcode >= opcode::CLOSE
    }

    /// Where a frame that begins there ends.
    pub fn end(self, at: usize) -> usize {
        (at + self.size).saturating_add(usize::try_from(self.len).unwrap_or(usize::MAX))
    }
}

/// What the start of bytes is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// More are needed.
    More,
    /// No frame begins so.
    Bad,
    /// A header.
    Header(Header),
}

/// Reads a header. `deflate`: messages may be compressed.
#[inline]
pub(super) fn read(bytes: &[u8], deflate: bool) -> Read {
    let Some(&first) = bytes.first() else { return Read::More };
    let opcode = first & 0x0f;
    let fin = first & 0x80 != 0;
    let compressed = first & 0x40 != 0;
    let known = matches!(opcode, 0..=2 | 8..=10);
    let control = opcode >= opcode::CLOSE;
    let lawful = known
        && first & 0x30 == 0
        && (!compressed || (deflate && matches!(opcode, opcode::TEXT | opcode::BINARY)))
        && (fin || !control);
    if !lawful {
        return Read::Bad;
    }
    let Some(&second) = bytes.get(1) else { return Read::More };
    let short = u64::from(second & 0x7f);
    let (len, mut size) = match short {
        126 => match bytes.get(2..).and_then(|rest| rest.first_chunk::<2>()) {
            Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
            None => return if control { Read::Bad } else { Read::More },
        },
        127 => match bytes.get(2..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(len) => (u64::from_be_bytes(*len), 10),
            None => return if control { Read::Bad } else { Read::More },
        },
        short => (short, 2),
    };
    // The shortest way to write a length is the only one.
    let minimal = match short {
        126 => len > CONTROL,
        127 => len > 0xffff,
        _ => true,
    };
    if !minimal || len > LARGEST || (control && len > CONTROL) {
        return Read::Bad;
    }
    let mask = if second & 0x80 != 0 {
        let Some(mask) = bytes.get(size..).and_then(|rest| rest.first_chunk::<4>()) else { return Read::More };
        size += 4;
        Some(*mask)
    } else {
        None
    };
    Read::Header(Header { fin, compressed, opcode, mask, len, size })
}

/// Appends the payload, unmasked; it begins `at` bytes into that of its frame.
#[inline]
pub(super) fn unmask(out: &mut Vec<u8>, payload: &[u8], mask: Option<[u8; 4]>, at: u64) {
    let from = out.len();
    out.extend_from_slice(payload);
    let Some(mut mask) = mask else { return };
    mask.rotate_left((at % 4) as usize);
    let word = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let mut chunks = out[from..].chunks_exact_mut(8);
    for chunk in &mut chunks {
        let value =
            u64::from_ne_bytes([chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7]]);
        chunk.copy_from_slice(&(value ^ word).to_ne_bytes());
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// A header is worth so many bits of evidence: of 256 first bytes some 12 are lawful, and the mask is as it should be.
const HEADER: u32 = 5;
/// The bytes end with a frame: senders flush behind one.
const FLUSHED: u32 = 10;
/// A payload is the text that its frame says: at least, and at most.
const TEXT: [u32; 2] = [8, 64];
/// Enough, at the start of a segment, which is where frames begin.
const ENOUGH: u32 = 20;
/// Frames of a chain that are looked at.
const LONGEST: usize = 16;
/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 256;
/// Bytes that are kept for a chain that more bytes may show.
const KEPT: usize = 33 << 10;

/// Whether the start of a text message is text; bits that speak for it.
pub(super) fn text(payload: &[u8], mask: Option<[u8; 4]>) -> Option<u32> {
    let mut text = Vec::new();
    unmask(&mut text, &payload[..payload.len().min(LOOKED_AT)], mask, 0);
    let is_text = match std::str::from_utf8(&text) {
        Ok(_) => true,
        // Cut in a character.
        Err(error) => error.error_len().is_none() && error.valid_up_to() + 4 > text.len(),
    };
    // Of random bytes, and of text that is unmasked without being masked, many would be control characters.
    let controls = text.iter().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()).count();
    is_text.then_some((text.len().saturating_sub(5 * controls) as u32).min(TEXT[1]))
}

/// A chain of frames: evidence, and whether it goes on behind the bytes; `None`: these are no frames.
fn chain(bytes: &[u8], deflate: bool, masked: Option<bool>) -> Option<(u32, bool)> {
    let (mut at, mut evidence) = (0, 0);
    for _ in 0..LONGEST {
        if at == bytes.len() {
            return Some((evidence + FLUSHED, false));
        }
        let header = match read(&bytes[at..], deflate) {
            Read::Bad => return None,
            Read::More => return Some((evidence, true)),
            Read::Header(header) => header,
        };
        if masked.is_some_and(|masked| masked != header.mask.is_some()) {
            return None;
        }
        evidence += HEADER;
        let from = at + header.size;
        let to = header.end(at);
        let payload = &bytes[from..to.min(bytes.len())];
        if header.opcode == opcode::TEXT && !header.compressed && payload.len() >= 4 {
            evidence += text(payload, header.mask)?.max(TEXT[0]);
        }
        if to > bytes.len() {
            return Some((evidence, true));
        }
        at = to;
    }
    Some((evidence, true))
}

/// Enough within what should be the payload of a frame.
pub(super) const ENOUGH_INSIDE: u32 = 40;

/// What speaks for it that these bytes are whole frames; `None`: they are not.
pub(super) fn whole(bytes: &[u8], deflate: bool, masked: Option<bool>) -> Option<u32> {
    chain(bytes, deflate, masked).and_then(|(evidence, goes_on)| (!goes_on).then_some(evidence))
}

/// Looks for frames behind a loss, at the starts of segments: where they begin, or how many bytes hold none.
pub(super) fn find(view: View<'_>, deflate: bool, masked: Option<bool>) -> (usize, bool) {
    let mut perhaps = view.bytes.len();
    for mark in view.marks {
        let Some(at) = mark.offset.checked_sub(view.offset) else { continue };
        let Some(bytes) = view.bytes.get(at as usize..).filter(|bytes| !bytes.is_empty()) else { break };
        match chain(bytes, deflate, masked) {
            Some((evidence, _)) if evidence >= ENOUGH => return (at as usize, true),
            Some(_) if bytes.len() <= KEPT => perhaps = perhaps.min(at as usize),
            Some(_) | None => {}
        }
    }
    (perhaps, false)
}

/// Who masks: clients do (section 5.1).
pub(super) fn masks(side: Side) -> bool {
    side == Side::Client
}

/// Whether an end may give this reason (section 7.4).
pub(super) fn is_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Whether a closing frame may say this (section 5.5.1).
pub(super) fn is_closing(payload: &[u8]) -> bool {
    match payload {
        [] => true,
        [a, b, reason @ ..] => is_code(u16::from_be_bytes([*a, *b])) && std::str::from_utf8(reason).is_ok(),
        [_] => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers() {
        let header = |bytes: &[u8]| match read(bytes, true) {
            Read::Header(header) => header,
            other => panic!("{other:?}"),
        };
        assert_eq!(header(b"\x81\x05hello").len, 5);
        assert_eq!(header(b"\x81\x7e\x01\x00").len, 256);
        assert_eq!(header(b"\x82\x7f\0\0\0\0\0\x01\0\0").len, 65536);
        assert_eq!(header(b"\xc1\x85abcd").mask, Some(*b"abcd"));
        for bad in [&b"\x83"[..], b"\x91", b"\x08\x00", b"\x88\x7e\0\x7e", b"\x81\x7e\0\x05", b"\xc8\x00"] {
            assert_eq!(read(bad, true), Read::Bad, "{}", bad.escape_ascii());
        }
        assert_eq!(read(b"\xc1\x01a", false), Read::Bad, "compressed, and not agreed upon");
        for more in [&b""[..], b"\x81", b"\x81\x7e\x01", b"\x81\x85abc"] {
            assert_eq!(read(more, false), Read::More);
        }
    }

    #[test]
    fn random_bytes_are_seldom_taken_for_frames() {
        let mut found = 0;
        for seed in 0..20_000u64 {
            let bytes: Vec<u8> = (0..181).flat_map(|at| crate::id::mix(&[seed, at]).to_le_bytes()).collect();
            let marks = [crate::stream::Mark::default()];
            found += u32::from(find(View { bytes: &bytes, offset: 0, marks: &marks }, true, Some(true)).1);
        }
        assert_eq!(found, 0);
    }

    proptest! {
        #[test]
        fn masks_in_any_pieces(payload: Vec<u8>, mask: [u8; 4], at in 0usize..40) {
            let at = at.min(payload.len());
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            unmask(&mut whole, &payload, Some(mask), 0);
            unmask(&mut pieces, &payload[..at], Some(mask), 0);
            unmask(&mut pieces, &payload[at..], Some(mask), at as u64);
            prop_assert_eq!(&whole, &pieces);
            let plain: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
            prop_assert_eq!(whole, plain);
        }
    }
}
