//! ClientHello and ServerHello (RFC 8446 section 4.1): the server's name, the application protocol, the version.

use std::borrow::Cow;

/// Content type of handshake messages (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// A record holds at most so many bytes, encrypted (RFC 5246 section 6.2.3).
const RECORD: usize = (1 << 14) + 2048;
/// A hello is never longer: with post-quantum keys and encrypted hellos real ones have 2 KB.
const HELLO: usize = 1 << 16;
/// Application protocols that are kept of one hello.
const PROTOCOLS: usize = 16;

/// What the beginning of a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// It may be, but more bytes are needed.
    Incomplete,
    /// Not what was looked for.
    NotTls,
    /// It is there.
    Hello(T),
}

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// Server name.
    pub sni: Option<String>,
    /// Application protocols in order of preference, at most 16.
    pub alpn: Vec<String>,
    /// The highest version that is offered, see [`version_name`].
    pub version: u16,
}

/// What a server chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// Application protocol; from TLS 1.3 on it is encrypted.
    pub alpn: Option<String>,
    /// See [`version_name`].
    pub version: u16,
}

/// Whether the bytes begin with the header of a record. Five bytes are needed; fewer are judged as far as they go.
pub fn is_tls_record(bytes: &[u8]) -> bool {
    let len = bytes.get(3..5).map_or(1, |len| usize::from(len[0]) << 8 | usize::from(len[1]));
    bytes.first().is_some_and(|kind| (20..=24).contains(kind))
        && bytes.get(1).is_none_or(|&major| major == 3)
        && bytes.get(2).is_none_or(|&minor| minor <= 4)
        && (1..=RECORD).contains(&len)
}

/// "TLS 1.3".
pub fn version_name(version: u16) -> Cow<'static, str> {
    Cow::Borrowed(match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        other => return Cow::Owned(format!("TLS {other:#06x}")),
    })
}

/// Reads the ClientHello that a connection begins with.
pub fn client_hello(bytes: &[u8]) -> Parsed<ClientHello> {
    parse(bytes, 1, |mut body| {
        let mut hello = ClientHello { version: body.u16()?, ..ClientHello::default() };
        body.take(32)?;
        body.list(1)?;
        body.list(2)?;
        body.list(1)?;
        let mut versions = None;
        extensions(&mut body, |kind, mut data| {
            match kind {
                0 if hello.sni.is_none() => hello.sni = server_name(&mut data)?,
                16 if hello.alpn.is_empty() => {
                    let mut list = data.list(2)?;
                    while !list.0.is_empty() && hello.alpn.len() < PROTOCOLS {
                        hello.alpn.push(text(list.list(1)?.0));
                    }
                }
                43 => versions = data.list(1)?.highest_version(),
                _ => {}
            }
            Some(())
        })?;
        hello.version = versions.unwrap_or(hello.version);
        Some(hello)
    })
}

/// Reads the ServerHello that the server's side of a connection begins with.
pub fn server_hello(bytes: &[u8]) -> Parsed<ServerHello> {
    parse(bytes, 2, |mut body| {
        let mut hello = ServerHello { version: body.u16()?, ..ServerHello::default() };
        body.take(32)?;
        body.list(1)?;
        body.take(3)?;
        extensions(&mut body, |kind, mut data| {
            match kind {
                16 => hello.alpn = Some(text(data.list(2)?.list(1)?.0)),
                43 => hello.version = data.u16()?,
                _ => {}
            }
            Some(())
        })?;
        Some(hello)
    })
}

/// Reads the first handshake message, which must be of this type; it may lie in several records.
fn parse<T>(bytes: &[u8], kind: u8, read: impl Fn(Data<'_>) -> Option<T>) -> Parsed<T> {
    let mut spanned = Vec::new();
    let mut rest = bytes;
    loop {
        if rest.is_empty() {
            return Parsed::Incomplete;
        }
        if rest[0] != HANDSHAKE || !is_tls_record(rest) {
            return Parsed::NotTls;
        }
        let Some((header, record)) = rest.split_at_checked(5) else { return Parsed::Incomplete };
        let len = usize::from(header[3]) << 8 | usize::from(header[4]);
        let fragment = &record[..len.min(record.len())];
        // Most hellos lie in one record: nothing is copied then.
        let message = if spanned.is_empty() {
            fragment
        } else {
            spanned.extend_from_slice(fragment);
            &spanned[..]
        };
        if message.first().is_some_and(|&first| first != kind) {
            return Parsed::NotTls;
        }
        if let Some(header) = message.get(1..4) {
            let len = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
            if len > HELLO {
                return Parsed::NotTls;
            }
            if let Some(body) = message.get(4..4 + len) {
                return read(Data(body)).map_or(Parsed::NotTls, Parsed::Hello);
            }
        }
        if record.len() < len {
            return Parsed::Incomplete;
        }
        if spanned.is_empty() {
            spanned.extend_from_slice(fragment);
        }
        rest = &record[len..];
    }
}

/// Calls `each` with the type and data of every extension; old hellos have none.
fn extensions<'a>(body: &mut Data<'a>, mut each: impl FnMut(u16, Data<'a>) -> Option<()>) -> Option<()> {
    if body.0.is_empty() {
        return Some(());
    }
    let mut list = body.list(2)?;
    while !list.0.is_empty() {
        let kind = list.u16()?;
        each(kind, list.list(2)?)?;
    }
    Some(())
}

/// The first host name (RFC 6066 section 3).
fn server_name(data: &mut Data<'_>) -> Option<Option<String>> {
    // A server that only confirms it sends no list.
    if data.0.is_empty() {
        return Some(None);
    }
    let mut list = data.list(2)?;
    while !list.0.is_empty() {
        let kind = list.take(1)?[0];
        let name = list.list(2)?.0;
        if kind == 0 && (1..=255).contains(&name.len()) {
            return Some(Some(text(name)));
        }
    }
    Some(None)
}

/// Names are ASCII; what is not is escaped.
fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// What is left of a message.
struct Data<'a>(&'a [u8]);

impl<'a> Data<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// What stands behind a length of `width` bytes.
    fn list(&mut self, width: usize) -> Option<Data<'a>> {
        let len = self.take(width)?.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
        self.take(len).map(Data)
    }

    /// Leaves out what only tests the tolerance of servers (RFC 8701).
    fn highest_version(&mut self) -> Option<u16> {
        let versions = self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        versions.filter(|version| (0x0300..=0x0304).contains(version)).max()
    }
}
