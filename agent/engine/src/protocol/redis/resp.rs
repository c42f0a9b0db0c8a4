//! RESP, the serialisation of Redis (RESP2 and RESP3): tokens, and where a value ends.
//!
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>; streamed strings and aggregates are those of the
//! RESP3 specification, <https://github.com/redis/redis-specifications>.

use memchr::memchr;

/// Longest string that is believed: four times what Redis allows unless told otherwise (`proto-max-bulk-len`).
const MAX_STRING: u64 = 4 << 29;
/// Most elements of an aggregate that are believed.
const MAX_COUNT: u64 = 1 << 32;

/// A piece of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A value of one line: `+ - : _ # , (`, and the text behind that.
    Line(u8, &'a [u8]),
    /// A string: `$ ! =`, and what there is of it.
    Bulk(u8, &'a [u8]),
    /// `$-1` or `*-1`.
    Null,
    /// An aggregate: `* % ~ > |`, and how many pairs (`% |`) or values follow; none: up to [`Token::Close`].
    Open(u8, Option<u64>),
    /// `$?`: chunks follow.
    OpenString,
    /// A chunk; an empty one is the last.
    Chunk(&'a [u8]),
    /// The end of an aggregate of unknown length.
    Close,
}

/// What the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    Line(u8, &'a [u8]),
    /// A string of so many bytes follows, and CRLF.
    String(u8, u64),
    Null,
    Open(u8, Option<u64>),
    OpenString,
    LastChunk,
    Close,
}

/// What a line can be read as.
pub(super) enum Read<T> {
    Is(T, usize),
    More,
    Bad,
}

/// Digits and CRLF. `None` of the number: `?`.
fn number(bytes: &[u8]) -> Read<Option<i64>> {
    let (negative, from) = if bytes.first() == Some(&b'-') { (true, 1) } else { (false, 0) };
    let mut value = 0i64;
    for (at, &byte) in bytes[from..].iter().enumerate() {
        match byte {
            b'0'..=b'9' if at < 18 => value = value * 10 + i64::from(byte - b'0'),
            b'?' if at == 0 && !negative => {
                return match bytes.get(1..3) {
                    Some(b"\r\n") => Read::Is(None, 3),
                    None if bytes.get(1).is_none_or(|&b| b == b'\r') => Read::More,
                    _ => Read::Bad,
                };
            }
            b'\r' if at > 0 => {
                let end = from + at + 1;
                return match bytes.get(end) {
                    Some(b'\n') => Read::Is(Some(if negative { -value } else { value }), end + 1),
                    None => Read::More,
                    Some(_) => Read::Bad,
                };
            }
            _ => return Read::Bad,
        }
    }
    Read::More
}

/// Reads what a value or a piece of one begins with.
pub(super) fn head(bytes: &[u8]) -> Read<Head<'_>> {
    let Some((&kind, rest)) = bytes.split_first() else { return Read::More };
    match kind {
        b'$' | b'*' | b'%' | b'~' | b'>' | b'|' | b'=' | b'!' | b';' => match number(rest) {
            Read::Is(value, size) => {
                let head = match (kind, value) {
                    (b'$', None) => Head::OpenString,
                    (b'*' | b'%' | b'~', None) => Head::Open(kind, None),
                    (b'$' | b'*', Some(-1)) => Head::Null,
                    (b';', Some(0)) => Head::LastChunk,
                    (b'$' | b'=' | b'!' | b';', Some(size @ 0..)) if size as u64 <= MAX_STRING => {
                        Head::String(kind, size as u64)
                    }
                    (b'*' | b'%' | b'~' | b'>' | b'|', Some(count @ 0..)) if count as u64 <= MAX_COUNT => {
                        Head::Open(kind, Some(count as u64))
                    }
                    _ => return Read::Bad,
                };
                Read::Is(head, size + 1)
            }
            Read::More => Read::More,
            Read::Bad => Read::Bad,
        },
        b'+' | b'-' | b':' | b',' | b'(' | b'_' | b'#' | b'.' => {
            let Some(end) = memchr(b'\n', rest) else { return Read::More };
            let Some((b'\r', text)) = rest[..end].split_last() else { return Read::Bad };
            let fits = match kind {
                b'+' => is_text(text),
                b'-' => memchr(b'\r', text).is_none(),
                b'_' | b'.' => text.is_empty(),
                b'#' => matches!(text, b"t" | b"f"),
                _ => is_number(text),
            };
            if !fits {
                return Read::Bad;
            }
            Read::Is(if kind == b'.' { Head::Close } else { Head::Line(kind, text) }, end + 2)
        }
        _ => Read::Bad,
    }
}

/// Text of one line, as simple strings are.
#[inline]
fn is_text(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
        || std::str::from_utf8(text).is_ok_and(|text| !text.chars().any(char::is_control))
}

/// Digits, or how doubles are written.
fn is_number(text: &[u8]) -> bool {
    let digits = text.iter().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    (digits && !text.is_empty()) || matches!(text, b"inf" | b"-inf" | b"nan" | b"-nan")
}

/// The tokens of what is kept of a value; it may be cut anywhere.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        let Read::Is(head, size) = head(self.bytes) else {
            // A line that was cut.
            let line = std::mem::take(&mut self.bytes);
            return match line.split_first() {
                Some((&kind @ (b'+' | b'-'), text)) => Some(Token::Line(kind, text)),
                _ => None,
            };
        };
        self.bytes = &self.bytes[size..];
        Some(match head {
            Head::Line(kind, text) => Token::Line(kind, text),
            Head::Null => Token::Null,
            Head::Open(kind, count) => Token::Open(kind, count),
            Head::OpenString => Token::OpenString,
            Head::LastChunk => Token::Chunk(&[]),
            Head::Close => Token::Close,
            Head::String(kind, size) => {
                let end = (size.min(self.bytes.len() as u64)) as usize;
                let data = &self.bytes[..end];
                self.bytes = self.bytes.get(end + 2..).unwrap_or_default();
                if kind == b';' { Token::Chunk(data) } else { Token::Bulk(kind, data) }
            }
        })
    }
}
