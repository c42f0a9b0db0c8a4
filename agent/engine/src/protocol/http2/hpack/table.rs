//! The tables of HPACK (RFC 7541 section 2.3 and appendix A).

use std::collections::VecDeque;

/// What a field's name means here, so that names are compared once, when they enter the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::protocol::http2) enum Class {
    #[default]
    Plain,
    Unknown,
    Method,
    Path,
    Scheme,
    Authority,
    Status,
    /// Any other that begins with a colon.
    Pseudo,
    Host,
    ContentType,
    ContentEncoding,
    UserAgent,
    GrpcStatus,
    GrpcMessage,
    GrpcEncoding,
    GrpcTimeout,
    /// Any other that begins with `grpc-`.
    Grpc,
}

impl Class {
    /// Whether it belongs to the first line rather than to the headers.
    pub fn is_pseudo(self) -> bool {
        matches!(self, Self::Method | Self::Path | Self::Scheme | Self::Authority | Self::Status | Self::Pseudo)
    }

    /// Of a name.
    pub fn of(name: &[u8]) -> Self {
        match name {
            [b':', ..] => match name {
                b":method" => Self::Method,
                b":path" => Self::Path,
                b":scheme" => Self::Scheme,
                b":authority" => Self::Authority,
                b":status" => Self::Status,
                _ => Self::Pseudo,
            },
            [b'g', b'r', b'p', b'c', b'-', rest @ ..] => match rest {
                b"status" => Self::GrpcStatus,
                b"message" => Self::GrpcMessage,
                b"encoding" => Self::GrpcEncoding,
                b"timeout" => Self::GrpcTimeout,
                _ => Self::Grpc,
            },
            b"host" => Self::Host,
            b"content-type" => Self::ContentType,
            b"content-encoding" => Self::ContentEncoding,
            b"user-agent" => Self::UserAgent,
            _ => Self::Plain,
        }
    }
}

/// A field of the static table: its name and its value in one text, the length of the name, and its class.
macro_rules! field {
    ($name:literal, $value:literal, $class:ident) => {
        (concat!($name, $value).as_bytes(), $name.len() as u32, Class::$class)
    };
}

/// The static table, from index 1.
pub(super) const STATIC: [(&[u8], u32, Class); 61] = [
    field!(":authority", "", Authority),
    field!(":method", "GET", Method),
    field!(":method", "POST", Method),
    field!(":path", "/", Path),
    field!(":path", "/index.html", Path),
    field!(":scheme", "http", Scheme),
    field!(":scheme", "https", Scheme),
    field!(":status", "200", Status),
    field!(":status", "204", Status),
    field!(":status", "206", Status),
    field!(":status", "304", Status),
    field!(":status", "400", Status),
    field!(":status", "404", Status),
    field!(":status", "500", Status),
    field!("accept-charset", "", Plain),
    field!("accept-encoding", "gzip, deflate", Plain),
    field!("accept-language", "", Plain),
    field!("accept-ranges", "", Plain),
    field!("accept", "", Plain),
    field!("access-control-allow-origin", "", Plain),
    field!("age", "", Plain),
    field!("allow", "", Plain),
    field!("authorization", "", Plain),
    field!("cache-control", "", Plain),
    field!("content-disposition", "", Plain),
    field!("content-encoding", "", ContentEncoding),
    field!("content-language", "", Plain),
    field!("content-length", "", Plain),
    field!("content-location", "", Plain),
    field!("content-range", "", Plain),
    field!("content-type", "", ContentType),
    field!("cookie", "", Plain),
    field!("date", "", Plain),
    field!("etag", "", Plain),
    field!("expect", "", Plain),
    field!("expires", "", Plain),
    field!("from", "", Plain),
    field!("host", "", Host),
    field!("if-match", "", Plain),
    field!("if-modified-since", "", Plain),
    field!("if-none-match", "", Plain),
    field!("if-range", "", Plain),
    field!("if-unmodified-since", "", Plain),
    field!("last-modified", "", Plain),
    field!("link", "", Plain),
    field!("location", "", Plain),
    field!("max-forwards", "", Plain),
    field!("proxy-authenticate", "", Plain),
    field!("proxy-authorization", "", Plain),
    field!("range", "", Plain),
    field!("referer", "", Plain),
    field!("refresh", "", Plain),
    field!("retry-after", "", Plain),
    field!("server", "", Plain),
    field!("set-cookie", "", Plain),
    field!("strict-transport-security", "", Plain),
    field!("transfer-encoding", "", Plain),
    field!("user-agent", "", UserAgent),
    field!("vary", "", Plain),
    field!("via", "", Plain),
    field!("www-authenticate", "", Plain),
];

