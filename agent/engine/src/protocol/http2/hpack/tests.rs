//! Field blocks of RFC 7541 appendix C, and what a loss makes of the table.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, Broken> {
    let (mut text, mut fields) = (Vec::new(), Vec::new());
    decoder.block(block, &mut text, |text, _, header| {
        let of = |span: Option<(u32, u32)>| {
            span.map_or("?".into(), |(start, end)| {
                String::from_utf8_lossy(&text[start as usize..end as usize]).into_owned()
            })
        };
        fields.push(format!("{}: {}", of(header.name), of(header.value)));
        true
    })?;
    Ok(fields)
}

#[test]
fn requests_with_huffman_coding() {
    let mut decoder = Decoder::default();
    let first = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
    assert_eq!(read(&mut decoder, &bytes("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")).unwrap(), first);
    let second = [&first[..], &["cache-control: no-cache"]].concat();
    assert_eq!(read(&mut decoder, &bytes("8286 84be 5886 a8eb 1064 9cbf")).unwrap(), second);
    let third = read(&mut decoder, &bytes("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")).unwrap();
    let expected = [
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
    ];
    assert_eq!(third, expected);
}

#[test]
fn responses_with_eviction() {
    let mut decoder = Decoder::default();
    // The examples set the size to 256 by a setting; here by an update.
    let first = "3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 \
                 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d";
    assert_eq!(read(&mut decoder, &bytes(first)).unwrap()[0], ":status: 302");
    let second = read(&mut decoder, &bytes("4803 3330 37c1 c0bf")).unwrap();
    let rest = ["cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"];
    assert_eq!(second, [&[":status: 307"], &rest[..]].concat());
    assert_eq!(read(&mut decoder, &bytes("88c1 c0bf")).unwrap(), [&[":status: 200"], &rest[..]].concat());
    // The first status was evicted by the second.
    assert_eq!(read(&mut decoder, &[0x80 | 66]).unwrap(), ["?: ?"]);
}

#[test]
fn after_a_loss_only_what_was_inserted_since_is_known() {
    let mut decoder = Decoder::default();
    read(&mut decoder, b"\x40\x01a\x011").unwrap();
    decoder.lose();
    assert_eq!(read(&mut decoder, b"\xbe\x40\x01b\x012\xbe\xbf").unwrap(), ["?: ?", "b: 2", "b: 2", "?: ?"]);
    // A name that is unknown is so in what is made of it; its place in the table counts.
    assert_eq!(read(&mut decoder, b"\x7f\x01\x013\xbe\xbf").unwrap(), ["?: 3", "?: 3", "b: 2"]);
}

#[test]
fn broken_blocks_make_the_table_unknown() {
    for broken in [&b"\x80"[..], b"\x40\x05ab", b"\xff\xff\xff\xff\xff\xff\x0f", b"\x40\x01a\x81\x00", b"\x40"] {
        let mut decoder = Decoder::default();
        read(&mut decoder, b"\x40\x01a\x011").unwrap();
        assert_eq!(read(&mut decoder, broken), Err(Broken), "{broken:?}");
        assert_eq!(read(&mut decoder, b"\xbe").unwrap(), ["?: ?"]);
    }
}

#[test]
fn memory_is_that_of_the_table() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.held(), 0);
    for n in 0..10_000u32 {
        read(&mut decoder, &[&b"\x40\x04"[..], format!("{n:04}").as_bytes(), b"\x7f\x00", &[b'v'; 127]].concat())
            .unwrap();
    }
    assert!(decoder.held() < 16 << 10, "{}", decoder.held());
    read(&mut decoder, b"\x20").unwrap();
    assert!(decoder.held() < 8 << 10, "{}", decoder.held());
}
