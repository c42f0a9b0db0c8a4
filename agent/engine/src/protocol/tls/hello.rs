//! ClientHello and ServerHello (RFC 8446 section 4.1), for the server's name (RFC 6066 section 3) and ALPN (RFC 7301).

/// A hello is no longer than this; with post-quantum key shares they come to about 2 KiB.
pub(super) const LONGEST: usize = 16 << 10;

/// What the first handshake message of a direction is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hello {
    Client {
        server_name: Option<String>,
        /// Protocols on offer, joined by commas.
        alpn: Option<String>,
    },
    Server {
        /// The protocol that was chosen (in TLS 1.3 it is encrypted).
        alpn: Option<String>,
    },
    More,
    Other,
}

/// Reads from the front of a slice.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    /// A big-endian number of `n` bytes.
    fn number(&mut self, n: usize) -> Option<usize> {
        Some(self.take(n)?.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
    }

    /// Bytes behind their length of `n` bytes.
    fn vector(&mut self, n: usize) -> Option<Bytes<'a>> {
        let len = self.number(n)?;
        self.take(len).map(Bytes)
    }
}

/// Text of names that are ASCII by definition; anything else is dropped.
fn text(bytes: &[u8]) -> Option<String> {
    let printable = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    printable.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Reads the first handshake message of a direction, which may span several records.
pub(super) fn hello(stream: &[u8]) -> Hello {
    let mut handshake = Vec::new();
    let mut rest = Bytes(stream);
    loop {
        match rest.take(3) {
            Some([22, 3, _]) => {}
            Some(_) => return Hello::Other,
            None => return Hello::More,
        }
        let Some(record) = rest.vector(2) else { return Hello::More };
        handshake.extend_from_slice(record.0);
        let mut message = Bytes(&handshake);
        let Some(kind) = message.number(1) else { continue };
        if let Some(body) = message.vector(3) {
            return match kind {
                1 => client(body).unwrap_or(Hello::Other),
                2 => server(body).unwrap_or(Hello::Other),
                _ => Hello::Other,
            };
        }
        if !matches!(kind, 1 | 2) || handshake.len() > LONGEST {
            return Hello::Other;
        }
    }
}

fn client(mut body: Bytes<'_>) -> Option<Hello> {
    body.take(2 + 32)?; // version, random
    body.vector(1)?; // session id
    body.vector(2)?; // cipher suites
    body.vector(1)?; // compression methods
    let (mut server_name, mut alpn) = (None, None);
    let mut extensions = body.vector(2).unwrap_or(Bytes(&[]));
    while let (Some(kind), Some(mut data)) = (extensions.number(2), extensions.vector(2)) {
        match kind {
            0 => {
                let mut names = data.vector(2)?;
                if names.number(1)? == 0 {
                    // No name is longer (RFC 1035 section 3.1).
                    server_name = Some(names.vector(2)?.0).filter(|name| name.len() <= 253).and_then(text);
                }
            }
            16 => alpn = protocols(&mut data),
            _ => {}
        }
    }
    Some(Hello::Client { server_name, alpn })
}

fn server(mut body: Bytes<'_>) -> Option<Hello> {
    body.take(2 + 32)?;
    body.vector(1)?;
    body.take(2 + 1)?; // cipher suite, compression method
    let mut alpn = None;
    let mut extensions = body.vector(2).unwrap_or(Bytes(&[]));
    while let (Some(kind), Some(mut data)) = (extensions.number(2), extensions.vector(2)) {
        if kind == 16 {
            alpn = protocols(&mut data);
        }
    }
    Some(Hello::Server { alpn })
}

fn protocols(data: &mut Bytes<'_>) -> Option<String> {
    let mut list = data.vector(2)?;
    let mut names = Vec::new();
    while let Some(name) = list.vector(1) {
        names.extend(text(name.0));
        if names.len() == 8 {
            break;
        }
    }
    (!names.is_empty()).then(|| names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client_hello() -> Vec<u8> {
        let mut extensions = Vec::new();
        extensions.extend([0, 0, 0, 16, 0, 14, 0, 0, 11]);
        extensions.extend(b"orders.shop");
        extensions.extend([0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0]);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        let mut message = vec![1, 0];
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(body);
        message
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        let mut stream = Vec::new();
        for piece in message.chunks(size) {
            stream.extend([22, 3, 1]);
            stream.extend((piece.len() as u16).to_be_bytes());
            stream.extend(piece);
        }
        stream
    }

    #[test]
    fn the_name_and_the_protocols_are_read_over_any_records() {
        let expected = Hello::Client { server_name: Some("orders.shop".into()), alpn: Some("h2".into()) };
        for size in 1..100 {
            assert_eq!(hello(&records(&client_hello(), size)), expected);
        }
    }

    #[test]
    fn a_part_of_it_asks_for_more() {
        let stream = records(&client_hello(), 20);
        for end in 0..stream.len() {
            assert_eq!(hello(&stream[..end]), Hello::More);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            hello(&records(&bytes, 50));
            hello(&bytes);
        }
    }
}
