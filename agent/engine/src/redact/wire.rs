//! Protocol Buffers on the wire: varints and fields (<https://protobuf.dev/programming-guides/encoding/>).

/// A field as it is on the wire.
pub(super) struct Field<'a> {
    pub number: u32,
    pub value: Value<'a>,
    /// The field with its tag.
    pub raw: &'a [u8],
}

/// What a field holds.
pub(super) enum Value<'a> {
    Varint(u64),
    /// 32 or 64 bits, or a group, whose bytes say nothing here.
    Other,
    Bytes(&'a [u8]),
}

/// Reads a varint; gives it with its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}

/// Writes a varint.
pub(super) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The first field of a message, and what is behind it; `None`: it is none, or cut.
pub(super) fn field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (tag, mut at) = varint(bytes)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number))?;
    let value = match tag & 7 {
        0 => {
            let (value, len) = varint(&bytes[at..])?;
            at += len;
            Value::Varint(value)
        }
        1 => {
            at += 8;
            Value::Other
        }
        2 => {
            let (len, digits) = varint(&bytes[at..])?;
            at += digits;
            let end = at.checked_add(usize::try_from(len).ok()?)?;
            let value = bytes.get(at..end)?;
            at = end;
            Value::Bytes(value)
        }
        5 => {
            at += 4;
            Value::Other
        }
        // Groups: their begin and end are told apart by nothing that matters here.
        3 | 4 => Value::Other,
        _ => return None,
    };
    let raw = bytes.get(..at)?;
    Some((Field { number, value, raw }, &bytes[at..]))
}
