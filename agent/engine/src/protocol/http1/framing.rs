//! Where a body ends (RFC 9112 sections 6.3 and 7.1).

use crate::message::Message;

/// How the length of a body is known, and how much of it is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many more bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunk),
    /// Until the connection is closed.
    UntilClose,
}

/// Where in the chunked coding the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    DataEnd,
    Trailers,
}

/// What came of reading a piece of a body.
pub(super) enum Progress {
    /// So many bytes were read; there is more to come.
    More(usize),
    /// So many bytes were read; the last of them ended the body.
    Done(usize),
    /// After so many bytes the chunked coding is broken.
    Broken(usize),
}

/// A chunk-size line with its extensions; longer ones exist in attacks only.
const SIZE_LINE: usize = 4096;

impl Framing {
    /// Reads what it can; data goes to `message.body` and to `data`.
    pub fn read(
        &mut self,
        bytes: &[u8],
        max_headers: usize,
        body_limit: usize,
        message: &mut Message,
        mut data: impl FnMut(&[u8]),
    ) -> Progress {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match self {
                Self::UntilClose => {
                    message.body.push(rest, body_limit);
                    data(rest);
                    return Progress::More(bytes.len());
                }
                Self::Length(left) => {
                    let n = (rest.len() as u64).min(*left) as usize;
                    message.body.push(&rest[..n], body_limit);
                    data(&rest[..n]);
                    *left -= n as u64;
                    return if *left == 0 { Progress::Done(at + n) } else { Progress::More(at + n) };
                }
                Self::Chunked(Chunk::Data(left)) => {
                    let n = (rest.len() as u64).min(*left) as usize;
                    message.body.push(&rest[..n], body_limit);
                    data(&rest[..n]);
                    *left -= n as u64;
                    at += n;
                    if *left > 0 {
                        return Progress::More(at);
                    }
                    *self = Self::Chunked(Chunk::DataEnd);
                }
                Self::Chunked(Chunk::DataEnd) => match rest {
                    [b'\r', b'\n', ..] => {
                        at += 2;
                        *self = Self::Chunked(Chunk::Size);
                    }
                    [b'\n', ..] => {
                        at += 1;
                        *self = Self::Chunked(Chunk::Size);
                    }
                    [] | [b'\r'] => return Progress::More(at),
                    _ => return Progress::Broken(at),
                },
                Self::Chunked(Chunk::Size) => {
                    let Some(end) = memchr::memchr(b'\n', rest) else {
                        return if rest.len() > SIZE_LINE { Progress::Broken(at) } else { Progress::More(at) };
                    };
                    let Some(size) = chunk_size(&rest[..end]) else { return Progress::Broken(at) };
                    at += end + 1;
                    *self = Self::Chunked(if size == 0 { Chunk::Trailers } else { Chunk::Data(size) });
                }
                Self::Chunked(Chunk::Trailers) => {
                    let Some(end) = memchr::memchr(b'\n', rest) else { return Progress::More(at) };
                    let line = rest[..end].trim_ascii();
                    at += end + 1;
                    if line.is_empty() {
                        return Progress::Done(at);
                    }
                    if let Some(colon) = memchr::memchr(b':', line)
                        && message.trailers.len() < max_headers
                    {
                        let name = message.push_text(line[..colon].trim_ascii());
                        let value = message.push_text(line[colon + 1..].trim_ascii());
                        message.trailers.push(crate::message::Header { name: Some(name), value: Some(value) });
                    }
                }
            }
        }
    }

    /// `len` bytes of the body are lost. Says whether the end of the body is still known.
    pub fn skip(&mut self, len: u64, message: &mut Message) -> bool {
        let left = match self {
            Self::UntilClose => {
                message.body.gap(len);
                return true;
            }
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => left,
            Self::Chunked(_) => return false,
        };
        let lost = len.min(*left);
        message.body.gap(lost);
        *left -= lost;
        lost == len
    }

    /// Whether nothing more belongs to it.
    pub fn is_over(&self) -> bool {
        *self == Self::Length(0)
    }
}

/// `1a2b;name=value` -> 0x1a2b.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = memchr::memchr(b';', line).unwrap_or(line.len());
    let digits = line[..end].trim_ascii();
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0u64, |n, &d| Some(n * 16 + u64::from((d as char).to_digit(16)?)))
}
