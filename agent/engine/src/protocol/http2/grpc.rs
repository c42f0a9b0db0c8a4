//! gRPC over HTTP/2: messages, statuses, metadata
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use crate::config::{MILLISECOND, SECOND};
use crate::output::Outcome;
use crate::packet::Nanos;

/// Bytes in front of a message: whether it is compressed, and its length.
pub(super) const PREFIX: usize = 5;

/// What a stream carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not gRPC.
    #[default]
    Plain,
    /// Its content type is unknown: its first bytes will tell.
    Perhaps,
    /// gRPC.
    Grpc,
}

/// Whether a content type is gRPC's; gRPC-Web has another framing.
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.is_empty() || matches!(rest[0], b'+' | b';' | b' '))
}

/// What was read of the bytes of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// A message begins; whether it is compressed.
    Begin(bool),
    /// Bytes of it.
    Bytes(&'a [u8]),
    /// It ended.
    End,
    /// The last [`PREFIX`] bytes, see [`Deframer::last_prefix`], begin no message.
    NoPrefix,
    /// Bytes of which it is not known what message they belong to.
    Stray(&'a [u8]),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Prefix,
    Message,
    /// Bytes were lost: until a frame holds just one message.
    Lost,
}

/// Splits the data of one direction into messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deframer {
    at: At,
    prefix: [u8; PREFIX],
    have: u8,
    left: u32,
    /// To be taken for a prefix only if the message fits the frame, of this many bytes.
    frame: Option<usize>,
}

impl Deframer {
    /// A DATA frame with so many bytes of data begins. `unsure`: it is not known whether it holds messages at all.
    pub fn frame(&mut self, len: usize, unsure: bool) {
        if self.at == At::Lost || (unsure && self.at == At::Prefix && len > 0) {
            self.have = 0;
            self.frame = (len >= PREFIX).then_some(len);
            if self.frame.is_none() {
                self.at = At::Lost;
            }
        }
    }

    /// Takes what comes next of the data; `None`: all was taken.
    pub fn next<'a>(&mut self, data: &mut &'a [u8]) -> Option<Event<'a>> {
        loop {
            match self.at {
                At::Message if self.left == 0 => {
                    self.at = At::Prefix;
                    return Some(Event::End);
                }
                _ if data.is_empty() => return None,
                At::Message => {
                    let (bytes, rest) = data.split_at(data.len().min(self.left as usize));
                    self.left -= bytes.len() as u32;
                    *data = rest;
                    return Some(Event::Bytes(bytes));
                }
                At::Lost if self.frame.is_none() => return Some(Event::Stray(std::mem::take(data))),
                At::Prefix | At::Lost => {
                    self.prefix[usize::from(self.have)] = data[0];
                    self.have += 1;
                    *data = &data[1..];
                    if usize::from(self.have) < PREFIX {
                        continue;
                    }
                    let [compressed, a, b, c, d] = self.prefix;
                    let len = u32::from_be_bytes([a, b, c, d]);
                    let fits = self.frame.is_none_or(|frame| fits(len, frame, self.at == At::Lost));
                    self.have = 0;
                    self.frame = None;
                    if compressed > 1 || !fits {
                        self.at = At::Lost;
                        return Some(Event::NoPrefix);
                    }
                    self.at = At::Message;
                    self.left = len;
                    return Some(Event::Begin(compressed == 1));
                }
            }
        }
    }

    /// `len` bytes of the data are lost. Says whether the end of the message is still known.
    pub fn lose(&mut self, len: Option<u64>) -> bool {
        match len {
            Some(len) if self.at == At::Message && len <= u64::from(self.left) => {
                self.left -= len as u32;
                true
            }
            _ => {
                *self = Self { at: At::Lost, prefix: self.prefix, ..Self::default() };
                false
            }
        }
    }

    /// The bytes that were last taken for a prefix.
    pub fn last_prefix(&self) -> &[u8; PREFIX] {
        &self.prefix
    }

    /// Whether it is inside of a message.
    pub fn is_inside(&self) -> bool {
        self.at == At::Message || self.have > 0
    }
}

/// Whether a message of that length could begin a frame of `frame` bytes: it fills it, or goes on in further frames of
/// which this one is a full one.
fn fits(len: u32, frame: usize, exactly: bool) -> bool {
    let whole = len as usize + PREFIX;
    whole == frame || (!exactly && whole > frame && frame >= 8 << 10 && len < 64 << 20)
}

