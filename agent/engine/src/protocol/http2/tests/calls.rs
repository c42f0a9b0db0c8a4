//! gRPC calls.

use super::wire::*;
use crate::config::SECOND;
use crate::message::notes;
use crate::protocol::http2::frame::{flag, kind};

#[test]
fn a_unary_call() {
    let mut wire = Wire::new();
    let call = [wire.call(1, "/pb.News/GetNews"), data(1, grpc("who"), true)].concat();
    wire.send(Client, &call);
    let answer = [wire.accept(1), data(1, grpc("news"), false), wire.status(1, "0", "")].concat();
    wire.send(Server, &answer);
    let records = wire.end();
    let [row] = &records.exchanges[..] else { panic!("{records:?}") };
    for (column, value) in [
        ("protocol", "grpc"),
        ("operation", "GetNews"),
        ("target", "/pb.News/GetNews"),
        ("authority", "shop:50051"),
        ("status", "0"),
        ("status_text", "OK"),
        ("outcome", "ok"),
        ("request_body", "who"),
        ("response_body", "news"),
        ("response_trailers", "grpc-status: 0\ngrpc-message: \n"),
        ("messages_sent", "1"),
        ("messages_received", "1"),
        ("notes", "0"),
    ] {
        assert_eq!(row.get(column).map(String::as_str), Some(value), "{column}");
    }
    assert!(!row.contains_key("version") && !row.contains_key("error"));
    assert!(records.messages.is_empty(), "the bodies say it all");
}

#[test]
fn a_bidirectional_stream_is_reported_while_open_and_ends_once() {
    let mut wire = Wire::new();
    let call = wire.call(1, "/pb.Chat/Talk");
    let accept = wire.accept(1);
    wire.send(Client, &call).send(Server, &accept);
    wire.send(Client, &data(1, grpc("hello"), false));
    wire.pause(2 * SECOND);
    assert_eq!(wire.report().lines(), ["Talk /pb.Chat/Talk ? open"]);
    // Two at once, then one over several frames.
    wire.send(Server, &data(1, [grpc("hi"), grpc("you")].concat(), false));
    let open = wire.report();
    assert_eq!(open.message_lines(), ["sent hello", "received hi", "received you"]);
    assert_eq!((open.exchanges[0]["messages_received"].as_str(), open.exchanges[0]["revision"].as_str()), ("2", "1"));
    assert!(wire.report().exchanges.is_empty(), "nothing is new");
    let bye = grpc("goodbye");
    wire.send(Client, &[data(1, &bye[..3], false), data(1, &bye[3..8], false), data(1, &bye[8..], true)].concat());
    let status = wire.status(1, "0", "");
    wire.send(Server, &status);
    let records = wire.end();
    let [row] = &records.exchanges[..] else { panic!("{records:?}") };
    assert_eq!(records.message_lines(), ["sent goodbye"]);
    assert_eq!(records.messages[0]["index"], "3");
    assert_eq!((row["outcome"].as_str(), row["messages_sent"].as_str(), row["revision"].as_str()), ("ok", "2", "2"));
    assert!(noted(row, notes::STREAM) && !row.contains_key("request_body") && !row.contains_key("response_body"));
    assert!(!noted(row, notes::REQUEST_CUT | notes::RESPONSE_CUT));
    assert_eq!(row["request_body_bytes"], "12");
}

#[test]
fn errors_without_a_response() {
    let mut wire = Wire::new();
    let call = [wire.call(1, "/pb.News/GetNews"), data(1, grpc(""), true)].concat();
    let fields = [
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("grpc-status", "5"),
        ("grpc-message", "no item %22x%22"),
    ];
    let only = wire.head(Server, 1, &fields, true);
    wire.send(Client, &call).send(Server, &only);
    let records = wire.end();
    let row = &records.exchanges[0];
    assert_eq!(records.lines(), ["GetNews /pb.News/GetNews 5 client_error"]);
    assert_eq!((row["status_text"].as_str(), row["error"].as_str()), ("NOT_FOUND", "no item \"x\""));
    assert_eq!((row["messages_sent"].as_str(), row["messages_received"].as_str()), ("1", "0"));
}

