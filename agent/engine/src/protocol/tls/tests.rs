//! Hellos of OpenSSL and such built by hand: split, cut and broken.

use proptest::prelude::*;

use super::hello::*;
use crate::protocol::http2::tests::wire::{Client, Row, Server, Wire, timeless};

fn with_len(width: usize, bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[4 - width..], bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), with_len(2, data)].concat()
}

fn sni(name: &[u8]) -> Vec<u8> {
    extension(0, &with_len(2, &[&[0][..], &with_len(2, name)].concat()))
}

fn alpn(names: &[&str]) -> Vec<u8> {
    extension(16, &with_len(2, &names.iter().flat_map(|name| with_len(1, name.as_bytes())).collect::<Vec<_>>()))
}

fn client_body(extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend(with_len(1, &[9; 32]));
    body.extend(with_len(2, &[0x13, 1, 0xc0, 0x2f]));
    body.extend(with_len(1, &[0]));
    body.extend(with_len(2, &extensions.concat()));
    body
}

fn server_body(extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend(with_len(1, &[9; 32]));
    body.extend_from_slice(&[0x13, 1, 0]);
    body.extend(with_len(2, &extensions.concat()));
    body
}

/// A handshake message in records of at most `size` bytes.
fn records(kind: u8, body: &[u8], size: usize) -> Vec<u8> {
    let message = [vec![kind], with_len(3, body)].concat();
    message.chunks(size).flat_map(|part| [vec![22, 3, 1], with_len(2, part)].concat()).collect()
}

fn usual_client() -> Vec<u8> {
    client_body(&[
        extension(0x0a0a, &[]),
        sni(b"shop.example.org"),
        extension(10, &with_len(2, &[0, 29])),
        alpn(&["h2", "http/1.1"]),
        extension(43, &with_len(1, &[0x6a, 0x6a, 3, 4, 3, 3])),
    ])
}

#[test]
fn what_a_client_asks_for() {
    let hello = Parsed::Hello(ClientHello {
        sni: Some("shop.example.org".into()),
        alpn: vec!["h2".into(), "http/1.1".into()],
        version: 0x0304,
    });
    for size in [16384, 100, 7, 1] {
        assert_eq!(client_hello(&records(1, &usual_client(), size)), hello, "records of {size}");
    }
    let followed = [records(1, &usual_client(), 16384), vec![20, 3, 3, 0, 1, 1]].concat();
    assert_eq!(client_hello(&followed), hello);
    assert_eq!((version_name(0x0304), version_name(0x7f1c)), ("TLS 1.3".into(), "TLS 0x7f1c".into()));
}

#[test]
fn what_a_server_chooses() {
    let old = records(2, &server_body(&[extension(0, &[]), alpn(&["h2"])]), 16384);
    assert_eq!(server_hello(&old), Parsed::Hello(ServerHello { alpn: Some("h2".into()), version: 0x0303 }));
    let new = records(2, &server_body(&[extension(43, &[3, 4])]), 16384);
    assert_eq!(server_hello(&new), Parsed::Hello(ServerHello { alpn: None, version: 0x0304 }));
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn hellos_of_openssl() {
    let client =
        hex("16030100ae010000aa0303cdc9f34250d859e8e6949bf20550a36bb65394ad3902bff942a3bddf6c2d4d7d000004c02f00ff0100\
         007d00000015001300001073686f702e6578616d706c652e6f7267000b000403000102000a000c000a001d0017001e0019001800\
         2300000010000e000c02683208687474702f312e310016000000170000000d002a0028040305030603080708080809080a080b08\
         0408050806040105010601030303010302040205020602");
    let expected = ClientHello {
        sni: Some("shop.example.org".into()),
        alpn: vec!["h2".into(), "http/1.1".into()],
        version: 0x0303,
    };
    assert_eq!(client_hello(&client), Parsed::Hello(expected));
    let server =
        hex("16030300500200004c03039154451ac284e2c14782947c311538a398e939a1d17ad5fa444f574e4752440100c02f000024ff0100\
         0100000b000403000102002300000010000b000908687474702f312e3100170000");
    assert_eq!(server_hello(&server), Parsed::Hello(ServerHello { alpn: Some("http/1.1".into()), version: 0x0303 }));
    let server =
        hex("160303007a020000760303eea4fd85150367b7c5f95c67c7227550bc839631f8e38d3875b3de47dfe405402045cd38d95b671ecc\
         b7d3155bd4f4447325d9f4e1c3f552203f3a10dd7131b91e130200002e002b0002030400330024001d0020cb64277f7b972b3e45\
         bbda3bad7c274ecd9155c94ea8c4c0ceb40a7ef644b215");
    assert_eq!(server_hello(&server), Parsed::Hello(ServerHello { alpn: None, version: 0x0304 }));
}

#[test]
fn hellos_without_extensions() {
    let body = client_body(&[]);
    let none = Parsed::Hello(ClientHello { version: 0x0303, ..ClientHello::default() });
    assert_eq!(client_hello(&records(1, &body, 999)), none);
    assert_eq!(client_hello(&records(1, &body[..body.len() - 2], 999)), none);
}

#[test]
fn every_part_is_incomplete() {
    let bytes = records(1, &usual_client(), 50);
    for cut in 0..bytes.len() {
        assert_eq!(client_hello(&bytes[..cut]), Parsed::Incomplete, "{cut}");
    }
}

#[test]
fn what_is_no_hello() {
    let bytes = records(1, &usual_client(), 16384);
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        bytes
    };
    for (what, bytes) in [
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("application data", with(0, 23)),
        ("another version", with(1, 2)),
        ("too long a record", with(3, 0xff)),
        ("an empty record", vec![22, 3, 1, 0, 0]),
        ("a server's hello", with(5, 2)),
        ("too long a hello", with(6, 2)),
        ("lists that do not fit", with(43, 0xff)),
        ("an alert in between", [&records(1, &usual_client(), 50)[..55], &[21, 3, 3, 0, 2, 2, 40]].concat()),
    ] {
        assert_eq!(client_hello(&bytes), Parsed::NotTls, "{what}");
    }
}