/// The name of a status and what it makes of the exchange
/// (<https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>).
pub(super) fn status(code: i32) -> (&'static str, Outcome) {
    use Outcome::{ClientError, Ok, ServerError, Timeout};
    const STATUSES: [(&str, Outcome); 17] = [
        ("OK", Ok),
        ("CANCELLED", ClientError),
        ("UNKNOWN", ServerError),
        ("INVALID_ARGUMENT", ClientError),
        ("DEADLINE_EXCEEDED", Timeout),
        ("NOT_FOUND", ClientError),
        ("ALREADY_EXISTS", ClientError),
        ("PERMISSION_DENIED", ClientError),
        ("RESOURCE_EXHAUSTED", ServerError),
        ("FAILED_PRECONDITION", ClientError),
        ("ABORTED", ServerError),
        ("OUT_OF_RANGE", ClientError),
        ("UNIMPLEMENTED", ServerError),
        ("INTERNAL", ServerError),
        ("UNAVAILABLE", ServerError),
        ("DATA_LOSS", ServerError),
        ("UNAUTHENTICATED", ClientError),
    ];
    // Clients read any other as UNKNOWN.
    usize::try_from(code).ok().and_then(|code| STATUSES.get(code)).copied().unwrap_or(("", ServerError))
}

/// A status as it is sent.
pub(super) fn status_code(value: &[u8]) -> Option<i32> {
    let digits = (1..=9).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    digits.then(|| value.iter().fold(0, |code, digit| code * 10 + i32::from(digit - b'0')))
}

/// A `grpc-timeout`.
pub(super) fn timeout(value: &[u8]) -> Option<Nanos> {
    let (&unit, digits) = value.split_last()?;
    let unit = match unit {
        b'H' => 3600 * SECOND,
        b'M' => 60 * SECOND,
        b'S' => SECOND,
        b'm' => MILLISECOND,
        b'u' => 1000,
        b'n' => 1,
        _ => return None,
    };
    let plausible = (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plausible.then(|| digits.iter().fold(0, |n: i64, digit| n * 10 + i64::from(digit - b'0')).saturating_mul(unit))
}

/// A `grpc-message`, its percent-encoding undone.
pub(super) fn message(value: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = |at: usize| behind.get(at).and_then(|&digit| (digit as char).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, hex(0), hex(1)) {
            bytes.push((high * 16 + low) as u8);
            rest = &behind[2..];
        } else {
            bytes.push(byte);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut deframer = Deframer::default();
        let mut said: Vec<String> = Vec::new();
        for piece in pieces {
            let mut data = *piece;
            while let Some(event) = deframer.next(&mut data) {
                match event {
                    Event::Bytes(bytes) => {
                        let text = String::from_utf8_lossy(bytes);
                        match said.last_mut() {
                            Some(last) if last.starts_with('"') => last.push_str(&text),
                            _ => said.push(format!("\"{text}")),
                        }
                    }
                    event => said.push(format!("{event:?}")),
                }
            }
        }
        said
    }

    #[test]
    fn messages_in_any_pieces() {
        let data = b"\0\0\0\0\x03one\x01\0\0\0\0\0\0\0\0\x05three";
        let expected = ["Begin(false)", "\"one", "End", "Begin(true)", "End", "Begin(false)", "\"three", "End"];
        assert_eq!(events(&[data]), expected);
        assert_eq!(events(&data.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn timeouts() {
        assert_eq!(timeout(b"200m"), Some(200 * MILLISECOND));
        assert_eq!(timeout(b"99999999H"), Some(i64::MAX), "longer than anything is counted");
        assert_eq!(timeout(b"1"), None);
        assert_eq!(timeout(b"123456789S"), None);
        assert_eq!(timeout(b"-1S"), None);
    }

    #[test]
    fn messages_are_percent_decoded() {
        assert_eq!(message(b"no such item%3a %F0%9F%90%B1 100%"), "no such item: \u{1f431} 100%");
    }

    #[test]
    fn content_types() {
        assert!(is_grpc(b"application/grpc") && is_grpc(b"application/grpc+proto") && is_grpc(b"application/grpc;x"));
        assert!(!is_grpc(b"application/grpc-web+proto") && !is_grpc(b"application/json"));
    }
}
