//! Deflate (RFC 1951), bare, in zlib (RFC 1950) and in gzip (RFC 1952).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{End, Sink, Undecodable};

/// What is around the deflated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Zlib,
    Raw,
}

impl Format {
    /// "deflate" means zlib (RFC 9110 section 8.4.1.2), but some servers send bare data.
    pub fn of(raw: &[u8]) -> Self {
        match raw {
            [method, flags, ..] if method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0 => Self::Zlib,
            [120] => Self::Zlib,
            _ => Self::Raw,
        }
    }
}

pub(super) fn decode(
    kept: &mut Option<Decompress>,
    format: Format,
    mut raw: &[u8],
    chunk: &mut [u8],
    sink: &mut Sink<'_>,
) -> Result<End, Undecodable> {
    let inflate = kept.get_or_insert_with(|| Decompress::new(false));
    let mut is_first = true;
    loop {
        if format == Format::Gzip {
            raw = match header(raw) {
                Header::At(data) => &raw[data..],
                Header::Cut => return Ok(End::Cut),
                // Behind the first member: padding, which others ignore as well.
                Header::None if !is_first => return Ok(End::Whole),
                Header::None => return Err(Undecodable::Data),
            };
        }
        inflate.reset(format == Format::Zlib);
        let mut check = Crc::new();
        loop {
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(raw, chunk, FlushDecompress::None).map_err(|_| Undecodable::Data)?;
            let used = (inflate.total_in() - before.0) as usize;
            let made = (inflate.total_out() - before.1) as usize;
            raw = &raw[used..];
            if format == Format::Gzip {
                check.update(&chunk[..made]);
            }
            let wanted = sink.take(&chunk[..made]);
            match status {
                Status::StreamEnd => break,
                _ if !wanted => return Ok(End::Full),
                _ if raw.is_empty() && made < chunk.len() || used == 0 && made == 0 => return Ok(End::Cut),
                _ => {}
            }
        }
        if format != Format::Gzip {
            return Ok(End::Whole);
        }
        let Some((trailer, rest)) = raw.split_at_checked(8) else { return Ok(End::Cut) };
        let expected = [check.sum().to_le_bytes(), check.amount().to_le_bytes()].concat();
        if trailer != expected {
            return Err(Undecodable::Data);
        }
        if rest.is_empty() {
            return Ok(End::Whole);
        }
        raw = rest;
        is_first = false;
    }
}

enum Header {
    /// The data begins there.
    At(usize),
    Cut,
    None,
}

/// The header of a member (RFC 1952 section 2.3).
fn header(raw: &[u8]) -> Header {
    const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
    if !raw.iter().zip(MAGIC).all(|(a, b)| *a == b) {
        return Header::None;
    }
    let Some(&flags) = raw.get(3) else { return Header::Cut };
    let mut at = 10;
    if flags & 4 != 0 {
        let Some(len) = raw.get(at..at + 2) else { return Header::Cut };
        at += 2 + usize::from(u16::from_le_bytes([len[0], len[1]]));
    }
    // Name and comment, each ended by a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(len) = raw.get(at..).and_then(|rest| memchr::memchr(0, rest)) else { return Header::Cut };
            at += len + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    if at > raw.len() { Header::Cut } else { Header::At(at) }
}
