//! WebSockets whose upgrade was not seen, by connections made by hand.

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::frame::{self, opcode};
use super::probe::probe;
use crate::message::notes;
use crate::protocol::Probe;
use crate::protocol::http2::tests::capture::{any_fates, captured};
use crate::protocol::http2::tests::wire::{Client, Records, Row, Server, Wire};
use crate::stream::Side;

/// What is said: opcode, payload, by whom, and in how many frames.
#[derive(Clone, Debug)]
struct Said {
    opcode: u8,
    payload: Vec<u8>,
    side: Side,
    pieces: usize,
}

fn said(side: Side, opcode: u8, payload: impl AsRef<[u8]>) -> Said {
    Said { opcode, payload: payload.as_ref().to_vec(), side, pieces: 1 }
}

/// A frame, masked if a client sends it.
fn framed(first: u8, payload: &[u8], side: Side, mask: u64) -> Vec<u8> {
    let bit = if side == Client { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        len @ 0..=125 => out.push(bit | len as u8),
        len => {
            out.push(bit | 126);
            out.extend((len as u16).to_be_bytes());
        }
    }
    let mask = (side == Client).then(|| (crate::id::mix(&[mask]) as u32).to_le_bytes());
    out.extend(mask.iter().flatten());
    frame::unmask(&mut out, payload, mask, 0);
    out
}

impl Said {
    fn frames(&self, mask: u64) -> Vec<u8> {
        let size = self.payload.len().div_ceil(self.pieces).max(1);
        let pieces: Vec<&[u8]> = if self.payload.is_empty() { vec![&[]] } else { self.payload.chunks(size).collect() };
        let mut out = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let opcode = if at == 0 { self.opcode } else { opcode::CONTINUATION };
            let fin = if at + 1 == pieces.len() { 0x80 } else { 0 };
            out.extend(framed(fin | opcode, piece, self.side, mask + at as u64));
        }
        out
    }
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("?", String::as_str)
}

fn bits(row: &Row) -> u32 {
    text(row, "notes").parse().unwrap()
}

/// Kind, bytes and body of the messages of one side.
fn by(records: &Records, side: Side) -> Vec<(String, String, String)> {
    let direction = if side == Client { "sent" } else { "received" };
    let of_side = records.messages.iter().filter(|row| row["direction"] == direction);
    of_side.map(|row| ["kind", "bytes", "body"].map(|column| text(row, column).to_string()).into()).collect()
}

fn spoken(conversation: &[Said], sizes: &[usize]) -> Records {
    let mut wire = Wire::joined();
    let mut sizes = sizes.iter().copied().cycle();
    for (number, one) in conversation.iter().enumerate() {
        wire.send_split(one.side, &one.frames(64 * number as u64), &mut sizes);
    }
    wire.end()
}

const HELLO: &str = r#"{"op":"subscribe","topic":"orders"}"#;

#[test]
fn nothing_is_invented_of_what_was_not_seen() {
    let mut wire = Wire::joined();
    wire.send(Server, &said(Server, opcode::TEXT, HELLO).frames(1));
    wire.send(Client, &said(Client, opcode::TEXT, "yes, all of them").frames(2));
    wire.send(Server, &said(Server, opcode::CLOSE, [3, 0xe8]).frames(3));
    wire.send(Client, &said(Client, opcode::CLOSE, [3, 0xe8]).frames(4));
    let records = wire.close(Server).report();
    let [row] = &records.exchanges[..] else { panic!("{:?}", records.exchanges) };
    for column in ["operation", "target", "authority", "status", "version", "latency_ns", "request_seq"] {
        assert_eq!(text(row, column), "?", "{column}");
    }
    assert_eq!((text(row, "protocol"), text(row, "outcome")), ("websocket", "ok"));
    assert_eq!(bits(row), notes::NO_REQUEST | notes::PARTIAL | notes::UPGRADED | notes::STREAM);
    assert_eq!(text(row, "time"), text(row, "first_message"));
    assert_eq!(text(row, "dst_port"), "50051", "who masks is the client");
    assert_eq!(records.messages.len(), 4);
}

#[test]
fn who_masks_is_the_client() {
    let mut wire = Wire::joined();
    // To the port that looks like a client's.
    wire.send(Server, &said(Client, opcode::TEXT, HELLO).frames(1));
    let records = wire.end();
    assert_eq!(text(&records.exchanges[0], "dst_port"), "40001");
    assert_eq!(text(&records.messages[0], "direction"), "sent");
}

#[test]
fn short_messages_are_enough_when_there_are_several() {
    let ping = r#"{"n":1}"#;
    for side in [Client, Server] {
        let one = spoken(&[said(side, opcode::TEXT, ping)], &[usize::MAX]);
        assert_eq!(one.exchanges.len(), 0);
        let three = spoken(&vec![said(side, opcode::TEXT, ping); 3], &[usize::MAX]);
        assert_eq!(three.messages.len(), 3, "{side:?}");
    }
}

