//! Plain requests and responses.

use super::wire::*;
use crate::config::SECOND;
use crate::message::notes;
use crate::protocol::http2::frame::{PREFACE, flag, kind};

#[test]
fn a_request_is_answered() {
    let mut wire = Wire::new();
    let (get, answer) = (wire.get(1, "/orders/17"), wire.answer(1, "200", "seventeen"));
    wire.send(Client, &get).send(Server, &answer);
    let records = wire.records();
    let [row] = &records.exchanges[..] else { panic!("{records:?}") };
    assert_eq!(records.lines(), ["GET /orders/17 200 ok"]);
    for (column, value) in [
        ("protocol", "http"),
        ("version", "2"),
        ("authority", "shop:80"),
        ("stream", "1"),
        ("latency_ns", "1000000"),
        ("response_body", "seventeen"),
        ("response_content_type", "text/plain"),
        ("response_headers", "content-type: text/plain\nserver: test\n"),
        ("notes", "0"),
    ] {
        assert_eq!(row.get(column).map(String::as_str), Some(value), "{column}");
    }
    assert!(!row.contains_key("messages_sent"));
    assert_eq!(wire.end().connections[0]["protocol"], "http");
}

#[test]
fn requests_on_a_hundred_streams_at_once() {
    let mut wire = Wire::new();
    let ids: Vec<u32> = (0..100).map(|n| n * 2 + 1).collect();
    for &id in &ids {
        let get = wire.get(id, &format!("/{id}"));
        wire.send(Client, &get);
    }
    // Heads in one order, bodies in pieces in another.
    let mut heads = Vec::new();
    for &id in ids.iter().rev() {
        heads.extend(wire.head(Server, id, &[(":status", "200"), ("x-id", &id.to_string())], false));
    }
    wire.send(Server, &heads);
    for part in ["a", "b", "c"] {
        let frames: Vec<u8> = ids.iter().flat_map(|id| data(*id, format!("{part}{id} "), part == "c")).collect();
        wire.send(Server, &frames);
    }
    let records = wire.end();
    assert_eq!(records.exchanges.len(), 100);
    for row in &records.exchanges {
        let id = &row["stream"];
        assert_eq!(row["target"], format!("/{id}"));
        assert_eq!(row["response_headers"], format!("x-id: {id}\n"));
        assert_eq!(row["response_body"], format!("a{id} b{id} c{id} "));
    }
}

#[test]
fn what_stands_between_and_around_is_skipped() {
    let mut wire = Wire::new();
    let block = wire.encoders[0].block(&[(":method", "POST"), (":path", "/x"), (":scheme", "http")]);
    let (a, rest) = block.split_at(3);
    let (b, c) = rest.split_at(1);
    let head = [&[3][..], &[0x80, 0, 0, 0, 15], a, b"pad"].concat();
    let flags = flag::PADDED | flag::PRIORITY;
    let frames = [
        frame(kind::PING, 0, 0, b"12345678"),
        frame(kind::HEADERS, flags, 1, &head),
        frame(kind::CONTINUATION, 0, 1, b),
        frame(kind::CONTINUATION, flag::END_HEADERS, 1, c),
        frame(kind::WINDOW_UPDATE, 0, 1, &[0, 0, 1, 0]),
        frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1]),
        frame(0xfa, 0xff, 1, b"grease"),
        frame(kind::DATA, flag::PADDED, 1, b"\x05hello-----"),
        frame(kind::SETTINGS, flag::ACK, 0, b""),
        frame(kind::DATA, flag::PADDED | flag::END_STREAM, 1, b"\x00 world"),
    ]
    .concat();
    wire.mss = 11;
    wire.send(Client, &frames);
    let answer = wire.answer(1, "200", "");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["POST /x 200 ok"]);
    assert_eq!(records.exchanges[0]["request_body"], "hello world");
    assert_eq!(records.exchanges[0]["request_body_bytes"], "11");
}