#[test]
fn odd_names_are_escaped_and_bounded() {
    let many: Vec<String> = (0..100).map(|n| format!("p{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let body = client_body(&[sni(b"a\x00\xff b"), sni(b"second"), alpn(&many)]);
    let Parsed::Hello(hello) = client_hello(&records(1, &body, 16384)) else { panic!() };
    assert_eq!(hello.sni.as_deref(), Some("a\\x00\\xff b"));
    assert_eq!(hello.alpn.len(), 16);
    let long = client_body(&[sni(&[b'a'; 300])]);
    assert!(matches!(client_hello(&records(1, &long, 16384)), Parsed::Hello(ClientHello { sni: None, .. })));
}

#[test]
fn record_headers() {
    for bytes in [&[22, 3, 1, 2, 0][..], &[23, 3, 3, 64, 0, 9], &[20], &[21, 3], &[24, 3, 4]] {
        assert!(is_tls_record(bytes), "{bytes:?}");
    }
    for bytes in [&b""[..], b"GET /", &[22, 3, 5], &[19, 3, 3, 0, 1], &[22, 3, 3, 0, 0], &[23, 3, 3, 0x48, 1], &[22, 2]]
    {
        assert!(!is_tls_record(bytes), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at: prop::sample::Index,
        size in 1usize..300,
    ) {
        client_hello(&bytes);
        server_hello(&bytes);
        for (kind, body) in [(1, usual_client()), (2, server_body(&[alpn(&["h2"])]))] {
            let mut message = records(kind, &body, size);
            let at = at.index(message.len());
            let end = message.len().min(at + bytes.len());
            message[at..end].copy_from_slice(&bytes[..end - at]);
            client_hello(&message);
            server_hello(&message);
        }
    }

    #[test]
    fn more_bytes_never_change_the_answer(
        size in 1usize..300,
        cut: prop::sample::Index,
        noise in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let bytes = [records(1, &usual_client(), size), noise].concat();
        let part = &bytes[..cut.index(bytes.len() + 1)];
        let answer = client_hello(part);
        prop_assert!(answer == Parsed::Incomplete || answer == client_hello(&bytes));
    }

    #[test]
    fn any_split_gives_the_same_connection(
        host in "[a-z]{1,40}",
        offered in prop::collection::vec("[a-z/]{1,9}", 0..4),
        chosen in prop::option::of("[a-z/]{1,9}"),
        record_sizes in [4usize..300, 4..300],
        data in prop::collection::vec((any::<bool>(), 1usize..400), 0..8),
        sizes in prop::collection::vec(1usize..60, 1..40),
    ) {
        let offered: Vec<&str> = offered.iter().map(String::as_str).collect();
        let client = client_body(&[sni(host.as_bytes()), alpn(&offered)]);
        let extensions: Vec<Vec<u8>> = chosen.iter().map(|name| alpn(&[name])).collect();
        let hellos = [(Client, records(1, &client, record_sizes[0])), (Server, records(2, &server_body(&extensions), record_sizes[1]))];
        let secrets = data.iter().map(|&(is_client, len)| {
            let side = if is_client { Client } else { Server };
            (side, [vec![23, 3, 3], with_len(2, &vec![side as u8; len])].concat())
        });
        let said: Vec<_> = hellos.into_iter().chain(secrets).collect();
        let split = |sizes: &[usize]| {
            let mut wire = Wire::opened();
            wire.step = 1000;
            let mut sizes = sizes.iter().copied().cycle();
            for (side, bytes) in &said {
                wire.send_split(*side, bytes, &mut sizes);
            }
            wire.close(Client);
            wire.end().connections
        };
        let whole = split(&[usize::MAX]);
        prop_assert_eq!(timeless(&whole), timeless(&split(&sizes)));
        let text = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_default();
        let expected = chosen.clone().unwrap_or_else(|| offered.join(","));
        let said = ["protocol", "server_name", "alpn"].map(|column| text(&whole[0], column));
        prop_assert_eq!((whole.len(), said), (1, ["tls".to_string(), host, expected]));
    }
}