#[test]
fn without_text_only_masked_frames_tell() {
    for (side, count) in [(Client, 6), (Server, 0)] {
        let records = spoken(&vec![said(side, opcode::BINARY, [1, 2, 3, 0xff]); 6], &[usize::MAX]);
        assert_eq!(records.messages.len(), count, "{side:?}");
    }
}

#[test]
fn a_text_of_many_segments_tells_by_its_beginning() {
    let long = HELLO.repeat(1000);
    for side in [Client, Server] {
        let records = spoken(&[said(side, opcode::TEXT, &long)], &[1448]);
        assert_eq!(by(&records, side), [("text".into(), long.len().to_string(), long.clone())]);
    }
}

#[test]
fn it_is_recognised_in_the_middle_of_a_message() {
    let mut wire = Wire::joined();
    let large: Vec<u8> = (0..9000u32).flat_map(|n| (crate::id::mix(&[n.into()]) as u32).to_le_bytes()).collect();
    let frames = said(Server, opcode::BINARY, &large).frames(0);
    wire.send(Server, &frames[5000..]);
    wire.send(Client, &said(Client, opcode::TEXT, HELLO).frames(1));
    wire.send(Server, &said(Server, opcode::TEXT, HELLO).frames(1));
    let records = wire.end();
    let hello = ("text".to_string(), HELLO.len().to_string(), HELLO.to_string());
    for side in [Client, Server] {
        assert_eq!(by(&records, side), std::slice::from_ref(&hello));
    }
}

#[test]
fn the_rest_of_a_fragmented_message_is_no_message() {
    let mut whole = said(Server, opcode::TEXT, HELLO.repeat(3));
    whole.pieces = 3;
    let frames = whole.frames(0);
    let mut wire = Wire::joined();
    wire.send(Client, &said(Client, opcode::TEXT, HELLO).frames(1));
    wire.send(Server, &frames[2 + HELLO.len()..]);
    let records = wire.end();
    let [row] = &by(&records, Server)[..] else { panic!("{records:?}") };
    assert_eq!((row.0.as_str(), row.2.as_str()), ("continuation", "?"));
    assert_eq!(bits(&records.messages[1]), notes::PARTIAL);
}

/// Messages that refer to those before.
fn compressed(count: usize) -> (Vec<String>, Vec<Vec<u8>>) {
    let texts: Vec<String> =
        (0..count).map(|n| format!("{{\"item\":\"a red lamp of the hall {n}\",\"n\":{n},\"more\":\"{n}\"}}")).collect();
    let mut compress = Compress::new(Compression::best(), false);
    let raw = texts.iter().map(|text| {
        let mut made = Vec::with_capacity(1024);
        compress.compress_vec(text.as_bytes(), &mut made, FlushCompress::Sync).unwrap();
        made.truncate(made.len() - 4);
        made
    });
    let raw = raw.collect();
    (texts, raw)
}

#[test]
fn compressed_messages_are_listed_and_those_that_stand_alone_shown() {
    let (texts, raw) = compressed(12);
    for from in [0, 1, 5] {
        for side in [Client, Server] {
            let mut wire = Wire::joined();
            for (number, one) in raw.iter().enumerate().skip(from) {
                wire.send(side, &framed(0xc1, one, side, number as u64));
            }
            let records = wire.end();
            let seen = by(&records, side);
            assert_eq!(seen.len(), 12 - from, "{side:?} from {from}");
            for ((message, text), row) in seen.iter().zip(&texts[from..]).zip(&records.messages) {
                assert_eq!(message.0, "text");
                if from == 0 {
                    assert_eq!(&message.2, text);
                } else {
                    assert_eq!(message.2, "?");
                    assert_eq!(bits(row), notes::UNDECODABLE);
                }
            }
        }
    }
}

#[test]
fn other_beginnings_are_refused() {
    let subscribe = b"\x82\x0b\x00\x01\x00\x06orders\x01"; // MQTT
    for bytes in [
        &subscribe[..],
        &subscribe.repeat(20),
        &[0; 400],
        &[0x81; 400],
        &[0x82; 400],
        &b"\x82\x00".repeat(40), // empty frames
        &b"\x89\x00".repeat(40),
        b"\x81\xa5hello\xd9\x22a map of MessagePack, with a text in it.",
        b"\x81\x65hello, an array of CBOR, with a text in it that is some characters longer than it",
        b"\x81\x00\x00\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\x00 CACACACACACACACACACACACACACACAAA\x00", // NetBIOS
        b"AGFzbGtqZGxhc2tqZGxrYXNqZGxrYXNqZGxrYXNqZA==", // the middle of base64
    ] {
        assert!(!matches!(probe(bytes), Probe::Match(_)), "{}", bytes.escape_ascii());
    }
}

