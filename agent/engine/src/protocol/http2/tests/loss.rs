//! Joined mid-stream, and with pieces missing: less is known, nothing is wrong.

use proptest::prelude::*;

use super::wire::*;
use crate::config::SECOND;
use crate::message::notes;
use crate::protocol::http2::frame::{flag, kind};

/// A connection that has seen calls before the capture begins: the encoders' tables are filled.
fn joined() -> Wire {
    let mut wire = Wire::joined();
    wire.call(1, "/pb.News/GetNews");
    wire.accept(1);
    wire.status(1, "0", "");
    wire
}

#[test]
fn joined_at_a_frame() {
    let mut wire = joined();
    let call = [wire.call(21, "/pb.News/GetNews"), data(21, grpc("who"), true)].concat();
    let answer = [wire.accept(21), data(21, grpc("news"), false), wire.status(21, "0", "")].concat();
    wire.send(Client, &call).send(Server, &answer);
    // A path that is sent as a literal is known; a status is not, as long as its name is in the part of the table that
    // was never seen.
    for id in [23, 25] {
        let call = [wire.call(id, "/pb.News/Other"), data(id, grpc("who"), true)].concat();
        let answer = [wire.accept(id), wire.status(id, "7", "no")].concat();
        wire.send(Client, &call).send(Server, &answer);
    }
    // The server empties its table: from here on all is known.
    let update = wire.encoders[1].resize(0);
    wire.encoders[1].resize(4096);
    let block = [update, vec![0x3f, 0xe1, 0x1f], wire.encoders[1].block(&[(":status", "200"), ("grpc-status", "7")])];
    let call = [wire.call(27, "/pb.News/Other"), data(27, grpc("who"), true)].concat();
    let only = frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 27, &block.concat());
    wire.send(Client, &call).send(Server, &only);
    let records = wire.end();
    let unknown = "Other /pb.News/Other ? incomplete";
    assert_eq!(records.lines(), ["? ? ? incomplete", unknown, unknown, "Other /pb.News/Other 7 client_error"]);
    let row = &records.exchanges[0];
    assert_eq!((row["protocol"].as_str(), row["request_body"].as_str()), ("grpc", "who"), "the messages give it away");
    assert_eq!(row["error"], "its gRPC status repeats an earlier one that was not captured");
    assert!(noted(row, notes::PARTIAL));
    assert_eq!(row["request_headers"], "?: ?\n?: ?\n?: ?\n?: ?\n");
    assert_eq!(records.connections[0]["dst_port"], "50051");
}

#[test]
fn joined_within_a_frame() {
    let mut wire = joined();
    let get = wire.get(7, "/seven");
    wire.send(Client, &get);
    wire.send(Server, &[b'x'; 700]);
    let answer = wire.answer(5, "200", "five");
    wire.send(Server, &[&[b'x'; 300][..], &answer].concat());
    let answer = wire.answer(7, "404", "seven");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["? ? 200 incomplete", "GET /seven 404 client_error"]);
    assert!(noted(&records.exchanges[0], notes::NO_REQUEST | notes::PARTIAL));
}

#[test]
fn joined_in_a_large_download() {
    let mut wire = Wire::joined();
    let body = vec![b'z'; 16384];
    let mut bulk = Vec::new();
    for _ in 0..8 {
        bulk.extend(data(1, &body, false));
    }
    let tail = [&bulk[5000..], &data(1, "", true)].concat();
    wire.send(Server, &tail);
    let get = wire.get(3, "/next");
    wire.send(Client, &get);
    let answer = wire.answer(3, "200", "here");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["GET /next 200 ok"]);
    assert_eq!(records.exchanges[0]["response_body"], "here");
}

#[test]
fn a_lost_data_segment_costs_its_call_alone() {
    let mut wire = Wire::new();
    let call = [wire.call(1, "/a.B/C"), data(1, grpc("?"), true)].concat();
    wire.send(Client, &call);
    let message = grpc(vec![b'm'; 4000]);
    let answer = [wire.accept(1), data(1, &message, false), wire.status(1, "0", "")].concat();
    wire.send(Server, &answer[..1448]).lose(Server, &answer[1448..2896]).send(Server, &answer[2896..]);
    let call = [wire.call(3, "/a.B/C"), data(3, grpc("?"), true)].concat();
    let answer = [wire.accept(3), data(3, grpc("!"), false), wire.status(3, "0", "")].concat();
    wire.send(Client, &call).send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["C /a.B/C 0 ok", "C /a.B/C 0 ok"]);
    let [first, second] = &records.exchanges[..] else { panic!() };
    assert!(noted(first, notes::GAP) && !noted(second, notes::GAP | notes::PARTIAL));
    assert_eq!(first["response_body_bytes"], "4000");
    assert!(first["response_body"].len() < 1448);
    assert_eq!(second["response_body"], "!");
}

