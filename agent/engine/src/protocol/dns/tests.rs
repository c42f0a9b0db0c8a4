//! Messages built by hand, as servers send them, cut, broken and of other protocols.

use proptest::prelude::*;

use super::message::{Message, looks_like_dns, parse};
use super::render::{Rendered, records};
use super::words;

/// A header with flags and counts.
pub(super) fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [id, flags, counts[0], counts[1], counts[2], counts[3]].iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    bytes.push(0);
    bytes
}

pub(super) fn question(text: &str, kind: u16) -> Vec<u8> {
    [name(text), kind.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

pub(super) fn record(owner: &[u8], kind: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = owner.to_vec();
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&class.to_be_bytes());
    bytes.extend_from_slice(&ttl.to_be_bytes());
    bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// A pointer to the name of the question.
const SAME: &[u8] = &[0xc0, 12];

fn query() -> Vec<u8> {
    [header(0x1234, 0x0100, [1, 0, 0, 0]), question("www.Example.org", 1)].concat()
}

/// An answer of `count` records behind the question.
fn response(kind: u16, answers: &[Vec<u8>]) -> Vec<u8> {
    let count = answers.len() as u16;
    [header(0x1234, 0x8180, [1, count, 0, 0]), question("www.example.org", kind), answers.concat()].concat()
}

fn rendered(message: &Message<'_>, limit: usize) -> (serde_json::Value, Rendered) {
    let mut out = b"kept".to_vec();
    let rendered = records(message, limit, &mut out);
    assert!(out.is_ascii());
    (serde_json::from_slice(&out[4..]).unwrap(), rendered)
}

/// The text of the only answer's data.
fn data(kind: u16, data: &[u8]) -> String {
    let bytes = response(kind, &[record(SAME, kind, 1, 60, data)]);
    let (json, rendered) = self::rendered(&parse(&bytes).unwrap(), 1 << 20);
    assert_eq!(rendered, Rendered::default());
    json["answers"][0]["data"].as_str().unwrap().to_owned()
}

#[test]
fn a_query() {
    let bytes = query();
    let message = parse(&bytes).unwrap();
    assert_eq!((message.id, message.is_response, message.opcode, message.response_code()), (0x1234, false, 0, 0));
    assert!(message.recursion_desired && !message.recursion_available && !message.authoritative);
    let question = message.question.unwrap();
    assert_eq!((question.name.as_str(), question.record_type, question.class), ("www.Example.org", 1, 1));
    assert!(looks_like_dns(&bytes));
}

#[test]
fn a_response_with_all_sections() {
    let bytes = [
        header(7, 0x8583, [1, 2, 1, 1]),
        question("www.example.org", 1),
        record(SAME, 5, 1, 300, &[&[3], &b"web"[..], &[0xc0, 16]].concat()),
        record(&[&[3], &b"web"[..], &[0xc0, 16]].concat(), 1, 1, 60, &[192, 0, 2, 1]),
        record(&[0xc0, 16], 2, 1, 900, &name("ns.example.net")),
        record(&[0], 41, 1232, 0x0100_8000, &[0, 15, 0, 5, 0, 15, b'a', b'd', b's']),
    ]
    .concat();
    let message = parse(&bytes).unwrap();
    assert!(looks_like_dns(&bytes));
    assert!(message.is_response && message.authoritative && message.recursion_available && !message.truncated);
    assert_eq!((message.response_code(), &*words::response_code(19)), (19, "BADMODE"));
    let (json, rendered) = rendered(&message, 1 << 20);
    assert_eq!(rendered, Rendered::default());
    assert_eq!(
        json,
        serde_json::json!({
            "answers": [
                {"name": "www.example.org", "type": "CNAME", "ttl": 300, "data": "web.example.org"},
                {"name": "web.example.org", "type": "A", "ttl": 60, "data": "192.0.2.1"},
            ],
            "authority": [{"name": "example.org", "type": "NS", "ttl": 900, "data": "ns.example.net"}],
            "additional": [{"name": ".", "type": "OPT", "data": "udp=1232 do error=15 (blocked) \"ads\""}],
        })
    );
}

#[test]
fn answers_of_dnsmasq() {
    for (bytes, code, answers) in [
        (
            "12348580000100020000000103777777076578616d706c65036f72670000010001c00c000500010000000000110361706907\
             6578616d706c65036f726700c02d00010001000000000004c000020100002904d0000080000000",
            "NOERROR",
            "CNAME api.example.org, A 192.0.2.1",
        ),
        (
            "12348580000100010000000103747874076578616d706c65036f72670000100001c00c001000010000000000100b68656c6c\
             6f20776f726c6403783d7900002904d0000080000000",
            "NOERROR",
            "TXT \"hello world\" \"x=y\"",
        ),
        (
            "123485800001000100000003055f68747470045f746370076578616d706c65036f72670000210001c00c0021000100000000\
             001700010002005003617069076578616d706c65036f726700c03a00010001000000000004c0000201c03a001c0001000000\
             00001020010db800000000000000000000000100002904d0000080000000",
            "NOERROR",
            "SRV 1 2 80 api.example.org",
        ),
        ("123481830001000000000001046e6f6e65076578616d706c65036f7267000001000100002904d0000080000000", "NXDOMAIN", ""),
        (
            "12348185000100000000000109656c73657768657265036e6574000001000100002904d0000080000006000f0002000e",
            "REFUSED",
            "",
        ),
    ] {
        let bytes = hex(bytes);
        assert!(looks_like_dns(&bytes));
        let message = parse(&bytes).unwrap();
        assert_eq!(words::response_code(message.response_code()), code);
        let (json, rendered) = rendered(&message, 1 << 20);
        assert_eq!(rendered, Rendered::default());
        let shown = json["answers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| format!("{} {}", record["type"].as_str().unwrap(), record["data"].as_str().unwrap()));
        assert_eq!(shown.collect::<Vec<_>>().join(", "), answers);
    }
}

#[test]
fn data_by_type() {
    let numbers = |numbers: &[u16]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    for (kind, bytes, text) in [
        (28, [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1]].concat(), "2001:db8::1"),
        (12, name("a.b"), "a.b"),
        (15, [numbers(&[10]), SAME.to_vec()].concat(), "10 www.example.org"),
        (33, [numbers(&[0, 5, 5060]), name("sip.a")].concat(), "0 5 5060 sip.a"),
        (
            6,
            [name("ns.a"), name("root.a"), (1..=5u32).flat_map(|n| n.to_be_bytes()).collect()].concat(),
            "ns.a root.a 1 2 3 4 5",
        ),
        (16, b"\x05v=\"1\"\x02\xc3\xa9\x00".to_vec(), r#""v=\"1\"" "\195\169" """#),
        (257, b"\x00\x05issueca.org".to_vec(), "0 issue \"ca.org\""),
        (35, [numbers(&[1, 2]), b"\x01s\x03SIP\x00".to_vec(), name("a")].concat(), r#"1 2 "s" "SIP" "" a"#),
        (43, [numbers(&[1, 0x0d02]), vec![0xab, 0xcd]].concat(), "1 13 2 abcd"),
        (
            65,
            [
                numbers(&[1]),
                name(""),
                b"\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x01\xbb\0\x04\0\x04\xc0\0\x02\x01".to_vec(),
            ]
            .concat(),
            "1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.1",
        ),
        (64, [numbers(&[0]), name("svc.a")].concat(), "0 svc.a"),
        (48, vec![1, 2, 3], "\\# 3 010203"),
        (65280, vec![], "\\# 0"),
        // Of another form than the type says.
        (1, vec![1, 2, 3], "\\# 3 010203"),
        (1, vec![1, 2, 3, 4, 5], "\\# 5 0102030405"),
        (16, vec![5, b'a'], "\\# 2 0561"),
    ] {
        assert_eq!(data(kind, &bytes), text);
    }
    assert!(data(10, &[0xaa; 500]).starts_with("\\# 500 aaaa") && data(10, &[0xaa; 500]).ends_with("..."));
}

#[test]
fn names_show_odd_bytes() {
    let bytes = [header(1, 0, [1, 0, 0, 0]), b"\x08a.b\\\"\0 \xff\x01C\0\0\x01\0\x01".to_vec()].concat();
    assert_eq!(parse(&bytes).unwrap().question.unwrap().name, r#"a\.b\\\"\000\032\255.C"#);
    let root = [header(1, 0, [1, 0, 0, 0]), question("", 2)].concat();
    assert_eq!(parse(&root).unwrap().question.unwrap().name, ".");
}

#[test]
fn pointers_that_lead_nowhere() {
    for name in [&[0xc0, 12][..], &[0xc0, 14], &[0xc0, 0xff], &[0xff, 0xff], &[1, b'a', 0xc0, 12], &[0x40, 0], &[64]] {
        let bytes = [header(1, 0, [1, 0, 0, 0]), name.to_vec(), vec![0, 1, 0, 1]].concat();
        assert_eq!(parse(&bytes).unwrap().question, None, "{name:?}");
        assert!(!looks_like_dns(&bytes));
    }
    // Each label points to the label before: a legal name of 255 bytes, and one that is too long.
    for (labels, is_legal) in [(127, true), (128, false)] {
        let mut bytes = header(1, 0x8000, [1, 1, 0, 0]);
        bytes.extend_from_slice(&[0, 0, 1, 0, 1]);
        let mut last = 12u16;
        for _ in 0..labels {
            let at = bytes.len() as u16;
            bytes.extend_from_slice(&[1, b'a']);
            bytes.extend_from_slice(&(0xc000 | last).to_be_bytes());
            last = at;
        }
        let mut text = Vec::new();
        assert_eq!(super::name::read(&bytes, last as usize, &mut text).is_some(), is_legal);
    }
}

#[test]
fn truncated_messages_give_what_is_there() {
    let answer = |n: u8| record(SAME, 1, 1, 60, &[192, 0, 2, n]);
    let whole = response(1, &[answer(1), answer(2), answer(3)]);
    let cut = &whole[..whole.len() - 20];
    let (json, rendered) = rendered(&parse(cut).unwrap(), 1 << 20);
    assert_eq!(json["answers"].as_array().unwrap().len(), 1);
    assert!(rendered.is_broken);
    assert!(looks_like_dns(cut));
    assert_eq!(parse(&whole[..20]).unwrap().question, None);
    assert_eq!(parse(&whole[..11]), None);
}

#[test]
fn records_beyond_the_limit_are_counted() {
    let answers: Vec<_> = (0..50).map(|n| record(SAME, 1, 1, 60, &[192, 0, 2, n])).collect();
    let bytes = response(1, &answers);
    let message = parse(&bytes).unwrap();
    let mut out = Vec::new();
    let rendered = records(&message, 1000, &mut out);
    assert!(out.len() <= 1000);
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json["answers"].as_array().unwrap().len() + rendered.left_out, 50);
    assert!(rendered.left_out > 0 && !rendered.is_broken);
}

#[test]
fn multicast_and_updates_are_dns() {
    let service = |count: usize| (0..count).flat_map(|_| question("_http._tcp.local", 0x000c)).collect::<Vec<_>>();
    assert!(looks_like_dns(&[header(0, 0, [2, 0, 0, 0]), service(2)].concat()));
    let answer = record(&name("h.local"), 1, 0x8001, 120, &[10, 0, 0, 1]);
    assert!(looks_like_dns(&[header(0, 0x8400, [0, 1, 0, 0]), answer].concat()));
    let update = [header(9, 0x2800, [1, 0, 1, 0]), question("a", 6), record(&name("b.a"), 1, 255, 0, &[])].concat();
    assert!(looks_like_dns(&update));
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn other_protocols_are_not_dns() {
    let netbios = [header(0x8001, 0x0110, [1, 0, 0, 0]), question(&"CA".repeat(16), 32)].concat();
    let long = |start: &[u8], len: usize| [start.to_vec(), vec![0; len]].concat();
    for (what, bytes) in [
        ("NTP request", long(&[0x23, 0, 6, 0xec], 44)),
        (
            "NTP response",
            hex("1c0304fa 00000a1e 00000b2b c0000201 e5f1a2b3c4d5e6f7e5f1a2b3c4d5e6f7e5f1a2b3c4d5e6f7e5f1a2b3c4d5e6f7"),
        ),
        ("SNMP", hex("302602010104067075626c6963a019020101020100020100300e300c06082b060102010101000500")),
        ("SIP", b"INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n".to_vec()),
        ("syslog", b"<34>Oct 11 22:14:15 host su: 'su root' failed".to_vec()),
        ("statsd", b"requests:1|c\nlatency:320|ms".to_vec()),
        ("STUN", hex("000100002112a442 0102030405060708090a0b0c")),
        ("QUIC initial", long(&hex("c3000000010883 94c8f03e51570000449e7b9aec34"), 1150)),
        ("DHCP", long(&hex("0101060000003d1d0000000000000000"), 220)),
        ("RTP", long(&hex("8000 0001 000000a0 12345678"), 160)),
        ("TFTP", b"\0\x01file\0octet\0".to_vec()),
        ("RADIUS", hex("01 01 0026 000102030405060708090a0b0c0d0e0f 0104 61 62 0212 000102030405060708090a0b0c0d0e0f")),
        ("memcached", b"\0\0\0\0\0\x01\0\0get key\r\n".to_vec()),
        ("VXLAN", long(&hex("0800000000002a00 ffffffffffff"), 40)),
        ("WireGuard", long(&[1, 0, 0, 0, 7], 143)),
        ("NetBIOS", netbios),
        ("zeros", vec![0; 64]),
        ("ones", vec![0xff; 64]),
        ("GELF", b"{\"version\":\"1.1\",\"host\":\"a\",\"short_message\":\"b\"}".to_vec()),
        ("TLS", hex("160301020001000001fc0303")),
        ("Kerberos", hex("6a81a030819da103020105a20302010aa3")),
        ("CoAP", hex("40010001 b474657374")),
        ("trailing", [query(), vec![0; 4]].concat()),
    ] {
        assert!(!looks_like_dns(&bytes), "{what}");
    }
}

/// Random bytes of all kinds of lengths, and such with small numbers where the counts are.
#[test]
fn random_datagrams_are_not_dns() {
    let mut state = 88172645463325252u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut false_positives = 0;
    for round in 0..4_000_000u32 {
        let mut bytes: Vec<u8> = (0..2 + round % 12).flat_map(|_| random().to_le_bytes()).collect();
        if round % 2 == 0 {
            // Every second one begins like a header: few flags, small counts.
            for at in (2..12).step_by(2) {
                bytes[at] = 0;
                bytes[at + 1] &= 3;
            }
        }
        false_positives += u32::from(looks_like_dns(&bytes));
    }
    assert!(false_positives <= 3, "{false_positives} of 4 million");
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(SAME.to_vec()),
        Just(question("a.b", 1)),
        Just(record(SAME, 65, 1, 1, b"\0\x01\0\0\x01\0\x03\x02h2")),
        Just(record(&[0], 41, 1232, 0, b"\0\x08\0\x08\0\x01\x18\0\x01\x02\x03\x04")),
        prop::collection::vec(any::<u8>(), 0..12),
        (any::<u16>(), prop::collection::vec(any::<u8>(), 0..30)).prop_map(|(kind, data)| record(
            SAME,
            kind % 300,
            1,
            1,
            &data
        )),
    ];
    (any::<u16>(), [0u16..3, 0..9, 0..3, 0..3], prop::collection::vec(piece, 0..12))
        .prop_map(|(flags, counts, pieces)| [header(1, flags, counts), pieces.concat()].concat())
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in soup(), limit in 0usize..2000) {
        looks_like_dns(&bytes);
        if let Some(message) = parse(&bytes) {
            message.response_code();
            let mut out = Vec::new();
            records(&message, limit, &mut out);
            prop_assert!(out.len() <= limit.max(48));
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
        }
    }
}