#[test]
fn random_bytes_are_not_taken_for_frames() {
    for seed in 0..200_000u64 {
        let len = 6 + seed as usize % 120;
        let mut bytes: Vec<u8> =
            (0..16).flat_map(|at| crate::id::mix(&[seed, at]).to_le_bytes()).take(6 + len).collect();
        // As like frames as can be: the header and the length are right.
        bytes[0] = [0x81, 0xc1, 0x82, 0x8a][seed as usize % 4];
        bytes[1] = if seed & 4 == 0 { len as u8 + 4 } else { 0x80 | len as u8 };
        assert!(!matches!(probe(&bytes), Probe::Match(_)), "seed {seed}");
    }
}

fn any_said() -> impl Strategy<Value = Said> {
    let payload = prop_oneof![
        "[ -~]{0,200}".prop_map(|text| (opcode::TEXT, text.into_bytes())),
        "[a-zé€ ]{0,80}".prop_map(|text| (opcode::TEXT, text.into_bytes())),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| (opcode::BINARY, bytes)),
    ];
    let data = (payload, any::<bool>(), 1usize..4).prop_map(|((opcode, payload), client, pieces)| Said {
        opcode,
        payload,
        side: if client { Client } else { Server },
        pieces,
    });
    let control = (prop_oneof![Just(opcode::PING), Just(opcode::PONG)], "[a-z]{0,9}", any::<bool>());
    prop_oneof![
        4 => data,
        1 => control.prop_map(|(opcode, text, client)| said(if client { Client } else { Server }, opcode, text)),
    ]
}

/// A conversation, both sides of which begin with a text.
fn any_conversation() -> impl Strategy<Value = Vec<Said>> {
    prop::collection::vec(any_said(), 0..20).prop_map(|rest| {
        let first = [said(Client, opcode::TEXT, HELLO), said(Server, opcode::TEXT, HELLO)];
        first.into_iter().chain(rest).collect()
    })
}

const UPGRADE: &[u8] = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const GRANTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Each message that is whole was said, in this order, and with these bytes.
fn nothing_made_up(records: &Records, conversation: &[Said]) -> Result<(), TestCaseError> {
    // An upgrade of which a part is lost stays a request of HTTP/1.
    prop_assert!(records.exchanges.iter().filter(|row| row["protocol"] == "websocket").count() <= 1);
    for side in [Client, Server] {
        let mut of_side = conversation.iter().filter(|one| one.side == side);
        let direction = if side == Client { "sent" } else { "received" };
        for row in records.messages.iter().filter(|row| row["direction"] == direction) {
            if bits(row) & (notes::GAP | notes::PARTIAL) != 0 || text(row, "kind") == "continuation" {
                continue;
            }
            let is_it = |one: &Said| {
                let body = String::from_utf8_lossy(&one.payload);
                one.payload.len().to_string() == text(row, "bytes") && row.get("body").is_none_or(|said| *said == body)
            };
            prop_assert!(of_side.any(is_it), "nobody said {:?}", row);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        probe(&bytes);
    }

    #[test]
    fn any_split_gives_the_same_messages(
        conversation in any_conversation(),
        sizes in prop::collection::vec(1usize..60, 1..40),
    ) {
        let whole = spoken(&conversation, &[usize::MAX]);
        let pieces = spoken(&conversation, &sizes);
        prop_assert_eq!(whole.messages.len(), conversation.len());
        for side in [Client, Server] {
            prop_assert_eq!(by(&whole, side), by(&pieces, side));
        }
        prop_assert_eq!(whole.exchanges.len(), 1);
        prop_assert_eq!(pieces.exchanges.len(), 1);
    }

    #[test]
    fn a_loss_anywhere_makes_nothing_up(
        conversation in any_conversation(),
        size in 1usize..300,
        lost in prop::collection::vec(any::<bool>(), 1..30),
        begin in 0usize..400,
    ) {
        let mut wire = Wire::joined();
        let mut lost = lost.iter().cycle();
        let mut skip = begin;
        for (number, one) in conversation.iter().enumerate() {
            for piece in one.frames(64 * number as u64).chunks(size) {
                let unseen = skip.min(piece.len());
                skip -= unseen;
                match (unseen == piece.len(), *lost.next().unwrap() && number % 3 == 1) {
                    (true, _) => {}
                    (false, true) => { wire.lose(one.side, &piece[unseen..]); }
                    (false, false) => { wire.mss = piece.len(); wire.send(one.side, &piece[unseen..]); }
                }
            }
        }
        nothing_made_up(&wire.end(), &conversation)?;
    }

    #[test]
    fn loss_and_disorder_make_nothing_up(
        conversation in any_conversation(),
        upgrade: bool,
        sizes in prop::collection::vec(1usize..300, 1..40),
        fates in any_fates(),
    ) {
        let mut wire = Wire::taped();
        let mut sizes = sizes.iter().copied().cycle();
        if upgrade {
            wire.send_split(Client, UPGRADE, &mut sizes);
            wire.send_split(Server, GRANTED, &mut sizes);
        }
        for (number, one) in conversation.iter().enumerate() {
            wire.send_split(one.side, &one.frames(64 * number as u64), &mut sizes);
        }
        nothing_made_up(&captured(wire.tape(), &fates), &conversation)?;
    }
}