/// What an entry counts besides its text (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;
/// The largest table that is followed: more than any server or client of the field allows. Of a larger one, the older
/// entries are unknown.
pub(super) const LARGEST: usize = 64 << 10;
/// The size before anything else was said (RFC 9113 section 6.5.2).
const INITIAL: usize = 4096;

/// A field of the dynamic table.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Where its text is, counted from the first that the table ever held.
    at: u64,
    /// Length of its name, unless that is unknown.
    pub name: Option<u32>,
    value: u32,
    pub class: Class,
}

/// The dynamic table of one direction, as far as it is known.
///
/// Indices count from the newest entry. So what was inserted after a loss is known by its index whatever was lost, and
/// only what lies behind it is not. Dropping old entries early makes them unknown; it never makes them wrong.
pub(super) struct Dynamic {
    /// The newest first.
    entries: VecDeque<Entry>,
    /// Texts of the entries, the oldest first.
    text: Vec<u8>,
    /// Counts the bytes that preceded `text`.
    gone: u64,
    size: usize,
    max: usize,
}

impl Default for Dynamic {
    fn default() -> Self {
        Self { entries: VecDeque::new(), text: Vec::new(), gone: 0, size: 0, max: INITIAL }
    }
}

impl Dynamic {
    /// The entry at an index, 0 being the newest.
    pub fn get(&self, index: usize) -> Option<Entry> {
        self.entries.get(index).copied()
    }

    /// Its name, unless unknown, and its value behind it.
    pub fn text_of(&self, entry: Entry) -> &[u8] {
        let at = (entry.at - self.gone) as usize;
        &self.text[at..at + (entry.name.unwrap_or(0) + entry.value) as usize]
    }

    /// Inserts a field.
    pub fn insert(&mut self, name: Option<&[u8]>, value: &[u8], class: Class) {
        // With a name that is unknown, the size is a lower bound: entries are kept too long, which does no harm.
        let len = name.map_or(0, <[u8]>::len) + value.len();
        self.size += len + OVERHEAD;
        let entry = Entry {
            at: self.gone + self.text.len() as u64,
            name: name.map(|name| name.len() as u32),
            value: value.len() as u32,
            class,
        };
        self.text.extend_from_slice(name.unwrap_or_default());
        self.text.extend_from_slice(value);
        self.entries.push_front(entry);
        self.evict();
    }

    /// Takes a dynamic table size update.
    pub fn resize(&mut self, max: usize) {
        self.max = max.min(LARGEST);
        self.evict();
    }

    /// Nothing of it is known any more.
    pub fn forget(&mut self) {
        *self = Self { max: self.max.max(INITIAL), ..Self::default() };
    }

    fn evict(&mut self) {
        while self.size > self.max {
            let Some(entry) = self.entries.pop_back() else { break };
            self.size -= entry.name.unwrap_or(0) as usize + entry.value as usize + OVERHEAD;
        }
        let live = self.entries.back().map_or(self.gone + self.text.len() as u64, |oldest| oldest.at);
        let dead = (live - self.gone) as usize;
        if dead == self.text.len() {
            self.text = Vec::new();
            self.gone = live;
        } else if dead >= 1024 && dead >= self.text.len() / 2 {
            self.text.drain(..dead);
            self.gone = live;
        }
    }

    /// Bytes of heap that it holds.
    pub fn held(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}
