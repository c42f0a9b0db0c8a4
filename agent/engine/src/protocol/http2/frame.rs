//! Frame headers and what the rules say about them (RFC 9113 sections 4.1 and 6).

use crate::stream::Side;

/// Bytes of a frame's header.
pub(super) const HEADER: usize = 9;
/// Largest payload unless the peer allows more, and the most that it can allow (RFC 9113 section 6.5.2).
pub(super) const MAX_FRAME: std::ops::RangeInclusive<u32> = 16 << 10..=(1 << 24) - 1;
/// The setting that allows more.
pub(super) const SETTINGS_MAX_FRAME_SIZE: u16 = 5;
/// What a client sends first (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types.
pub(super) mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Flags, by the frames that have them.
pub(super) mod flag {
    pub const END_STREAM: u8 = 0x1;
    pub const ACK: u8 = 0x1;
    pub const END_HEADERS: u8 = 0x4;
    pub const PADDED: u8 = 0x8;
    pub const PRIORITY: u8 = 0x20;
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of its payload.
    pub len: usize,
    /// See [`kind`].
    pub kind: u8,
    /// See [`flag`].
    pub flags: u8,
    /// 0: the connection's own.
    pub stream: u32,
}

impl Frame {
    /// Reads a header.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Some(Self { len: (word(0) >> 8) as usize, kind: header[3], flags: header[4], stream: word(5) & 0x7fff_ffff })
    }

    /// Whether a flag is set.
    #[inline]
    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether its length and stream are such as its type must have.
    #[inline]
    pub fn is_lawful(self) -> bool {
        let on_stream = self.stream != 0;
        match self.kind {
            kind::DATA => on_stream && (!self.has(flag::PADDED) || self.len >= 1),
            kind::HEADERS => {
                let fields = usize::from(self.has(flag::PADDED)) + 5 * usize::from(self.has(flag::PRIORITY));
                on_stream && self.len >= fields
            }
            kind::PRIORITY => on_stream && self.len == 5,
            kind::RST_STREAM => on_stream && self.len == 4,
            kind::SETTINGS => !on_stream && self.len.is_multiple_of(6) && (!self.has(flag::ACK) || self.len == 0),
            kind::PUSH_PROMISE => on_stream && self.len >= 4 + usize::from(self.has(flag::PADDED)),
            kind::PING => !on_stream && self.len == 8,
            kind::GOAWAY => !on_stream && self.len >= 8,
            kind::WINDOW_UPDATE => self.len == 4,
            kind::CONTINUATION => on_stream,
            _ => true,
        }
    }

    /// Where in its payload an error code is.
    pub fn code_at(self) -> Option<usize> {
        match self.kind {
            kind::RST_STREAM => Some(0),
            kind::GOAWAY => Some(4),
            _ => None,
        }
    }

    /// Whether it has a type that this engine does not know, and is yet as a field block's would be: no extension in use
    /// is, so that its type may be damaged.
    pub fn hides_fields(self) -> bool {
        self.kind > kind::CONTINUATION && self.stream != 0 && self.has(flag::END_HEADERS)
    }

    /// How many bits of its header speak for it being one, found in bytes of which nothing is known; `None`: it is
    /// none, or one so unusual that it counts for nothing. Small numbers are common in any binary data, so that what
    /// is mostly zero counts little.
    pub fn evidence(self, reserved: u8) -> Option<u32> {
        use kind::*;
        // Larger streams and frames exist, but are rare where one joins; nothing is lost but a little time.
        if !self.is_lawful() || reserved & 0x80 != 0 || self.stream >= 1 << 28 || self.len > 1 << 20 {
            return None;
        }
        let (flags, bits) = match self.kind {
            DATA if self.len == 16 << 10 => (flag::END_STREAM | flag::PADDED, 40),
            DATA if self.len == 0 => (flag::END_STREAM, 0),
            DATA => (flag::END_STREAM | flag::PADDED, 16),
            HEADERS if self.len == 0 => return None,
            HEADERS => (flag::END_STREAM | flag::END_HEADERS | flag::PADDED | flag::PRIORITY, 28),
            PRIORITY | WINDOW_UPDATE => (0, 40),
            RST_STREAM => (0, 40),
            SETTINGS if self.len > 20 * 6 => return None,
            SETTINGS => (flag::ACK, 44),
            PUSH_PROMISE => (flag::END_HEADERS | flag::PADDED, 24),
            PING => (flag::ACK, 56),
            GOAWAY if self.len > 1024 => return None,
            GOAWAY => (0, 40),
            CONTINUATION => (flag::END_HEADERS, 24),
            _ => return None,
        };
        // Streams of clients are odd; pushed ones are out of use.
        let usual = self.stream == 0 || self.stream % 2 == 1;
        (self.flags & !flags == 0 && usual && self.len <= 16 << 10).then_some(bits)
    }
}

/// The name of an error code in words (RFC 9113 section 7).
pub(super) fn error_name(code: u32) -> &'static str {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES.get(code as usize).copied().unwrap_or("unknown error code")
}

/// Error codes that mean something of their own here.
pub(super) mod code {
    pub const NO_ERROR: u32 = 0;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    /// Greater ones have no meaning.
    pub const LAST: u32 = 13;
}

/// The payload of a HEADERS (`fields`: its priority) or PUSH_PROMISE (the promised stream) frame without padding and
/// what precedes the header block.
pub(super) fn fragment(frame: Frame, payload: &[u8], fields: usize) -> Option<&[u8]> {
    let (pad, payload) = match payload {
        [pad, rest @ ..] if frame.has(flag::PADDED) => (usize::from(*pad), rest),
        _ => (0, payload),
    };
    let end = payload.len().checked_sub(pad)?;
    payload.get(fields..end)
}

/// The words for who did something.
pub(super) fn who(side: Side) -> &'static str {
    match side {
        Side::Client => "the client",
        Side::Server => "the server",
    }
}
