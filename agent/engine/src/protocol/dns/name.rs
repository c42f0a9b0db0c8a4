//! Domain names: reading them through compression, writing them as text.

/// Bytes of a name on the wire (RFC 1035 section 2.3.4).
const LONGEST: usize = 255;
/// Pointers in one name: no more than it can have labels.
const POINTERS: usize = 127;

/// Appends the name at `at` to `out` and gives the position behind it; none if it is malformed or cut. Labels are
/// separated by dots; the root is ".". Bytes that are no printable ASCII are written as `\DDD` (RFC 4343 section 2.1).
pub(super) fn read(message: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let start = out.len();
    let mut next = None;
    let mut length = 1;
    // Where the present run of labels began; a pointer must lead further back, so that this ends.
    let mut run = at;
    let mut at = at;
    let mut pointers = 0;
    loop {
        match message.get(at).copied()? {
            0 => break,
            label @ 1..=63 => {
                length += 1 + usize::from(label);
                if length > LONGEST {
                    return None;
                }
                let bytes = message.get(at + 1..at + 1 + usize::from(label))?;
                if out.len() > start {
                    out.push(b'.');
                }
                bytes.iter().for_each(|&byte| push(byte, true, out));
                at += 1 + usize::from(label);
            }
            high @ 0xc0.. => {
                let to = usize::from(high & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                pointers += 1;
                if to >= run || pointers > POINTERS {
                    return None;
                }
                next.get_or_insert(at + 2);
                (run, at) = (to, to);
            }
            _ => return None,
        }
    }
    if out.len() == start {
        out.push(b'.');
    }
    Some(next.unwrap_or(at + 1))
}

/// The position behind the name at `at`, which is not followed or shown.
pub(super) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    loop {
        match message.get(at).copied()? {
            0 => return Some(at + 1),
            label @ 1..=63 => at += 1 + usize::from(label),
            0xc0.. => return message.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
        if at - start > LONGEST {
            return None;
        }
    }
}

/// Appends a byte as it is written in master files (RFC 1035 section 5.1).
pub(super) fn push(byte: u8, in_name: bool, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'.' if in_name => out.extend_from_slice(b"\\."),
        b' ' if !in_name => out.push(byte),
        0x21..=0x7e => out.push(byte),
        _ => out.extend_from_slice(&[b'\\', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10]),
    }
}