#[test]
fn the_segment_that_filled_the_table_is_lost() {
    let mut wire = Wire::new();
    let first = wire.get(1, "/secret/path");
    wire.lose(Client, &first);
    let answer = wire.answer(1, "200", "1");
    wire.send(Server, &answer);
    let second = wire.get(3, "/secret/path");
    wire.send(Client, &second);
    let answer = wire.answer(3, "200", "3");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["? ? 200 incomplete", "GET ? 200 ok"]);
    assert!(noted(&records.exchanges[0], notes::NO_REQUEST | notes::GAP));
    assert!(noted(&records.exchanges[1], notes::PARTIAL));
    assert!(!records.exchanges[1].contains_key("authority"));
}

#[test]
fn a_lost_end_is_said() {
    let mut wire = Wire::new();
    let (get, answer) = (wire.get(1, "/"), wire.answer(1, "200", "lost"));
    wire.send(Client, &get).lose(Server, &answer);
    let (get, answer) = (wire.get(3, "/3"), wire.answer(3, "200", "three"));
    wire.send(Client, &get).send(Server, &answer).pause(10 * SECOND);
    let records = wire.records();
    assert_eq!(records.lines(), ["GET /3 200 ok", "GET / ? incomplete"]);
    assert_eq!(records.exchanges[1]["error"], "its response was not captured");
    assert!(wire.end().exchanges.is_empty(), "it was said");
}

#[test]
fn a_message_lost_in_a_stream() {
    let mut wire = Wire::new();
    let call = [wire.call(1, "/a.B/Watch"), data(1, grpc("?"), true)].concat();
    let head = [wire.accept(1), data(1, grpc("one"), false), data(1, grpc("two"), false)].concat();
    wire.send(Client, &call).send(Server, &head);
    wire.lose(Server, &data(1, grpc("three"), false));
    wire.send(Server, &data(1, grpc("four"), false));
    let status = [data(1, grpc("five"), false), wire.status(1, "0", "")].concat();
    wire.send(Server, &status);
    let records = wire.end();
    assert_eq!(records.message_lines(), ["sent ?", "received one", "received two", "received four", "received five"]);
    assert!(noted(&records.exchanges[0], notes::GAP | notes::STREAM));
    assert_eq!(records.lines(), ["Watch /a.B/Watch 0 ok"]);
}

#[test]
fn a_head_cut_by_a_loss_keeps_what_is_there() {
    let mut wire = Wire::new();
    let fields = [(":method", "GET"), (":path", "/known"), ("x-first", "yes"), ("x-second", "a long value indeed")];
    let head = wire.head(Client, 1, &fields, true);
    let cut = head.len() - 4;
    wire.send(Client, &head[..cut]).lose(Client, &head[cut..]);
    let answer = wire.answer(1, "200", "");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["GET /known 200 ok"]);
    assert_eq!(records.exchanges[0]["request_headers"], "x-first: yes\n");
    assert!(noted(&records.exchanges[0], notes::GAP));
}

#[test]
fn one_direction_alone() {
    let mut wire = Wire::joined();
    wire.mss = 100;
    for id in [1, 3] {
        let (_, answer) = (wire.get(id, "/"), wire.answer(id, "200", "body"));
        wire.send(Server, &answer);
    }
    let records = wire.end();
    assert_eq!(records.lines(), ["? ? 200 incomplete", "? ? 200 incomplete"]);
    assert!(records.exchanges.iter().all(|row| noted(row, notes::NO_REQUEST)));
}