#[test]
fn outcomes_of_statuses() {
    let mut wire = Wire::new();
    let expected = "ok client_error server_error client_error timeout client_error client_error client_error \
                    server_error client_error server_error client_error server_error server_error server_error \
                    server_error client_error server_error";
    for code in 0..18 {
        let id = code * 2 + 1;
        let call = [wire.call(id, "/a.B/C"), data(id, grpc(""), true)].concat();
        let answer = [wire.accept(id), wire.status(id, &code.to_string(), "")].concat();
        wire.send(Client, &call).send(Server, &answer);
    }
    let outcomes: Vec<_> = wire.end().exchanges.iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes.join(" "), expected);
}

#[test]
fn deadlines_and_cancelled_calls() {
    let mut wire = Wire::new();
    for (id, timeout) in [(1, "20m"), (3, "10S")] {
        let fields =
            [(":method", "POST"), (":path", "/a.B/C"), ("content-type", "application/grpc"), ("grpc-timeout", timeout)];
        let call = [wire.head(Client, id, &fields, false), data(id, grpc("?"), true)].concat();
        wire.send(Client, &call).pause(20_000_000);
        wire.send(Client, &rst(id, 8));
    }
    let records = wire.end();
    let said: Vec<_> = records.exchanges.iter().map(|row| (row["outcome"].as_str(), row["error"].as_str())).collect();
    assert_eq!(
        said,
        [("timeout", "the client cancelled: its deadline of 20 ms had passed"), ("reset", "the client cancelled"),]
    );
}

#[test]
fn health_checks_and_reflection_are_noted() {
    let mut wire = Wire::new();
    for (id, path) in [
        (1, "/grpc.health.v1.Health/Check"),
        (3, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
        (5, "/pb.News/GetNews"),
    ] {
        let call = [wire.call(id, path), data(id, grpc(""), true)].concat();
        let answer = [wire.accept(id), data(id, grpc(""), false), wire.status(id, "0", "")].concat();
        wire.send(Client, &call).send(Server, &answer);
    }
    let bits: Vec<u32> = wire.end().exchanges.iter().map(|row| row["notes"].parse().unwrap()).collect();
    assert_eq!(bits.map_notes(), [notes::HEALTH, notes::REFLECTION, 0]);
}

trait MapNotes {
    fn map_notes(self) -> Vec<u32>;
}

impl MapNotes for Vec<u32> {
    fn map_notes(self) -> Vec<u32> {
        self.into_iter().map(|bits| bits & (notes::HEALTH | notes::REFLECTION)).collect()
    }
}

#[test]
fn a_proxy_that_answers_in_plain_http() {
    let mut wire = Wire::new();
    let call = [wire.call(1, "/a.B/C"), data(1, grpc("?"), true)].concat();
    let answer = wire.answer(1, "503", "no healthy upstream");
    wire.send(Client, &call).send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["C /a.B/C ? server_error"]);
    assert_eq!(records.exchanges[0]["error"], "HTTP status 503, no gRPC status");
}

#[test]
fn messages_in_any_pieces_are_the_same() {
    let records = |mss| {
        let mut wire = Wire::new();
        wire.mss = mss;
        let mut frames = wire.call(1, "/pb.News/Publish");
        for n in 0..20 {
            let message = grpc(vec![b'a' + n; usize::from(n) * 3]);
            let (a, b) = message.split_at(message.len() / 2);
            frames.extend(frame(kind::DATA, flag::PADDED, 1, &[&[2], a, b"--"].concat()));
            frames.extend(data(1, b, n == 19));
        }
        wire.send(Client, &frames);
        let answer = [wire.accept(1), data(1, grpc("done"), false), wire.status(1, "0", "")].concat();
        wire.send(Server, &answer);
        let records = wire.end();
        assert_eq!(records.lines(), ["Publish /pb.News/Publish 0 ok"]);
        records.message_lines()
    };
    let whole = records(1448);
    assert_eq!(whole.len(), 21);
    assert_eq!(whole[20], "received done");
    for mss in [1, 2, 7, 13] {
        assert_eq!(records(mss), whole);
    }
}
