//! HPACK (RFC 7541), read by a bystander who may have missed some of it.
//!
//! A field block can only be read with a table that earlier blocks have filled. Where some of them were not captured, a
//! reference to what they may have inserted gives a field whose name and value are unknown; never a guess.

mod huffman;
mod table;

#[cfg(test)]
pub(super) use self::huffman::encode as huffman_encode;
pub(super) use self::table::Class;
use self::table::{Dynamic, LARGEST, STATIC};
use crate::message::Header;
use crate::stream::Side;

/// The block breaks the rules: what follows in it, and the table, are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Bytes that one block may make of itself: a reference of one byte can stand for all of the table, so that small
/// blocks could cost without bound. Servers allow heads of 8 to 64 KiB.
const WORK: usize = 1 << 20;

/// Reads the field blocks of one direction.
#[derive(Default)]
pub(super) struct Decoder {
    table: Dynamic,
}

impl Decoder {
    /// A block, or more than one, was lost.
    pub fn lose(&mut self) {
        self.table.forget();
    }

    /// Bytes of heap that it holds.
    pub fn held(&self) -> usize {
        self.table.held()
    }

    /// Reads a block. Each field goes to `each` with its text in `text`, as long as that wants more. After an error, and
    /// after a block of which only a beginning is there, the table is unknown.
    pub fn block(
        &mut self,
        block: &[u8],
        text: &mut Vec<u8>,
        mut each: impl FnMut(&[u8], Class, Header) -> bool,
    ) -> Result<(), Broken> {
        let result = self.read(block, text, &mut each);
        if result.is_err() {
            self.lose();
        }
        result
    }

    fn read(
        &mut self,
        mut block: &[u8],
        text: &mut Vec<u8>,
        each: &mut impl FnMut(&[u8], Class, Header) -> bool,
    ) -> Result<(), Broken> {
        let mut wanted = true;
        let mut work = 0;
        while let Some(&first) = block.first() {
            let start = text.len();
            let (class, header) = if first & 0x80 != 0 {
                let index = integer(&mut block, 7)?;
                if !wanted {
                    continue;
                }
                self.indexed(index, text)?
            } else if first & 0xe0 == 0x20 {
                self.table.resize(integer(&mut block, 5)?);
                continue;
            } else {
                let insert = first & 0x40 != 0;
                let index = integer(&mut block, if insert { 6 } else { 4 })?;
                let (class, name) = self.name(index, &mut block, text)?;
                let value = string(&mut block, text)?;
                let of = |(start, end): (u32, u32)| &text[start as usize..end as usize];
                if !is_value(of(value)) && !name.is_some_and(|name| of(name).ends_with(b"-bin")) {
                    return Err(Broken);
                }
                if insert {
                    self.table.insert(name.map(of), of(value), class);
                    work += text.len() - start;
                }
                (class, Header { name, value: Some(value) })
            };
            work += text.len() - start;
            if wanted {
                wanted = each(text, class, header);
            } else {
                text.truncate(start);
            }
            if work > WORK {
                return Err(Broken);
            }
        }
        Ok(())
    }

    /// A field of the tables.
    #[inline]
    fn indexed(&self, index: usize, text: &mut Vec<u8>) -> Result<(Class, Header), Broken> {
        let (both, name, class) = match index {
            0 => return Err(Broken),
            1..=61 => {
                let (both, name, class) = STATIC[index - 1];
                (both, Some(name), class)
            }
            _ => match self.table.get(index - 62) {
                Some(entry) => (self.table.text_of(entry), entry.name, entry.class),
                None => return Ok((Class::Unknown, Header { name: None, value: None })),
            },
        };
        let (start, end) = push(text, both);
        let value = start + name.unwrap_or(0);
        Ok((class, Header { name: name.map(|_| (start, value)), value: Some((value, end)) }))
    }

