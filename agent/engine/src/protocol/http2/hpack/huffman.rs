//! The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B).

/// Length in bits of the code of each byte; the last is that of the end of string. The code is canonical: codes of one
/// length follow each other in the order of their symbols, so that the lengths say everything.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
const END_OF_STRING: u16 = 256;
const LONGEST: usize = 30;
/// Codes up to this length are found by one look.
const SHORT: usize = 8;

struct Tables {
    /// By the next eight bits: symbol and length of a short code, or a length of 0.
    short: [(u8, u8); 1 << SHORT],
    /// Symbols in the order of their codes.
    symbols: [u16; 257],
    /// By length: the first code, filled up to 32 bits from the right with zeros, that is longer.
    limit: [u32; LONGEST + 1],
    /// By length: the first code, and the number of its symbol in `symbols`.
    first: [(u32, u16); LONGEST + 1],
}

const fn tables() -> Tables {
    let mut tables = Tables {
        short: [(0, 0); 1 << SHORT],
        symbols: [0; 257],
        limit: [0; LONGEST + 1],
        first: [(0, 0); LONGEST + 1],
    };
    let (mut code, mut count, mut len) = (0u32, 0usize, 1usize);
    while len <= LONGEST {
        tables.first[len] = (code, count as u16);
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == len {
                tables.symbols[count] = symbol as u16;
                if len <= SHORT {
                    let from = (code as usize) << (SHORT - len);
                    let mut fill = 0;
                    while fill < 1 << (SHORT - len) {
                        tables.short[from + fill] = (symbol as u8, len as u8);
                        fill += 1;
                    }
                }
                count += 1;
                code += 1;
            }
            symbol += 1;
        }
        // Behind the last code of all there is none left: every value is below.
        tables.limit[len] = if count == LENGTHS.len() { u32::MAX } else { code << (32 - len) };
        code <<= 1;
        len += 1;
    }
    tables
}

static TABLES: Tables = tables();

/// Decodes a string behind `out`; `false`: it is no valid string, and `out` holds what was read of it.
#[inline]
pub(super) fn decode(mut bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut held) = (0u64, 0usize);
    loop {
        // The bits are kept at the upper end of the word.
        if held <= 32 {
            if let Some((chunk, rest)) = bytes.split_first_chunk::<4>() {
                bits |= u64::from(u32::from_be_bytes(*chunk)) << (32 - held);
                held += 32;
                bytes = rest;
            } else {
                for &byte in bytes {
                    bits |= u64::from(byte) << (56 - held);
                    held += 8;
                }
                bytes = &[];
            }
        }
        let (symbol, len) = TABLES.short[(bits >> 56) as usize];
        if len != 0 {
            if usize::from(len) > held {
                return is_padding(bits, held);
            }
            out.push(symbol);
            bits <<= len;
            held -= usize::from(len);
            continue;
        }
        let next = (bits >> 32) as u32;
        let Some(len) = (SHORT + 1..=LONGEST).find(|&len| next < TABLES.limit[len]) else { return false };
        if len > held {
            return is_padding(bits, held);
        }
        let (code, at) = TABLES.first[len];
        let symbol = TABLES.symbols[usize::from(at) + ((next >> (32 - len)) - code) as usize];
        if symbol == END_OF_STRING {
            return false;
        }
        out.push(symbol as u8);
        bits <<= len;
        held -= len;
    }
}

/// Less than a byte of ones: the beginning of the end of string.
fn is_padding(bits: u64, held: usize) -> bool {
    held < 8 && (held == 0 || bits >> (64 - held) == (1 << held) - 1)
}

/// Encodes, for tests.
#[cfg(test)]
pub(in crate::protocol::http2) fn encode(text: &[u8]) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u64, 0usize);
    for &byte in text {
        let len = usize::from(LENGTHS[usize::from(byte)]);
        let (first, at) = TABLES.first[len];
        let rank = TABLES.symbols[usize::from(at)..].iter().position(|&s| s == u16::from(byte)).unwrap() as u32;
        bits = (bits << len) | u64::from(first + rank);
        held += len;
        while held >= 8 {
            out.push((bits >> (held - 8)) as u8);
            held -= 8;
        }
    }
    if held > 0 {
        out.push(((bits << (8 - held)) | (0xff >> held)) as u8);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(bytes, &mut out).then_some(out)
    }

    #[test]
    fn strings_of_the_rfc() {
        // RFC 7541 appendix C.4 and C.6.
        let hex = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decoded(&hex).unwrap(), b"www.example.com");
        assert_eq!(decoded(&[0xae, 0xc3, 0x77, 0x1a, 0x4b]).unwrap(), b"private");
        assert_eq!(decoded(&[]).unwrap(), b"");
    }

    #[test]
    fn padding_is_less_than_a_byte_of_ones() {
        assert_eq!(decoded(&[0x07]).as_deref(), Some(&b"0"[..]));
        assert_eq!(decoded(&[0x06]), None);
        assert_eq!(decoded(&[0x07, 0xff]), None);
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), None, "the end of string itself");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text: Vec<u8>) {
            prop_assert_eq!(decoded(&encode(&text)).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
            if let Some(text) = decoded(&bytes) {
                prop_assert_eq!(encode(&text), bytes);
            }
        }
    }
}