#[test]
fn interim_responses_and_trailers() {
    let mut wire = Wire::new();
    let get = wire.get(1, "/");
    wire.send(Client, &get);
    let frames = [
        wire.head(Server, 1, &[(":status", "103"), ("link", "</style.css>")], false),
        wire.head(Server, 1, &[(":status", "200")], false),
        data(1, "body", false),
        wire.head(Server, 1, &[("server-timing", "db;dur=5")], true),
    ]
    .concat();
    wire.send(Server, &frames);
    let records = wire.end();
    let [row] = &records.exchanges[..] else { panic!("{records:?}") };
    assert_eq!((row["interim"].as_str(), row["response_trailers"].as_str()), ("103", "server-timing: db;dur=5\n"));
    assert!(noted(row, notes::INTERIM) && !row.contains_key("response_headers"));
}

#[test]
fn outcomes_follow_the_status() {
    let mut wire = Wire::new();
    for (id, status) in [(1, "204"), (3, "302"), (5, "404"), (7, "503")] {
        let (get, answer) = (wire.get(id, "/"), wire.answer(id, status, ""));
        wire.send(Client, &get).send(Server, &answer);
    }
    let outcomes: Vec<_> = wire.end().exchanges.iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["ok", "ok", "client_error", "server_error"]);
}

#[test]
fn the_table_may_be_resized_and_emptied() {
    let mut wire = Wire::new();
    for (stream, size) in [(1, None), (3, Some(0)), (5, Some(200)), (7, None), (9, Some(100_000)), (11, Some(4096))] {
        let mut block = size.map(|max| wire.encoders[0].resize(max)).unwrap_or_default();
        let value = format!("value-{}", stream % 4);
        let fields = [(":method", "GET"), (":path", "/a"), ("x-long-header-name", &value), ("x-other", "same")];
        block.extend(wire.encoders[0].block(&fields));
        let head = frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, &block);
        let answer = wire.answer(stream, "200", "");
        wire.send(Client, &head).send(Server, &answer);
    }
    let records = wire.end();
    assert_eq!(records.exchanges.len(), 6);
    for row in &records.exchanges {
        let id: u32 = row["stream"].parse().unwrap();
        assert_eq!(row["request_headers"], format!("x-long-header-name: value-{}\nx-other: same\n", id % 4));
        assert!(!noted(row, notes::PARTIAL));
    }
}

#[test]
fn resets_before_during_and_after_the_response() {
    let mut wire = Wire::new();
    let frames: Vec<u8> = [1, 3, 5, 7, 9].iter().flat_map(|id| wire.get(*id, "/")).collect();
    wire.send(Client, &frames);
    wire.send(Client, &rst(1, 8));
    let head = wire.head(Server, 3, &[(":status", "200")], false);
    wire.send(Server, &[head, data(3, "par", false), rst(3, 2)].concat());
    let answer = wire.answer(5, "200", "all");
    wire.send(Server, &answer).send(Client, &rst(5, 8));
    wire.send(Server, &rst(7, 7));
    // What still comes on a cancelled stream changes nothing, but its fields count.
    let late = wire.answer(1, "200", "late");
    wire.send(Server, &late);
    let answer = wire.answer(9, "200", "");
    wire.send(Server, &answer);
    let records = wire.end();
    let errors: Vec<_> = records.exchanges.iter().map(|row| row.get("error").map_or("", String::as_str)).collect();
    assert_eq!(
        errors,
        [
            "the client cancelled",
            "the server reset the stream during the response (INTERNAL_ERROR)",
            "",
            "the server refused the stream (REFUSED_STREAM): it did not look at the request",
            "",
        ]
    );
    let lines = records.lines();
    assert_eq!(lines, ["GET / ? reset", "GET / 200 reset", "GET / 200 ok", "GET / ? reset", "GET / 200 ok"]);
}

#[test]
fn streams_are_left_when_the_server_goes_away() {
    let mut wire = Wire::new();
    let frames: Vec<u8> = [1, 3, 5].iter().flat_map(|id| wire.get(*id, "/")).collect();
    wire.send(Client, &frames);
    let answer = wire.answer(1, "200", "");
    let away = frame(kind::GOAWAY, 0, 0, &[&[0, 0, 0, 3, 0, 0, 0, 11][..], b"too many pings"].concat());
    wire.send(Server, &[away, answer].concat()).close(Server);
    let records = wire.records();
    assert_eq!(records.lines(), ["GET / ? reset", "GET / 200 ok", "GET / ? reset"]);
    assert_eq!(
        records.exchanges[0]["error"],
        "the server went away without looking at the request (GOAWAY, ENHANCE_YOUR_CALM)"
    );
    assert_eq!(
        records.exchanges[2]["error"],
        "the server closed the connection before a response (GOAWAY, ENHANCE_YOUR_CALM)"
    );
}