    /// The name of a field whose value follows: of the tables, or a string.
    #[inline]
    fn name(&self, index: usize, block: &mut &[u8], text: &mut Vec<u8>) -> Result<(Class, Option<(u32, u32)>), Broken> {
        Ok(match index {
            0 => {
                let at = string(block, text)?;
                let name = &text[at.0 as usize..at.1 as usize];
                if !is_name(name) {
                    return Err(Broken);
                }
                (Class::of(name), Some(at))
            }
            1..=61 => {
                let (both, name, class) = STATIC[index - 1];
                (class, Some(push(text, &both[..name as usize])))
            }
            _ => match self.table.get(index - 62) {
                Some(entry) => {
                    let name = entry.name.map(|len| push(text, &self.table.text_of(entry)[..len as usize]));
                    (entry.class, name)
                }
                // Its entry was never seen.
                None => (Class::Unknown, None),
            },
        })
    }
}

#[inline]
fn push(text: &mut Vec<u8>, bytes: &[u8]) -> (u32, u32) {
    let start = text.len() as u32;
    text.extend_from_slice(bytes);
    (start, text.len() as u32)
}

/// An integer whose first byte has `bits` bits of it (RFC 7541 section 5.1).
#[inline]
fn integer(block: &mut &[u8], bits: u32) -> Result<usize, Broken> {
    let (&first, rest) = block.split_first().ok_or(Broken)?;
    *block = rest;
    let max = (1usize << bits) - 1;
    let value = usize::from(first) & max;
    if value < max { Ok(value) } else { long_integer(block, max) }
}

#[cold]
fn long_integer(block: &mut &[u8], mut value: usize) -> Result<usize, Broken> {
    for shift in [0, 7, 14, 21] {
        let (&byte, rest) = block.split_first().ok_or(Broken)?;
        *block = rest;
        value += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Broken)
}

/// A string (RFC 7541 section 5.2), decoded behind the text.
#[inline]
fn string(block: &mut &[u8], text: &mut Vec<u8>) -> Result<(u32, u32), Broken> {
    let huffman = block.first().ok_or(Broken)? & 0x80 != 0;
    let len = integer(block, 7)?;
    let (bytes, rest) = block.split_at_checked(len).ok_or(Broken)?;
    *block = rest;
    if !huffman {
        return Ok(push(text, bytes));
    }
    let start = text.len() as u32;
    if huffman::decode(bytes, text) { Ok((start, text.len() as u32)) } else { Err(Broken) }
}

/// Whether a field may have such a name (RFC 9113 section 8.2.1).
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~') && !byte.is_ascii_uppercase())
}

/// Whether a field may have such a value (RFC 9110 section 5.5); gRPC's binary metadata may be as it likes.
#[inline]
fn is_value(value: &[u8]) -> bool {
    // Without a branch for each byte, many are looked at at once.
    !value.iter().fold(false, |bad, &byte| bad | ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f))
}

/// Whether a block could be one, read without any table, and if so, who sends such blocks, if it tells.
pub(super) fn plausible(mut block: &[u8]) -> Option<Option<Side>> {
    let mut sender = None;
    let mut text = Vec::new();
    while let Some(&first) = block.first() {
        text.clear();
        let index = if first & 0x80 != 0 {
            integer(&mut block, 7).ok().filter(|&index| index > 0)?
        } else if first & 0xe0 == 0x20 {
            integer(&mut block, 5).ok().filter(|&max| max <= LARGEST)?;
            continue;
        } else {
            let index = integer(&mut block, if first & 0x40 != 0 { 6 } else { 4 }).ok()?;
            if index == 0 {
                string(&mut block, &mut text).ok()?;
                if !is_name(&text) {
                    return None;
                }
                if text == b"grpc-status" {
                    sender = sender.or(Some(Side::Server));
                }
                text.clear();
            }
            string(&mut block, &mut text).ok()?;
            if text.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
                return None;
            }
            index
        };
        match index {
            1..=7 => sender = sender.or(Some(Side::Client)),
            8..=14 => sender = sender.or(Some(Side::Server)),
            // Tables of this many entries are of no use to anyone.
            2048.. => return None,
            _ => {}
        }
    }
    Some(sender)
}

/// The static table, for tests.
#[cfg(test)]
pub(super) fn statics() -> Vec<(&'static str, &'static str)> {
    STATIC.iter().map(|(both, name, _)| std::str::from_utf8(both).unwrap().split_at(*name as usize)).collect()
}

#[cfg(test)]
mod tests;