/// What was really said in a conversation with random headers, and what the records say with segments missing.
fn conversation(seeds: &[(u8, u8, bool)], lost: &[u8], mss: usize, joined: bool) -> Result<(), TestCaseError> {
    let mut wire = if joined { Wire::joined() } else { Wire::new() };
    wire.mss = mss;
    let mut streams: [Vec<u8>; 2] = Default::default();
    let mut truth = Vec::new();
    let mut sent = Vec::new();
    for (n, &(a, b, huffman)) in seeds.iter().enumerate() {
        let id = n as u32 * 2 + 1;
        wire.encoders.iter_mut().for_each(|encoder| encoder.huffman = huffman);
        let (path, x, y) = (format!("/p{}", a % 7), format!("x{}", b % 5), format!("y{}", "-".repeat(usize::from(b))));
        let mut block = match a % 31 {
            0 => wire.encoders[0].resize(usize::from(b) * 8),
            1 => wire.encoders[0].resize(4096),
            _ => Vec::new(),
        };
        let request = [(":method", "GET"), (":path", path.as_str()), ("x-a", &x), (&x, "named"), ("x-b", &y)];
        block.extend(wire.encoders[0].block(&request));
        let (one, two) = block.split_at(usize::from(a) % block.len());
        let mut frames = frame(kind::HEADERS, flag::END_STREAM, id, one);
        frames.extend(frame(kind::CONTINUATION, flag::END_HEADERS, id, two));
        let status = ["200", "201", "404", "418"][usize::from(a) % 4];
        let response = [(":status", status), ("x-c", &y), (&y[..1], &x)];
        let mut answer = wire.head(Server, id, &response, false);
        answer.extend(data(id, format!("body of {id}"), true));
        truth.push((path.clone(), status, x.clone(), y.clone()));
        sent.push((frames, answer));
    }
    let mut count = 0;
    for (frames, answer) in sent {
        for (side, bytes) in [(Client, frames), (Server, answer)] {
            for piece in bytes.chunks(mss) {
                let is_lost = lost.get(count / 8).is_some_and(|bits| bits >> (count % 8) & 1 == 1);
                count += 1;
                if is_lost {
                    wire.lose(side, piece)
                } else {
                    wire.send(side, piece)
                };
            }
            streams[side as usize].extend(bytes);
        }
    }
    let whole = lost.iter().all(|bits| *bits == 0) && !joined;
    let exchanges = wire.end().exchanges;
    prop_assert!(!whole || exchanges.len() == truth.len(), "{} exchanges of {}", exchanges.len(), truth.len());
    for row in exchanges {
        let id: usize = row["stream"].parse().unwrap();
        prop_assert!(id % 2 == 1 && id / 2 < truth.len(), "a stream that never was: {row:?}");
        let (path, status, x, y) = &truth[id / 2];
        let is = |column: &str, value: &str| row.get(column).is_none_or(|said| said == value);
        prop_assert!(is("operation", "GET") && is("target", path) && is("status", status), "{row:?}");
        let known = [("x-a", x.as_str()), (x, "named"), ("x-b", y), ("x-c", y), (&y[..1], x)];
        for column in ["request_headers", "response_headers"] {
            for line in row.get(column).map_or("", String::as_str).lines() {
                let (name, value) = line.split_once(": ").unwrap();
                let right = known.iter().any(|(n, v)| [n, "?"].contains(&name) && [v, "?"].contains(&value));
                prop_assert!(right, "{line} of {row:?}");
            }
        }
        if let Some(body) = row.get("response_body") {
            let right = format!("body of {id}");
            prop_assert!(right.starts_with(body.as_str()), "{row:?}");
        }
        if whole {
            prop_assert_eq!(row["notes"].parse::<u32>().unwrap() & !notes::REUSED, 0);
            prop_assert_eq!(&row["response_body"], &format!("body of {id}"));
            let said = ["operation", "target", "status"].map(|column| row.get(column).map(String::as_str));
            prop_assert_eq!(said, [Some("GET"), Some(path.as_str()), Some(*status)]);
            prop_assert_eq!(&row["request_headers"], &format!("x-a: {x}\n{x}: named\nx-b: {y}\n"));
            prop_assert_eq!(&row["response_headers"], &format!("x-c: {y}\n{}: {x}\n", &y[..1]));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_lost_makes_nothing_wrong(
        seeds in prop::collection::vec(any::<(u8, u8, bool)>(), 1..40),
        lost in prop::collection::vec(any::<u8>().prop_flat_map(|a| any::<u8>().prop_map(move |b| a & b & 0x55)), 0..20),
        mss in 1usize..200,
        joined: bool,
    ) {
        conversation(&seeds, &[], mss, false)?;
        conversation(&seeds, &lost, mss, joined)?;
    }
}

#[test]
fn joined_with_heads_too_short_to_recognise_it_by() {
    let mut wire = joined();
    wire.get(1, "/old");
    wire.answer(1, "200", "");
    let (get, answer) = (wire.get(3, "/old"), wire.answer(3, "200", "three"));
    wire.send(Client, &get).send(Server, &answer);
    assert_eq!(wire.end().lines(), ["GET ? 200 ok"]);
}

#[test]
fn a_lost_end_has_no_time() {
    let mut wire = Wire::new();
    let get = wire.get(1, "/");
    let answer = wire.answer(1, "200", &"x".repeat(2000));
    wire.send(Client, &get).send(Server, &answer[..1448]).lose(Server, &answer[1448..]);
    let (get, answer) = (wire.get(3, "/3"), wire.answer(3, "200", "three"));
    wire.send(Client, &get).send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["GET / 200 ok", "GET /3 200 ok"]);
    let [first, second] = &records.exchanges[..] else { panic!() };
    assert!(noted(first, notes::GAP) && !first.contains_key("latency_ns"));
    assert_eq!(first["response_body_bytes"], "2000");
    assert!(second.contains_key("latency_ns"));
}