#[test]
fn pushed_responses_are_skipped_with_the_table_kept() {
    let mut wire = Wire::new();
    let get = wire.get(1, "/");
    wire.send(Client, &get);
    let promise = [&[0, 0, 0, 2][..], &wire.encoders[1].block(&[(":method", "GET"), ("x-pushed", "yes")])].concat();
    let promise = frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &promise);
    let pushed = wire.head(Server, 2, &[(":status", "200"), ("x-style", "blue")], false);
    let answer = wire.head(Server, 1, &[(":status", "200"), ("x-style", "blue"), ("x-pushed", "yes")], true);
    wire.send(Server, &[promise, pushed, data(2, "css", true), answer].concat());
    let records = wire.end();
    assert_eq!(records.lines(), ["GET / 200 ok"]);
    assert_eq!(records.exchanges[0]["response_headers"], "x-style: blue\nx-pushed: yes\n");
}

#[test]
fn the_request_that_upgrades_is_stream_1() {
    let mut wire = Wire::opened();
    wire.send(
        Client,
        b"GET /old HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    );
    let answer = wire.answer(1, "200", "one");
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    wire.send(Server, &[&switch[..], &frame(kind::SETTINGS, 0, 0, &[]), &answer].concat());
    let get = wire.get(3, "/new");
    wire.send(Client, &[PREFACE, &frame(kind::SETTINGS, 0, 0, &[]), &get].concat());
    let answer = wire.answer(3, "200", "three");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["GET /old 200 ok", "GET /new 200 ok"]);
    let row = &records.exchanges[0];
    assert_eq!((row["version"].as_str(), row["authority"].as_str()), ("2", "shop"));
    assert_eq!((row["response_body"].as_str(), row["interim"].as_str()), ("one", "101"));
    assert!(noted(row, notes::UPGRADED) && !noted(&records.exchanges[1], notes::UPGRADED));
}

#[test]
fn events_of_a_stream_are_messages() {
    let mut wire = Wire::new();
    let get = wire.get(1, "/prices");
    let head = wire.head(Server, 1, &[(":status", "200"), ("content-type", "text/event-stream")], false);
    wire.send(Client, &get).send(Server, &head).send(Server, &data(1, "data: 1\n\nda", false));
    wire.pause(2 * SECOND);
    let open = wire.report();
    assert_eq!(open.lines(), ["GET /prices 200 open"]);
    assert_eq!(open.message_lines(), ["received 1"]);
    wire.send(Server, &data(1, "ta: 2\n\n", true));
    let records = wire.end();
    assert_eq!(records.message_lines(), ["received 2"]);
    assert_eq!(records.lines(), ["GET /prices 200 ok"]);
    assert_eq!(
        (records.exchanges[0]["revision"].as_str(), records.exchanges[0]["messages_received"].as_str()),
        ("1", "2")
    );
}

#[test]
fn an_answer_may_come_before_the_request_ends() {
    let mut wire = Wire::new();
    let post = wire.head(Client, 1, &[(":method", "POST"), (":path", "/upload"), (":scheme", "http")], false);
    wire.send(Client, &post).send(Client, &data(1, "first", false));
    let answer = wire.answer(1, "413", "too large");
    wire.send(Server, &answer);
    assert!(wire.records().exchanges.is_empty());
    wire.send(Client, &data(1, " rest", true));
    let records = wire.end();
    assert_eq!(records.lines(), ["POST /upload 413 client_error"]);
    assert_eq!(records.exchanges[0]["request_body"], "first rest");
}

#[test]
fn an_idle_connection_holds_little() {
    let mut wire = Wire::new();
    let (get, answer) = (wire.get(1, "/"), wire.answer(1, "200", "x"));
    wire.send(Client, &get).send(Server, &answer);
    assert!(wire.held() + size_of::<crate::protocol::http2::Http2>() < 4096, "{}", wire.held());
}
